"""The settings of the platform's configuration: what no Worker reads, and how a text of each is bounded.

Settings that Workers read are in `functions/edgeseries/settings/workers.py`, of the same form. Must not know
Pulumi or resources.
"""

from typing import Final

from edgeseries import platform_limits
from edgeseries.platform_limits import CPU_MS, QUEUE_BATCH_WAIT_S, QUEUE_DELAY_S, QUEUE_RETRIES
from edgeseries.settings.declaration import Amount, Flag, Setting, Text, Whole, Word

LOCATIONS: Final = ("weur", "eeur", "wnam", "enam", "apac", "oc")
"""Location hints that R2 and D1 both take."""

ACCOUNT_ID: Final = Setting(
    key="accountId",
    kind=Text(form="account", allowed="lower case"),
    unit="32 hex digits",
    required=True,
    description="The Cloudflare account that everything is made in.",
)
LOCATION_HINT: Final = Setting(
    key="locationHint",
    kind=Word(words=LOCATIONS),
    unit="word",
    description=(
        "Where bucket and database are made. It counts once, when they are made; unset, the platform "
        "chooses a place near whoever deploys."
    ),
)
PROTECT_DATA: Final = Setting(
    key="protectData",
    kind=Flag(),
    unit="true or false",
    default="false",
    default_in_production="true",
    description="Whether bucket and database refuse to be deleted or replaced by Pulumi.",
)
WORKERS_DEV: Final = Setting(
    key="workersDev",
    kind=Flag(),
    unit="true or false",
    default="true",
    description=(
        "Whether the router answers on its `workers.dev` address. The colo cache needs a custom domain."
    ),
)
CUSTOM_DOMAIN: Final = Setting(
    key="customDomain",
    kind=Text(form="hostname", allowed="lower case"),
    unit="hostname",
    description="A hostname for the router. With `workersDev` off it is required.",
)
BLOCK_TTL_DAYS: Final = Setting(
    key="blockTtlDays",
    kind=Whole(low=1, high=3_650),
    unit="days",
    default="1095",
    default_in_preview="7",
    description=(
        "Lifecycle rule, the backstop behind the janitor: blocks not rewritten for this long go. A block "
        "that goes is fetched again when it is asked for."
    ),
)
ABORT_MULTIPART_DAYS: Final = Setting(
    key="abortMultipartDays",
    kind=Whole(low=1, high=7),
    unit="days",
    default="1",
    description="Lifecycle rule: unfinished multipart uploads are dropped.",
)
ROUTER_CPU_LIMIT_MS: Final = Setting(
    key="routerCpuLimitMs",
    kind=Whole(low=10, high=CPU_MS.value),
    unit="milliseconds",
    default="30000",
    description="CPU time of one request.",
)
CONSUMER_CPU_LIMIT_MS: Final = Setting(
    key="consumerCpuLimitMs",
    kind=Whole(low=10, high=CPU_MS.value),
    unit="milliseconds",
    default="300000",
    description="CPU time of one batch of messages.",
)
JANITOR_CPU_LIMIT_MS: Final = Setting(
    key="janitorCpuLimitMs",
    kind=Whole(low=10, high=CPU_MS.value),
    unit="milliseconds",
    default="30000",
    description="CPU time of one run.",
)
JANITOR_CRON: Final = Setting(
    key="janitorCron",
    kind=Text(form="cron", allowed="five fields"),
    unit="cron, UTC",
    default="*/15 * * * *",
    description="When the janitor runs. A change takes up to 15 minutes to reach the platform.",
)
QUEUE_BATCH_MESSAGES: Final = Setting(
    key="queueBatchMessages",
    kind=Whole(low=1, high=platform_limits.QUEUE_BATCH_MESSAGES.value),
    unit="messages",
    default="5",
    description="Messages handed to one consumer invocation at most.",
)
QUEUE_MAX_WAIT_SECONDS: Final = Setting(
    key="queueMaxWaitSeconds",
    kind=Whole(low=0, high=QUEUE_BATCH_WAIT_S.value),
    unit="seconds",
    default="1",
    description="How long a batch waits to fill.",
)
QUEUE_MAX_RETRIES: Final = Setting(
    key="queueMaxRetries",
    kind=Whole(low=0, high=QUEUE_RETRIES.value),
    unit="retries",
    default="10",
    description=(
        "After these the platform moves the message to the dead-letter queue: the backstop for deliveries "
        "that end without a word. Failures with a cause are tried again three times (`docs/jobs.md`)."
    ),
)
QUEUE_MAX_CONCURRENCY: Final = Setting(
    key="queueMaxConcurrency",
    kind=Whole(low=1, high=250),
    unit="invocations",
    default="10",
    default_in_preview="2",
    description="Consumers of one queue at a time; the upstream feels this number.",
)
QUEUE_RETRY_DELAY_SECONDS: Final = Setting(
    key="queueRetryDelaySeconds",
    kind=Whole(low=0, high=QUEUE_DELAY_S.value),
    unit="seconds",
    default="1",
    description="Delay of a retry for which the consumer names none.",
)
QUEUE_RETENTION_DAYS: Final = Setting(
    key="queueRetentionDays",
    kind=Whole(low=1, high=14),
    unit="days",
    default="4",
    default_in_preview="1",
    description="How long a job's message waits before it is lost; the janitor sends it again.",
)
DEAD_LETTER_RETENTION_DAYS: Final = Setting(
    key="deadLetterRetentionDays",
    kind=Whole(low=1, high=14),
    unit="days",
    default="14",
    default_in_preview="1",
    description="The same for dead letters.",
)
LOG_SAMPLING_RATE: Final = Setting(
    key="logSamplingRate",
    kind=Amount(low=0, high=1),
    unit="part of 1",
    default="1",
    description="Which part of the invocations is kept in Workers Logs.",
)
CANARY_PERCENT: Final = Setting(
    key="canaryPercent",
    kind=Whole(low=1, high=100),
    unit="percent",
    default="100",
    description=(
        "Part of the traffic that a new version gets while a stable version is named. 100 puts it in "
        "charge at once."
    ),
)
STABLE_VERSIONS: Final = Setting(
    key="stableVersions",
    kind=Text(form="versions", allowed="`<function>=<version id>`, separated by commas"),
    unit="versions",
    description=(
        "The versions that get the rest of the traffic. Without one for a function its new version gets "
        "all of it."
    ),
)
PINNED_VERSIONS: Final = Setting(
    key="pinnedVersions",
    kind=Text(form="versions", allowed="`<function>=<version id>`, separated by commas"),
    unit="versions",
    description="Versions that get all traffic whatever was uploaded since: a rollback.",
)

PLATFORM_SETTINGS: Final = (
    ACCOUNT_ID,
    LOCATION_HINT,
    PROTECT_DATA,
    WORKERS_DEV,
    CUSTOM_DOMAIN,
    BLOCK_TTL_DAYS,
    ABORT_MULTIPART_DAYS,
    ROUTER_CPU_LIMIT_MS,
    CONSUMER_CPU_LIMIT_MS,
    JANITOR_CPU_LIMIT_MS,
    JANITOR_CRON,
    QUEUE_BATCH_MESSAGES,
    QUEUE_MAX_WAIT_SECONDS,
    QUEUE_MAX_RETRIES,
    QUEUE_MAX_CONCURRENCY,
    QUEUE_RETRY_DELAY_SECONDS,
    QUEUE_RETENTION_DAYS,
    DEAD_LETTER_RETENTION_DAYS,
    LOG_SAMPLING_RATE,
    CANARY_PERCENT,
    STABLE_VERSIONS,
    PINNED_VERSIONS,
)
