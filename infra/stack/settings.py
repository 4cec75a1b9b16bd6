"""Settings of a stack: read from Pulumi config, checked alone and together, refused together.

What settings there are is declared in `edgeseries/settings/workers.py` (what Workers read) and in
`stack/platform_settings.py` (what only the platform's configuration needs). `parse` reports every fault at
once, each with its remedy. It never sees the value of a secret: the program fetches that as a Pulumi output.
Must not know Pulumi or resources.
"""

import difflib
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from edgeseries.jobs.limits import BATCH_LEASE_MS
from edgeseries.limits import SECOND_MS
from edgeseries.platform_limits import FREQUENT_CRON_CPU_MS
from edgeseries.settings import workers
from edgeseries.settings.declaration import Setting
from stack import platform_settings, readers
from stack.names import preview_number, stack_fault

NAMESPACE: Final = "edgeseries"
"""Of the keys in Pulumi config: the project's name."""

PRODUCTION_STACK: Final = "prod"

FUNCTIONS: Final = workers.ALL
"""The deployed Workers. What each is connected to is in `stack.wiring`."""

ACCESS: Final = readers.words_of(workers.AUTH)
"""Whether callers need a key. Open is for machines that nobody else reaches."""

SETTINGS: Final = (*platform_settings.PLATFORM_SETTINGS, *workers.SETTINGS)
SECRET_KEYS: Final = frozenset(setting.key for setting in SETTINGS if setting.secret)
_BY_KEY: Final = {setting.key: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Checked settings of one stack. A value is asked for by its declaration, in the type that it has;
    `values` holds those that are no secrets, by key, None for what may stay unset.
    """

    stack: str
    values: Mapping[str, object]

    def whole(self, setting: Setting) -> int:
        """A whole number."""
        value = self.values[setting.key]
        assert isinstance(value, int)
        return value

    def number(self, setting: Setting) -> float:
        """A number that may have parts."""
        value = self.values[setting.key]
        assert isinstance(value, int | float)
        return value

    def flag(self, setting: Setting) -> bool:
        """True or false."""
        value = self.values[setting.key]
        assert isinstance(value, bool)
        return value

    def text(self, setting: Setting) -> str:
        """A text that is always set."""
        value = self.values[setting.key]
        assert isinstance(value, str)
        return value

    def optional_text(self, setting: Setting) -> str | None:
        """A text, or None where it is not set."""
        return None if self.values[setting.key] is None else self.text(setting)

    def versions(self, setting: Setting) -> Mapping[str, str]:
        """Versions by function; none where they are not set."""
        value = self.values[setting.key] or {}
        assert isinstance(value, Mapping)
        return value


def default_of(setting: Setting, stack: str) -> str | None:
    """The text that holds in a stack when a setting is not set there."""
    if stack == PRODUCTION_STACK and setting.default_in_production is not None:
        return setting.default_in_production
    if preview_number(stack) is not None and setting.default_in_preview is not None:
        return setting.default_in_preview
    return setting.default


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
    values: dict[str, object] = {}
    for setting in SETTINGS:
        try:
            value = _read(setting, stack=stack, config=config, secret_keys=secret_keys)
        except _Fault as fault:
            faults.append(str(fault))
        else:
            if not setting.secret:
                values[setting.key] = value
    # A relation is judged when all of its members could be read, whatever else is wrong.
    faults.extend(
        fault for fault in (relation(stack, values) for relation in _RELATIONS) if fault is not None
    )
    if faults:
        raise SettingsError(stack=stack, faults=tuple(faults))
    return Settings(stack=stack, values=values)


class _Fault(ValueError):
    """The text of one fault, on its way to the list."""


def _read(
    setting: Setting, *, stack: str, config: Mapping[str, str], secret_keys: AbstractSet[str]
) -> object:
    """The value of one key; raises _Fault."""
    key = setting.key
    text = config.get(key) or default_of(setting, stack)
    if text is None and not setting.required:
        return None
    stored_secret = key in secret_keys
    if text is None:
        flag, value = ("--secret ", "") if setting.secret else ("", f" <{setting.unit}>")
        raise _Fault(f"{key} is missing: pulumi config set {flag}{NAMESPACE}:{key}{value}")
    if setting.secret:
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
        return readers.read(setting.kind, text)
    except readers.Refusal as refusal:
        raise _Fault(f"{key} is {text!r}: {refusal}") from refusal


def _unknown_fault(key: str) -> str:
    near = difflib.get_close_matches(key, _BY_KEY, n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"{key} is not a setting{meant}: pulumi config rm {NAMESPACE}:{key}"


Relation = Callable[[str, Mapping[str, Any]], str | None]
"""What is wrong with values that each fit by themselves, in a stack; None where nothing is."""


def _ordered(low: Setting, high: Setting, remedy: str, *, strictly: bool = False) -> Relation:
    """The value of `low` stays below (or at) that of `high`."""

    def judge(_stack: str, values: Mapping[str, Any]) -> str | None:
        below, above = values.get(low.key), values.get(high.key)
        if below is None or above is None or below < above or (below == above and not strictly):
            return None
        word = "below" if strictly else "at most"
        return (
            f"{low.key} is {below} and {high.key} is {above}: {remedy} ({low.key} must be {word} {high.key})"
        )

    return judge


def _cron_leaves_time(_stack: str, values: Mapping[str, Any]) -> str | None:
    expression = values.get(platform_settings.JANITOR_CRON.key)
    limit_ms = values.get(platform_settings.JANITOR_CPU_LIMIT_MS.key)
    if expression is None or limit_ms is None or limit_ms <= FREQUENT_CRON_CPU_MS.value:
        return None
    if readers.runs_in_an_hour(expression) <= 1:
        return None
    return (
        f"janitorCpuLimitMs is {limit_ms} and janitorCron is {expression!r}: a cron that runs more often "
        f"than hourly gets {FREQUENT_CRON_CPU_MS.value} at most; lower the limit, or run the janitor hourly"
    )


def _reachable(_stack: str, values: Mapping[str, Any]) -> str | None:
    domain, workers_dev = platform_settings.CUSTOM_DOMAIN.key, platform_settings.WORKERS_DEV.key
    if domain not in values or values.get(workers_dev) is not False or values[domain]:
        return None
    return (
        "workersDev is false and customDomain is not set: nobody could reach the router; set one of the two"
    )


def _of_known_functions(setting: Setting) -> Relation:
    """The versions that a setting lists are of functions that exist."""

    def judge(_stack: str, values: Mapping[str, Any]) -> str | None:
        strangers = [name for name in values.get(setting.key) or () if name not in FUNCTIONS]
        if not strangers:
            return None
        return f"{setting.key} names {', '.join(strangers)}: the functions are {', '.join(FUNCTIONS)}"

    return judge


def _some_upstream(_stack: str, values: Mapping[str, Any]) -> str | None:
    url, origins = values.get(workers.UPSTREAM_URL.key), values.get(workers.ORIGINS.key)
    if url is None or origins is None:
        return None
    default = '"prefix":""' in origins.replace(" ", "")
    if not url and not origins:
        return "upstreamUrl is none and origins is not set: nothing could be asked; set one of the two"
    if url and default:
        return (
            'upstreamUrl is set and a record of origins has the prefix "": both would serve the same sites; '
            "set upstreamUrl to none, or give the record a prefix"
        )
    return None


def _previews_go_away(stack: str, values: Mapping[str, Any]) -> str | None:
    if preview_number(stack) is None or not values.get(platform_settings.PROTECT_DATA.key):
        return None
    return (
        "protectData is true in a preview, which must be able to go: pulumi config rm edgeseries:protectData"
    )


def _production_is_closed(stack: str, values: Mapping[str, Any]) -> str | None:
    if stack != PRODUCTION_STACK or values.get(workers.AUTH.key) != "open":
        return None
    return (
        "auth is open in production, where everybody could read everything: pulumi config rm edgeseries:auth"
    )


def _rescues_wait_for_leases(stack: str, values: Mapping[str, Any]) -> str | None:
    rescue_s, lease_s = values.get(workers.RESCUE_AFTER_SECONDS.key), BATCH_LEASE_MS // SECOND_MS
    if stack != PRODUCTION_STACK or rescue_s is None or rescue_s > lease_s:
        return None
    return (
        f"rescueAfterSeconds is {rescue_s}, and a batch is held for {lease_s} s: work that goes on would be "
        f"sent again at every sweep; set it above {lease_s}"
    )


_RELATIONS: Final[tuple[Relation, ...]] = (
    _ordered(
        workers.DIRECT_MAX_SAMPLES,
        workers.QUEUED_MIN_SAMPLES,
        "the cached route lies between them",
        strictly=True,
    ),
    _ordered(workers.ANSWER_TTL_DAYS, platform_settings.BLOCK_TTL_DAYS, "an answer is a view over blocks"),
    _ordered(workers.REQUESTS_PER_MINUTE, workers.BULK_REQUESTS_PER_MINUTE, "the bulk tier is the wider one"),
    _ordered(
        platform_settings.QUEUE_RETENTION_DAYS,
        platform_settings.DEAD_LETTER_RETENTION_DAYS,
        "a dead letter waits for people",
    ),
    _cron_leaves_time,
    _reachable,
    _some_upstream,
    _previews_go_away,
    _production_is_closed,
    _rescues_wait_for_leases,
    _of_known_functions(platform_settings.STABLE_VERSIONS),
    _of_known_functions(platform_settings.PINNED_VERSIONS),
)
