"""The setting `origins`: several upstreams, each with its prefix of names of sites, as JSON text.

The infra program refuses what is wrong with it, every fault with its remedy; Workers read it with the same
function. Secrets are not in it: `originCredentials` holds them by the name of the upstream.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from edgeseries.limits import MINUTE_MS, SECOND_MS, UPSTREAM_ISOLATE_CALLS
from edgeseries.origins.ace.options import OPTIONS as ACE
from edgeseries.origins.files.options import OPTIONS as FILES
from edgeseries.origins.haystack.options import OPTIONS as HAYSTACK
from edgeseries.origins.influx.options import OPTIONS as INFLUX
from edgeseries.origins.option import Option
from edgeseries.origins.prometheus.options import OPTIONS as PROMETHEUS
from edgeseries.origins.record import DEFAULT_NAME, OriginRecord
from edgeseries.series.json_text import RepeatedField, parsed

VENDOR_OPTIONS: Final[Mapping[str, Sequence[Option]]] = {
    "ace": ACE,
    "prometheus": PROMETHEUS,
    "influx": INFLUX,
    "haystack": HAYSTACK,
    "files": FILES,
}
"""The vendors that a record may name, and what they let it set."""

MAX_TEXT_BYTES: Final = 5_000
"""What the platform takes as a Worker's variable (5 kB)."""

MAX_ORIGINS: Final = 20
"""Upstreams of one stack. Each takes calls of its own from an isolate's connections."""

MAX_NAME_CHARS: Final = 32
MAX_PREFIX_CHARS: Final = 64
PREFIX_ENDS: Final = "/:"
"""What a prefix ends with, so that none begins another's site by accident (`h` and `hq`)."""

ZONE: Final = re.compile(r"UTC|[+-](?:0[0-9]|1[0-4]):[0-5][0-9]", re.ASCII)
"""Fixed offsets alone: where clocks are put back, an hour of times without a zone is there twice."""

NAME: Final = re.compile(rf"[a-z][a-z0-9-]{{0,{MAX_NAME_CHARS - 1}}}", re.ASCII)

UrlCheck = Callable[[str], str]
"""Gives the base URL without a final slash. Raises ValueError with what to do."""

_KEYS: Final = frozenset(
    {
        "name",
        "prefix",
        "vendor",
        "url",
        "zone",
        "settleLagMinutes",
        "circuitPauseSeconds",
        "maxCalls",
        "callsPerMinute",
        "options",
    }
)

_NUMBERS: Final[Mapping[str, tuple[int, int]]] = {
    "settleLagMinutes": (1, 10_080),
    "circuitPauseSeconds": (0, 3_600),
    "maxCalls": (1, UPSTREAM_ISOLATE_CALLS),
    "callsPerMinute": (1, 100_000),
}
"""Bounds of a record's numbers, both included."""


class OriginsFault(ValueError):
    """What is wrong with the setting; `faults` one by one, each with what to do."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(faults))


def origin_records(
    text: str, *, settle_lag_ms: int, circuit_pause_ms: int, check_url: UrlCheck = str
) -> tuple[OriginRecord, ...]:
    """The records of the setting's text; none of an empty one. The stack's settle lag and circuit pause hold
    where a record does not say its own. Raises OriginsFault.
    """
    if not text:
        return ()
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise OriginsFault([f"is longer than the {MAX_TEXT_BYTES} bytes that the platform takes; shorten it"])
    try:
        items = parsed(text.encode())
    except RepeatedField:
        raise OriginsFault(["names a field twice in one record; take one of them out"]) from None
    except ValueError:
        raise OriginsFault(["is no JSON; set a list such as " + EXAMPLE]) from None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise OriginsFault(["is no list of objects; set a list such as " + EXAMPLE])
    if len(items) > MAX_ORIGINS:
        raise OriginsFault(
            [f"lists {len(items)} upstreams, at most {MAX_ORIGINS} are served; split the stack"]
        )
    faults: list[str] = []
    records = []
    for place, item in enumerate(items):
        reader = _RecordReader(item, f"record {place + 1}", faults, check_url)
        records.append(reader.record(settle_lag_ms=settle_lag_ms, circuit_pause_ms=circuit_pause_ms))
    faults += _shared(records)
    if faults:
        raise OriginsFault(faults)
    return tuple(records)


def credentials_of(text: str) -> Mapping[str, str]:
    """Credentials by the name of the upstream. Raises OriginsFault, without the secret's text."""
    if not text:
        return {}
    try:
        found = parsed(text.encode())
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise OriginsFault(['originCredentials is no JSON object of texts, such as {"meters": "<token>"}'])
    return found


EXAMPLE: Final = '[{"name": "meters", "prefix": "meters/", "vendor": "prometheus", "url": "https://..."}]'


class _RecordReader:
    """Reads one record; what is wrong with it goes into `faults`, and something fitting takes its place."""

    def __init__(self, item: Mapping[str, Any], label: str, faults: list[str], check_url: UrlCheck) -> None:
        self._item, self._faults, self._check_url = item, faults, check_url
        name = item.get("name")
        self._label = f"{label} ({name})" if isinstance(name, str) else label

    def record(self, *, settle_lag_ms: int, circuit_pause_ms: int) -> OriginRecord:
        """The record."""
        for key in sorted(self._item.keys() - _KEYS):
            self._fault(f"has {key}, which is none of {', '.join(sorted(_KEYS))}; take it out")
        vendor = self._text("vendor")
        if vendor not in VENDOR_OPTIONS:
            self._fault(f"has vendor {vendor!r}; set one of {', '.join(VENDOR_OPTIONS)}")
        lag, pause = self._number("settleLagMinutes"), self._number("circuitPauseSeconds")
        return OriginRecord(
            name=self._name(),
            prefix=self._prefix(),
            vendor=vendor,
            url=self._url(),
            zone=self._zone(),
            settle_lag_ms=settle_lag_ms if lag is None else lag * MINUTE_MS,
            circuit_pause_ms=circuit_pause_ms if pause is None else pause * SECOND_MS,
            max_calls=self._number("maxCalls") or UPSTREAM_ISOLATE_CALLS,
            calls_per_minute=self._number("callsPerMinute"),
            options=self._options(VENDOR_OPTIONS.get(vendor, ())),
        )

    def _fault(self, text: str) -> None:
        self._faults.append(f"{self._label} {text}")

    def _text(self, key: str, default: str | None = None) -> str:
        value = self._item.get(key, default)
        if isinstance(value, str):
            return value
        self._fault(f"lacks {key}; set a text" if value is None else f"has {key} that is no text; set a text")
        return ""

    def _name(self) -> str:
        name = self._text("name")
        if not NAME.fullmatch(name) or name == DEFAULT_NAME:
            self._fault(
                f"has name {name!r}; set lower-case letters, digits and dashes, at most {MAX_NAME_CHARS}, "
                f"other than {DEFAULT_NAME}"
            )
        return name

    def _prefix(self) -> str:
        prefix = self._text("prefix")
        fits = len(prefix) <= MAX_PREFIX_CHARS and prefix.isprintable()
        if not fits or (prefix and prefix[-1] not in PREFIX_ENDS):
            self._fault(
                f"has prefix {prefix!r}; set at most {MAX_PREFIX_CHARS} characters that end with / or :, "
                'such as "meters/", or "" for all other sites'
            )
        return prefix

    def _url(self) -> str:
        url = self._text("url")
        if url.startswith("r2:") and self._item.get("vendor") != "files":
            self._fault("has a url in the bucket, which only the vendor files reads; set an https:// URL")
        try:
            return self._check_url(url) if url else url
        except ValueError as refusal:
            self._fault(f"has a url that does not fit: {refusal}")
            return ""

    def _zone(self) -> str:
        zone = self._text("zone", "UTC")
        if not ZONE.fullmatch(zone):
            self._fault(f"has zone {zone!r}; set UTC or a fixed offset such as +01:00")
        return zone

    def _number(self, key: str) -> int | None:
        value = self._item.get(key)
        if value is None:
            return None
        low, high = _NUMBERS[key]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self._fault(f"has {key} {value!r}; set a whole number from {low} to {high}")
            return None
        return value

    def _options(self, known: Sequence[Option]) -> Mapping[str, str]:
        given = self._item.get("options", {})
        if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
            self._fault('has options that are no object of texts; set for instance {"siteLabel": "building"}')
            given = {}
        keys = [option.key for option in known]
        for key in sorted(given.keys() - set(keys)):
            self._fault(f"has option {key}; its vendor takes {', '.join(keys) or 'none'}")
        found: dict[str, str] = {}
        for option in known:
            value = given.get(option.key, option.default)
            if value is None:
                self._fault(f"lacks option {option.key}: {option.description}")
                continue
            fault = option.fault(value)
            if fault is not None:
                self._fault(f"has option {option.key} {value!r}, which {fault}")
            found[option.key] = value
        return found


def _shared(records: Sequence[OriginRecord]) -> list[str]:
    """Faults of records together: names and prefixes are there once."""
    faults = []
    for what, values in (
        ("name", [one.name for one in records]),
        ("prefix", [one.prefix for one in records]),
    ):
        faults += [
            f"has the {what} {value!r} {values.count(value)} times; give each upstream its own"
            for value in dict.fromkeys(values)
            if values.count(value) > 1
        ]
    return faults
