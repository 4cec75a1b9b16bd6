"""The settings that Workers read: each with its bounds, default, unit, binding and the Workers that take it.

The infra program gives each Worker the bindings of its settings from this table; the entries read them from
it (`platform/bindings.py`). Settings of the platform's configuration are in
`infra/stack/platform_settings.py`. `docs/settings.md` is compared with both.
"""

from typing import Final

from edgeseries import limits
from edgeseries.access.grants import Auth
from edgeseries.jobs import limits as jobs
from edgeseries.limits import (
    DAY_MS,
    FORCED_DIRECT_MAX_SAMPLES,
    MINUTE_MS,
    SECOND_MS,
)
from edgeseries.settings.declaration import Amount, Secret, Setting, Text, Whole, Word
from edgeseries.storage import limits as storage
from edgeseries.warming import limits as warming

ROUTER: Final = ("router",)
CONSUMER: Final = ("consumer",)
JANITOR: Final = ("janitor",)
ALL: Final = ("router", "consumer", "janitor")

GB_BYTES: Final = 1_000_000_000

UPSTREAM_URL: Final = Setting(
    key="upstreamUrl",
    kind=Text(form="upstream_url", allowed="https; http for this machine only; `none`"),
    unit="URL",
    required=True,
    binding="UPSTREAM_URL",
    workers=ALL,
    description=(
        "Base URL of the vendor API (ACE FlightDeck), without user, query or fragment. `none` where "
        "`origins` names every upstream."
    ),
)
UPSTREAM_TOKEN: Final = Setting(
    key="upstreamToken",
    kind=Secret(),
    unit="secret",
    required=True,
    binding="UPSTREAM_TOKEN",
    workers=ALL,
    description=(
        "Bearer token of the vendor API. It is never written in clear: not into the state, the outputs, "
        "or the goldens."
    ),
)
ORIGINS: Final = Setting(
    key="origins",
    kind=Text(form="origin_map", allowed="`none`, or a JSON list, see [origins](origins.md)"),
    unit="JSON",
    default="none",
    binding="ORIGINS",
    workers=ALL,
    description=(
        "Further upstreams, each with the prefix of the names of its sites, its vendor, its URL and limits. "
        "Sites without one of these prefixes are those of `upstreamUrl`."
    ),
)
ORIGIN_CREDENTIALS: Final = Setting(
    key="originCredentials",
    kind=Secret(),
    unit="secret",
    binding="ORIGIN_CREDENTIALS",
    workers=ALL,
    description=(
        'Credentials of the upstreams in `origins`, by their names, as JSON: `{"meters": "<token>"}`. What '
        "a vendor takes is on its [page](origins.md)."
    ),
)
AUTH: Final = Setting(
    key="auth",
    kind=Word(words=tuple(str(auth) for auth in Auth)),
    unit="word",
    default=str(Auth.KEYS),
    binding="AUTH",
    workers=ROUTER,
    description=(
        "Whether callers need an API key, see [security](security.md). `make dev` is open unless it is "
        "started with `AUTH=keys`."
    ),
)
ADMIN_KEY_HASH: Final = Setting(
    key="adminKeyHash",
    kind=Secret(),
    unit="secret",
    required=True,
    binding="ADMIN_KEY_HASH",
    workers=ROUTER,
    description="SHA-256 of the key that makes the others; `make admin-key` makes one and its hash.",
)
ACTIVE_JOBS_PER_KEY: Final = Setting(
    key="activeJobsPerKey",
    kind=Whole(low=1, high=10_000),
    unit="jobs",
    default="20",
    binding="ACTIVE_JOBS_PER_KEY",
    workers=ROUTER,
    description="Jobs that a key may have under way. While access is open there is no such bound.",
)
CORS_ORIGINS: Final = Setting(
    key="corsOrigins",
    kind=Text(form="origins", allowed="`*`, `none`, or origins with commas between them"),
    unit="origins",
    default="*",
    default_in_production="none",
    binding="CORS_ORIGINS",
    workers=ROUTER,
    description="Web pages that may read answers in a browser.",
)
SETTLE_LAG_MINUTES: Final = Setting(
    key="settleLagMinutes",
    kind=Whole(low=1, high=10_080),
    unit="minutes",
    default="60",
    binding="SETTLE_LAG_MS",
    scale=MINUTE_MS,
    workers=ALL,
    description=(
        "How long after its end a UTC day is taken as final and may be stored. Raise it when the vendor "
        "delivers late: `/api/stats` and `/api/coverage` say what was seen of each site."
    ),
)
DIRECT_MAX_SAMPLES: Final = Setting(
    key="directMaxSamples",
    kind=Whole(low=0, high=FORCED_DIRECT_MAX_SAMPLES),
    unit="samples",
    default=str(limits.DIRECT_MAX_SAMPLES),
    binding="DIRECT_MAX_SAMPLES",
    workers=ROUTER,
    description=(
        "Fewer missing samples than this go straight through, [the first time](adr/0024-small-questions.md)."
    ),
)
QUEUED_MIN_SAMPLES: Final = Setting(
    key="queuedMinSamples",
    kind=Whole(low=1, high=FORCED_DIRECT_MAX_SAMPLES),
    unit="samples",
    default=str(limits.QUEUED_MIN_SAMPLES),
    binding="QUEUED_MIN_SAMPLES",
    workers=ROUTER,
    description="More missing samples than this become a job.",
)
REQUEST_DEADLINE_SECONDS: Final = Setting(
    key="requestDeadlineSeconds",
    kind=Whole(low=1, high=300),
    unit="seconds",
    default=str(limits.REQUEST_DEADLINE_MS // SECOND_MS),
    binding="REQUEST_DEADLINE_MS",
    scale=SECOND_MS,
    workers=ROUTER,
    description="Time from a request's arrival to the last upstream byte; after it the answer is 504.",
)
CIRCUIT_PAUSE_SECONDS: Final = Setting(
    key="circuitPauseSeconds",
    kind=Whole(low=0, high=3_600),
    unit="seconds",
    default=str(limits.CIRCUIT_PAUSE_MS // SECOND_MS),
    binding="CIRCUIT_PAUSE_MS",
    scale=SECOND_MS,
    workers=ALL,
    description=(
        "How long an isolate leaves an upstream alone at first that failed ten times in a row, see "
        "[security](security.md). It doubles up to twelve times this. With 0 the upstream is always "
        "called."
    ),
)
LIVE_TTL_SECONDS: Final = Setting(
    key="liveTtlSeconds",
    kind=Whole(low=0, high=300),
    unit="seconds",
    default=str(limits.LIVE_TTL_MS // SECOND_MS),
    binding="LIVE_TTL_MS",
    scale=SECOND_MS,
    workers=ROUTER,
    description=(
        "How long an isolate answers the live part of a repeated request without asking upstream. With 0 "
        "upstream is asked at every request, still only for what came since."
    ),
)
REQUESTS_PER_MINUTE: Final = Setting(
    key="requestsPerMinute",
    kind=Whole(low=1, high=1_000_000),
    unit="requests per minute",
    default="600",
    default_in_preview="120",
    binding="REQUESTS_PER_MINUTE",
    workers=ROUTER,
    description="Rate of a key of the standard tier, counted per Cloudflare location.",
)
BULK_REQUESTS_PER_MINUTE: Final = Setting(
    key="bulkRequestsPerMinute",
    kind=Whole(low=1, high=1_000_000),
    unit="requests per minute",
    default="6000",
    default_in_preview="600",
    binding="BULK_REQUESTS_PER_MINUTE",
    workers=ROUTER,
    description="Rate of a key of the bulk tier.",
)
ANSWER_TTL_DAYS: Final = Setting(
    key="answerTtlDays",
    kind=Whole(low=1, high=3_650),
    unit="days",
    default=str(storage.ANSWER_TTL_MS // DAY_MS),
    default_in_preview="1",
    binding="ANSWER_TTL_MS",
    scale=DAY_MS,
    workers=ROUTER,
    description=(
        "How long a cached answer is given; the janitor removes it then. Also the lifecycle rule of the "
        "bucket, the backstop behind the janitor."
    ),
)
CACHE_BUDGET_GB: Final = Setting(
    key="cacheBudgetGb",
    kind=Amount(low=0.000_001, high=1_000_000),
    unit="GB",
    default="10",
    default_in_preview="1",
    binding="CACHE_BUDGET_BYTES",
    scale=GB_BYTES,
    workers=JANITOR,
    description="Bytes of blocks and answers that the janitor lets stay (1 GB is 10^9 bytes).",
)
BATCH_POINTS: Final = Setting(
    key="batchPoints",
    kind=Whole(low=1, high=1_000),
    unit="points",
    default=str(jobs.BATCH_MAX_POINTS),
    binding="BATCH_POINTS",
    workers=CONSUMER,
    description="Points of one batch of a job at most.",
)
BATCH_SAMPLES: Final = Setting(
    key="batchSamples",
    kind=Whole(low=1_000, high=jobs.BUFFER_MAX_SAMPLES - jobs.PIECE_SAMPLES),
    unit="samples",
    default=str(jobs.BATCH_MAX_SAMPLES),
    binding="BATCH_SAMPLES",
    workers=CONSUMER,
    description="Expected samples of one batch of a job at most.",
)
RESCUE_AFTER_SECONDS: Final = Setting(
    key="rescueAfterSeconds",
    kind=Whole(low=1, high=86_400),
    unit="seconds",
    default=str(jobs.RESCUE_AFTER_MS // SECOND_MS),
    binding="RESCUE_AFTER_MS",
    scale=SECOND_MS,
    workers=JANITOR,
    description=(
        "Work of a job that nobody has touched for this long has lost its message; the janitor sends it "
        "again."
    ),
)
JOB_KEEP_DAYS: Final = Setting(
    key="jobKeepDays",
    kind=Whole(low=1, high=365),
    unit="days",
    default="7",
    binding="JOB_KEEP_MS",
    scale=DAY_MS,
    workers=JANITOR,
    description=(
        "How long a job that ended is kept with its batches. After that its result is gone and only its "
        "row in the history stays."
    ),
)
DEAD_LETTER_KEEP_DAYS: Final = Setting(
    key="deadLetterKeepDays",
    kind=Whole(low=1, high=365),
    unit="days",
    default="30",
    binding="DEAD_LETTER_KEEP_MS",
    scale=DAY_MS,
    workers=JANITOR,
    description="How long a dead letter can be replayed.",
)
RECHECK_CALLS: Final = Setting(
    key="recheckCalls",
    kind=Whole(low=0, high=limits.RECHECK_MAX_CALLS),
    unit="readings",
    default="2",
    default_in_preview="0",
    binding="RECHECK_CALLS",
    workers=JANITOR,
    description=(
        "How often a sweep reads a stored day of up to 20 points again, to find what the vendor has "
        "corrected ([how long that takes](janitor.md#what-the-vendor-corrects)). With 0 no stored day is "
        "read again."
    ),
)
ALERT_WEBHOOK_URL: Final = Setting(
    key="alertWebhookUrl",
    kind=Secret(),
    unit="secret",
    binding="ALERT_WEBHOOK_URL",
    workers=JANITOR,
    description=(
        'Where alerts go, as JSON that Slack\'s incoming webhooks take (`{"text": "..."}`). Unset, alerts '
        "are log lines only."
    ),
)
WARM_SAMPLES_PER_DAY: Final = Setting(
    key="warmSamplesPerDay",
    kind=Whole(low=0, high=100_000_000),
    unit="samples a day",
    default=str(warming.SAMPLES_PER_DAY),
    default_in_preview="0",
    binding="WARM_SAMPLES_PER_DAY",
    workers=("router", "janitor"),
    description=(
        "Samples that [warming](warming.md) fetches ahead in a UTC day at most, as they are expected. 0: "
        "warming is off, and nothing is counted for it."
    ),
)
WARM_CALLS_PER_DAY: Final = Setting(
    key="warmCallsPerDay",
    kind=Whole(low=0, high=1_000_000),
    unit="calls a day",
    default=str(warming.CALLS_PER_DAY),
    default_in_preview="0",
    binding="WARM_CALLS_PER_DAY",
    workers=("router", "janitor"),
    description="Calls to upstreams that warming makes in a UTC day at most, as they are expected. 0: off.",
)
KERNEL: Final = Setting(
    key="kernel",
    kind=Word(words=("on", "off")),
    unit="word",
    default="on",
    binding="KERNEL",
    workers=ALL,
    description=(
        "Whether blocks are read and answers written by the [kernel](kernel.md), and the vendor's pages read "
        "by JavaScript. `off`: by the Python code alone, with the same bytes, several times slower; for a "
        "fault in one of them."
    ),
)

SETTINGS: Final = (
    UPSTREAM_URL,
    UPSTREAM_TOKEN,
    ORIGINS,
    ORIGIN_CREDENTIALS,
    AUTH,
    ADMIN_KEY_HASH,
    ACTIVE_JOBS_PER_KEY,
    CORS_ORIGINS,
    SETTLE_LAG_MINUTES,
    DIRECT_MAX_SAMPLES,
    QUEUED_MIN_SAMPLES,
    REQUEST_DEADLINE_SECONDS,
    CIRCUIT_PAUSE_SECONDS,
    LIVE_TTL_SECONDS,
    REQUESTS_PER_MINUTE,
    BULK_REQUESTS_PER_MINUTE,
    ANSWER_TTL_DAYS,
    CACHE_BUDGET_GB,
    BATCH_POINTS,
    BATCH_SAMPLES,
    RESCUE_AFTER_SECONDS,
    JOB_KEEP_DAYS,
    DEAD_LETTER_KEEP_DAYS,
    RECHECK_CALLS,
    ALERT_WEBHOOK_URL,
    WARM_SAMPLES_PER_DAY,
    WARM_CALLS_PER_DAY,
    KERNEL,
)
"""All of them, in the order in which faults are reported."""
