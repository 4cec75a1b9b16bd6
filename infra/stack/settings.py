"""Settings of a stack: which keys exist, their defaults and limits, and how they relate.

Owns the frozen `Settings` and the one table of keys; docs/settings.md is compared with it.
`parse` reports every fault at once, each with its remedy. It never sees the value of a
secret: the program fetches that as a Pulumi output. Must not know Pulumi or resources.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from stack import readers
from stack.names import preview_number, stack_fault

NAMESPACE: Final = "edgeseries"
"""Of the keys in Pulumi config: the project's name."""

PRODUCTION_STACK: Final = "prod"

FUNCTIONS: Final = ("router", "consumer", "janitor")
"""The deployed Workers. What each is connected to is in `stack.wiring`."""

LOCATIONS: Final = ("weur", "eeur", "wnam", "enam", "apac", "oc")
"""Location hints that R2 and D1 both take."""

UPSTREAM_KINDS: Final = ("ace",)

ACCESS: Final = ("open", "keys")
"""Whether callers need a key. Open is for machines that nobody else reaches."""

MAX_CPU_LIMIT_MS: Final = 300_000
"""CPU milliseconds of one invocation (Workers platform limits, Paid)."""
MAX_FREQUENT_CRON_CPU_MS: Final = 30_000
"""CPU milliseconds of a cron run that comes more often than hourly (Workers platform limits)."""

MAX_QUEUED_MIN_SAMPLES: Final = 1_000_000
"""Samples of an inline answer (docs/limits): above it the answer is a job anyway."""

MAX_BATCH_SAMPLES: Final = 300_000
"""Samples that a consumer gathers before it writes them (jobs/limits.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key: how its text is read and what holds when it is absent.

    `default` is None for a key that is required or that may stay unset. A secret has no reader:
    its value is nobody's business here.
    """

    key: str
    unit: str
    reader: Callable[[str], object] | None
    default: str | None = None
    default_in_production: str | None = None
    default_in_preview: str | None = None
    required: bool = False

    @property
    def secret(self) -> bool:
        """Whether the value must be kept as a Pulumi secret."""
        return self.reader is None

    @property
    def field(self) -> str:
        """The attribute of Settings that holds the value."""
        return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", self.key)

    def default_of(self, stack: str) -> str | None:
        """The text that holds in this stack when the key is not set."""
        if stack == PRODUCTION_STACK and self.default_in_production is not None:
            return self.default_in_production
        if preview_number(stack) is not None and self.default_in_preview is not None:
            return self.default_in_preview
        return self.default


def _setting(
    key: str, unit: str, reader: Callable[[str], object], default: str | None = None, **more: Any
) -> Setting:
    return Setting(key=key, unit=unit, reader=reader, default=default, **more)


SETTINGS: Final = (
    _setting("accountId", "32 hex digits", readers.account, required=True),
    _setting("upstreamUrl", "URL", readers.origin_url, required=True),
    _setting("upstreamKind", "word", readers.one_of(*UPSTREAM_KINDS), "ace"),
    Setting(key="upstreamToken", unit="secret", reader=None, required=True),
    _setting("locationHint", "word", readers.one_of(*LOCATIONS)),
    _setting("protectData", "true or false", readers.truth, "false", default_in_production="true"),
    _setting("workersDev", "true or false", readers.truth, "true"),
    _setting("customDomain", "hostname", readers.hostname),
    _setting("auth", "word", readers.one_of(*ACCESS), "keys"),
    Setting(key="adminKeyHash", unit="secret", reader=None, required=True),
    _setting("activeJobsPerKey", "jobs", readers.whole(1, 10_000), "20"),
    _setting("corsOrigins", "origins", readers.origins, "*", default_in_production="none"),
    _setting("settleLagMinutes", "minutes", readers.whole(1, 10_080), "60"),
    _setting("directMaxSamples", "samples", readers.whole(0, MAX_QUEUED_MIN_SAMPLES), "1000"),
    _setting("queuedMinSamples", "samples", readers.whole(1, MAX_QUEUED_MIN_SAMPLES), "100000"),
    _setting("requestDeadlineSeconds", "seconds", readers.whole(1, 300), "30"),
    _setting("circuitPauseSeconds", "seconds", readers.whole(0, 3_600), "5"),
    _setting("liveTtlSeconds", "seconds", readers.whole(0, 300), "10"),
    _setting(
        "requestsPerMinute",
        "requests per minute",
        readers.whole(1, 1_000_000),
        "600",
        default_in_preview="120",
    ),
    _setting(
        "bulkRequestsPerMinute",
        "requests per minute",
        readers.whole(1, 1_000_000),
        "6000",
        default_in_preview="600",
    ),
    _setting("answerTtlDays", "days", readers.whole(1, 3_650), "30", default_in_preview="1"),
    _setting("blockTtlDays", "days", readers.whole(1, 3_650), "1095", default_in_preview="7"),
    _setting("abortMultipartDays", "days", readers.whole(1, 7), "1"),
    _setting("cacheBudgetGb", "GB", readers.amount(0.000_001, 1_000_000), "10", default_in_preview="1"),
    _setting("routerCpuLimitMs", "milliseconds", readers.whole(10, MAX_CPU_LIMIT_MS), "30000"),
    _setting("consumerCpuLimitMs", "milliseconds", readers.whole(10, MAX_CPU_LIMIT_MS), "300000"),
    _setting("janitorCpuLimitMs", "milliseconds", readers.whole(10, MAX_CPU_LIMIT_MS), "30000"),
    _setting("janitorCron", "cron, UTC", readers.cron, "*/15 * * * *"),
    _setting("queueBatchMessages", "messages", readers.whole(1, 100), "5"),
    _setting("queueMaxWaitSeconds", "seconds", readers.whole(0, 60), "1"),
    _setting("queueMaxRetries", "retries", readers.whole(0, 100), "10"),
    _setting("queueMaxConcurrency", "invocations", readers.whole(1, 250), "10", default_in_preview="2"),
    _setting("queueRetryDelaySeconds", "seconds", readers.whole(0, 86_400), "1"),
    _setting("queueRetentionDays", "days", readers.whole(1, 14), "4", default_in_preview="1"),
    _setting("deadLetterRetentionDays", "days", readers.whole(1, 14), "14", default_in_preview="1"),
    _setting("batchPoints", "points", readers.whole(1, 1_000), "50"),
    _setting("batchSamples", "samples", readers.whole(1_000, MAX_BATCH_SAMPLES), "250000"),
    _setting("rescueAfterSeconds", "seconds", readers.whole(1, 86_400), "600"),
    _setting("jobKeepDays", "days", readers.whole(1, 365), "7"),
    _setting("deadLetterKeepDays", "days", readers.whole(1, 365), "30"),
    Setting(key="alertWebhookUrl", unit="secret", reader=None),
    _setting("logSamplingRate", "part of 1", readers.share, "1"),
    _setting("canaryPercent", "percent", readers.whole(1, 100), "100"),
    _setting("stableVersions", "versions", readers.versions),
    _setting("pinnedVersions", "versions", readers.versions),
)

SECRET_KEYS: Final = frozenset(setting.key for setting in SETTINGS if setting.secret)
_BY_KEY: Final = {setting.key: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Checked settings of one stack, one attribute for each key that is not a secret."""

    stack: str
    account_id: str
    upstream_url: str
    upstream_kind: str
    location_hint: str | None
    protect_data: bool
    workers_dev: bool
    custom_domain: str | None
    auth: str
    active_jobs_per_key: int
    cors_origins: str
    settle_lag_minutes: int
    direct_max_samples: int
    queued_min_samples: int
    request_deadline_seconds: int
    circuit_pause_seconds: int
    live_ttl_seconds: int
    requests_per_minute: int
    bulk_requests_per_minute: int
    answer_ttl_days: int
    block_ttl_days: int
    abort_multipart_days: int
    cache_budget_gb: float
    router_cpu_limit_ms: int
    consumer_cpu_limit_ms: int
    janitor_cpu_limit_ms: int
    janitor_cron: str
    queue_batch_messages: int
    queue_max_wait_seconds: int
    queue_max_retries: int
    queue_max_concurrency: int
    queue_retry_delay_seconds: int
    queue_retention_days: int
    dead_letter_retention_days: int
    batch_points: int
    batch_samples: int
    rescue_after_seconds: int
    job_keep_days: int
    dead_letter_keep_days: int
    log_sampling_rate: float
    canary_percent: int
    stable_versions: Mapping[str, str] | None
    pinned_versions: Mapping[str, str] | None


class SettingsError(ValueError):
    """All faults of a stack's settings; `faults` holds them one by one, the text lists them."""

    def __init__(self, *, stack: str, faults: tuple[str, ...]) -> None:
        self.faults = faults
        lines = "".join(f"\n  - {fault}" for fault in faults)
        super().__init__(f"the settings of stack {stack!r} need attention (docs/settings.md):{lines}")


def parse(stack: str, config: Mapping[str, str], *, secret_keys: AbstractSet[str] = SECRET_KEYS) -> Settings:
    """Settings from the texts of the keys (without namespace); raises SettingsError.

    `secret_keys` are the keys that are stored as secrets. Of these only the presence is
    looked at; the caller may pass any text in their place, and an empty one when they are empty.
    """
    faults = [fault for fault in (stack_fault(stack),) if fault is not None]
    faults.extend(_unknown_fault(key) for key in sorted(config) if key not in _BY_KEY)
    values: dict[str, Any] = {"stack": stack}
    for setting in SETTINGS:
        try:
            value = _read(setting, stack=stack, config=config, secret_keys=secret_keys)
        except _Fault as fault:
            faults.append(str(fault))
        else:
            if not setting.secret:
                values[setting.field] = value
    # A relation is judged when all of its members could be read, whatever else is wrong.
    faults.extend(fault for fault in (relation(values) for relation in _RELATIONS) if fault is not None)
    if faults:
        raise SettingsError(stack=stack, faults=tuple(faults))
    return Settings(**values)


class _Fault(ValueError):
    """The text of one fault, on its way to the list."""


def _read(
    setting: Setting, *, stack: str, config: Mapping[str, str], secret_keys: AbstractSet[str]
) -> object:
    """The value of one key; raises _Fault."""
    key = setting.key
    text = config.get(key) or setting.default_of(stack)
    if text is None and not setting.required:
        return None
    stored_secret = key in secret_keys
    if text is None:
        flag, value = ("--secret ", "") if setting.secret else ("", f" <{setting.unit}>")
        raise _Fault(f"{key} is missing: pulumi config set {flag}{NAMESPACE}:{key}{value}")
    if setting.reader is None:
        if not stored_secret:
            raise _Fault(f"{key} is stored in clear: pulumi config set --secret {NAMESPACE}:{key}")
        return None
    if key in config and stored_secret:
        # The program would write it into resources in clear, against what the operator asked for.
        raise _Fault(
            f"{key} is stored as a secret, which this key is not: "
            f"set it again without --secret: pulumi config set {NAMESPACE}:{key} <{setting.unit}>"
        )
    try:
        return setting.reader(text)
    except readers.Refusal as refusal:
        raise _Fault(f"{key} is {text!r}: {refusal}") from refusal


def _unknown_fault(key: str) -> str:
    near = difflib.get_close_matches(key, _BY_KEY, n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"{key} is not a setting{meant}: pulumi config rm {NAMESPACE}:{key}"


def _ordered(
    low: str, high: str, remedy: str, *, strictly: bool = False
) -> Callable[[Mapping[str, Any]], str | None]:
    """A relation: the value of `low` stays below (or at) that of `high`."""

    def judge(values: Mapping[str, Any]) -> str | None:
        below, above = values.get(_BY_KEY[low].field), values.get(_BY_KEY[high].field)
        if below is None or above is None or below < above or (below == above and not strictly):
            return None
        word = "below" if strictly else "at most"
        return f"{low} is {below} and {high} is {above}: {remedy} ({low} must be {word} {high})"

    return judge


def _cron_leaves_time(values: Mapping[str, Any]) -> str | None:
    expression, limit_ms = values.get("janitor_cron"), values.get("janitor_cpu_limit_ms")
    if expression is None or limit_ms is None or limit_ms <= MAX_FREQUENT_CRON_CPU_MS:
        return None
    if readers.runs_in_an_hour(expression) <= 1:
        return None
    return (
        f"janitorCpuLimitMs is {limit_ms} and janitorCron is {expression!r}: a cron that runs more often "
        f"than hourly gets {MAX_FREQUENT_CRON_CPU_MS} at most; lower the limit, or run the janitor hourly"
    )


def _reachable(values: Mapping[str, Any]) -> str | None:
    if "custom_domain" not in values or values.get("workers_dev") is not False or values["custom_domain"]:
        return None
    return (
        "workersDev is false and customDomain is not set: nobody could reach the router; set one of the two"
    )


def _of_known_functions(key: str) -> Callable[[Mapping[str, Any]], str | None]:
    """A relation: the versions that a key lists are of functions that exist."""

    def judge(values: Mapping[str, Any]) -> str | None:
        strangers = [name for name in values.get(_BY_KEY[key].field) or () if name not in FUNCTIONS]
        if not strangers:
            return None
        return f"{key} names {', '.join(strangers)}: the functions are {', '.join(FUNCTIONS)}"

    return judge


def _previews_go_away(values: Mapping[str, Any]) -> str | None:
    if preview_number(values["stack"]) is None or not values.get("protect_data"):
        return None
    return (
        "protectData is true in a preview, which must be able to go: pulumi config rm edgeseries:protectData"
    )


def _production_is_closed(values: Mapping[str, Any]) -> str | None:
    if values["stack"] != PRODUCTION_STACK or values.get("auth") != "open":
        return None
    return (
        "auth is open in production, where everybody could read everything: pulumi config rm edgeseries:auth"
    )


_RELATIONS: Final = (
    _ordered("directMaxSamples", "queuedMinSamples", "the cached route lies between them", strictly=True),
    _ordered("answerTtlDays", "blockTtlDays", "an answer is a view over blocks"),
    _ordered("requestsPerMinute", "bulkRequestsPerMinute", "the bulk tier is the wider one"),
    _ordered("queueRetentionDays", "deadLetterRetentionDays", "a dead letter waits for people"),
    _cron_leaves_time,
    _reachable,
    _previews_go_away,
    _production_is_closed,
    _of_known_functions("stableVersions"),
    _of_known_functions("pinnedVersions"),
)
