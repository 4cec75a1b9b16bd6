"""What can be set about the simulator while it runs, and the check of every change.

Owns the names, defaults and bounds of the settings. A change is applied whole or not at all. Must not know
how a setting takes effect.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final

from local.upstream.instants import stamp_us, text_of
from local.upstream.paths import Endpoint
from local.upstream.queries import BatchShape

LONGEST_WAIT_MS: Final = 600_000  # ten minutes: past every client's deadline, and a typing error still ends
MOST_CALLS: Final = 10_000  # more at once no test makes
LONGEST_RETRY_AFTER_S: Final = 86_400  # a day: no vendor asks for more


class Mood(StrEnum):
    """Moods by the names that `/_control` and statistics use; what each does is `moods.py`."""

    GATEWAY_PAGE = "gateway_page"
    GATEWAY_JSON = "gateway_json"
    NO_ROUTE = "no_route"
    NO_DATA = "no_data"
    NO_ROWS = "no_rows"
    MORE = "more"
    UNASKED_ROWS = "unasked_rows"
    OUTSIDE_ROWS = "outside_rows"
    OTHER_FORM = "other_form"
    BRACKETS = "brackets"
    LONG_INTEGERS = "long_integers"


class BadChange(ValueError):
    """A change that was refused; `faults` lists all that is wrong with it."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """Samples (UTC epoch microseconds, text) of one point that upstream learns of only now."""

    site: str
    point: str
    samples: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """The settings. Rates are the share, 0 to 1, of requests that the fault befalls."""

    latency_ms: int = 0
    max_calls: int | None = None  # None: any number at once; more are answered by 429 at once
    rate_429: float = 0.0
    retry_after_s: int | None = 1  # None: a 429 without the header
    rate_500: float = 0.0
    rate_reset: float = 0.0
    rate_stall: float = 0.0
    stall_ms: int = 1_000
    rate_truncated: float = 0.0
    rate_empty_page: float = 0.0
    repeat_cursor: bool = False
    mood: Mood | None = None
    rate_mood: float = 1.0
    shared_names: bool = False
    redirect_to: str | None = None
    end_inclusive: bool = False
    batch_shape: BatchShape = BatchShape.OBJECTS
    seed: int = 0
    only: tuple[Endpoint, ...] | None = None  # None: faults befall every endpoint
    known_until_us: int | None = None  # None: the clock, where a site is replayed
    late: tuple[Late, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """The settings as `/_control` shows them and takes them back."""
        wire = {known.name: getattr(self, known.name) for known in fields(self)}
        known_until_us = wire.pop("known_until_us")
        wire["known_until"] = None if known_until_us is None else text_of(known_until_us)
        wire["only"] = None if self.only is None else list(self.only)
        wire["late"] = [
            {
                "site": late.site,
                "point": late.point,
                "samples": [[text_of(instant_us), text] for instant_us, text in late.samples],
            }
            for late in self.late
        ]
        return wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A checked change: what to forget first, the settings afterwards, and what arrives late with it."""

    reset: bool = False
    reset_stats: bool = False
    reseeded: bool = False
    knobs: Knobs = field(default_factory=Knobs)
    late: tuple[Late, ...] = ()


def checked_change(current: Knobs, wire: object, knows: Callable[[str, str], bool]) -> Change:
    """Read a change. BadChange lists everything that is wrong; `knows(site, point)` tells what exists."""
    if not isinstance(wire, Mapping):
        raise BadChange(["a JSON object is expected"])
    faults: list[str] = []
    values: dict[str, Any] = {}
    for key, value in wire.items():
        check = _CHECKS.get(key)
        if check is None:
            faults.append(f"{key}: unknown; known are {', '.join(sorted(_CHECKS))}")
            continue
        try:
            values[key] = check(value)
        except ValueError as fault:
            faults.append(f"{key}: {fault}")
    late: tuple[Late, ...] = values.pop("late", ())
    faults += [
        f"late: {one.site} has no point {one.point!r}" for one in late if not knows(one.site, one.point)
    ]
    if faults:
        raise BadChange(faults)
    if "known_until" in values:
        values["known_until_us"] = values.pop("known_until")
    reset, reset_stats = values.pop("reset", False), values.pop("reset_stats", False)
    before = Knobs() if reset else current
    return Change(
        reset=reset,
        reset_stats=reset_stats,
        reseeded=reset or "seed" in values,
        knobs=replace(before, **values, late=(*before.late, *late)),
        late=late,
    )


def _rate(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("a number from 0 to 1 is expected")
    return float(value)


def _whole_up_to(most: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise ValueError(f"a whole number from 0 to {most} is expected")
        return value

    return check


def _retry_after(value: object) -> int | None:
    return None if value is None else _whole_up_to(LONGEST_RETRY_AFTER_S)(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is expected")  # noqa: TRY004 - callers collect ValueError
    return value


def _seed(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number is expected")  # noqa: TRY004 - callers collect ValueError
    return value


def _shape(value: object) -> BatchShape:
    for shape in BatchShape:
        if value == shape:
            return shape
    raise ValueError(f"one of {', '.join(BatchShape)} is expected")


def _mood(value: object) -> Mood | None:
    if value is not None and value not in list(Mood):
        raise ValueError(f"null or one of {', '.join(Mood)} is expected")
    return None if value is None else Mood(str(value))


def _url(value: object) -> str | None:
    if value is not None and (not isinstance(value, str) or not value.startswith("http://127.0.0.1:")):
        raise ValueError("null or a URL on this machine (http://127.0.0.1:...) is expected")
    return value


def _only(value: object) -> tuple[Endpoint, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or any(one not in list(Endpoint) for one in value):
        raise ValueError(f"null or a list of {', '.join(Endpoint)} is expected")
    return tuple(map(Endpoint, value))


def _max_calls(value: object) -> int | None:
    return None if value is None else _whole_up_to(MOST_CALLS)(value)


def _known_until(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("null or an ISO-8601 text with a zone is expected")  # noqa: TRY004 - callers collect ValueError
    return stamp_us(value)


def _late(value: object) -> tuple[Late, ...]:
    shape = 'a list of {"site", "point", "samples": [[ISO-8601 text, value text], ...]} is expected'
    if not isinstance(value, list):
        raise ValueError(shape)  # noqa: TRY004 - callers collect ValueError
    found: list[Late] = []
    for one in value:
        match one:
            case {"site": str(site), "point": str(point), "samples": list(samples), **rest} if not rest:
                found.append(Late(site=site, point=point, samples=tuple(map(_late_sample, samples))))
            case _:
                raise ValueError(shape)
    return tuple(found)


def _late_sample(sample: object) -> tuple[int, str]:
    match sample:
        case [str(stamp), str(text)]:
            return stamp_us(stamp), text
        case _:
            raise ValueError(f"{sample!r} is not [ISO-8601 text, value text]")


_CHECKS: Final[Mapping[str, Callable[[object], Any]]] = {
    "latency_ms": _whole_up_to(LONGEST_WAIT_MS),
    "max_calls": _max_calls,
    "rate_429": _rate,
    "retry_after_s": _retry_after,
    "rate_500": _rate,
    "rate_reset": _rate,
    "rate_stall": _rate,
    "stall_ms": _whole_up_to(LONGEST_WAIT_MS),
    "rate_truncated": _rate,
    "rate_empty_page": _rate,
    "repeat_cursor": _flag,
    "mood": _mood,
    "rate_mood": _rate,
    "shared_names": _flag,
    "redirect_to": _url,
    "end_inclusive": _flag,
    "batch_shape": _shape,
    "seed": _seed,
    "only": _only,
    "known_until": _known_until,
    "late": _late,
    "reset": _flag,
    "reset_stats": _flag,
}
