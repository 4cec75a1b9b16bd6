"""The parameters of a question, as callers send them: read, checked, and put together.

It owns their names. Every fault is found before any is reported. It knows no HTTP.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from edgeseries.errors import Fault
from edgeseries.http.parameters import Parameter, Schema, Whole, choice_of
from edgeseries.limits import (
    CHART_MAX_SAMPLES,
    CHART_MIN_SAMPLES,
    DAY_MS,
    MAX_BUCKETS,
    MAX_GAP_DAYS,
    MAX_ZONE_CHARS,
)
from edgeseries.questions.question import (
    DEFAULT_MAX_GAP_MS,
    Aggregate,
    Buckets,
    Fill,
    Method,
    Question,
    Thinning,
)
from edgeseries.questions.width import CLOCK_UNITS, EXPECTED, Width, width_of
from edgeseries.series.timerange import TimeRange
from edgeseries.series.zones import UTC_ZONE, zone_fault

_LENGTH: Final = re.compile(r"([1-9][0-9]{0,6})([smhd])", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class WidthKind:
    """How wide a bucket is."""

    @property
    def schema(self) -> Schema:
        """See the protocol."""
        return {"type": "string", "pattern": "^[1-9][0-9]?[smhdwMy]$", "description": EXPECTED}

    def read(self, text: str) -> Width:
        """See the protocol."""
        return width_of(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneKind:
    """The name of a time zone in the IANA database."""

    @property
    def schema(self) -> Schema:
        """See the protocol."""
        return {"type": "string", "maxLength": MAX_ZONE_CHARS, "default": UTC_ZONE}

    def read(self, text: str) -> str:
        """See the protocol."""
        detail = zone_fault(text)
        if detail is not None:
            raise ValueError(detail)
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthKind:
    """A length of time, in milliseconds, at most MAX_GAP_DAYS."""

    @property
    def schema(self) -> Schema:
        """See the protocol."""
        return {"type": "string", "pattern": "^[1-9][0-9]{0,6}[smhd]$", "default": "1d"}

    def read(self, text: str) -> int:
        """See the protocol."""
        found = _LENGTH.fullmatch(text)
        length_ms = int(found[1]) * {**CLOCK_UNITS, "d": DAY_MS}[found[2]] if found else 0
        if not 0 < length_ms <= MAX_GAP_DAYS * DAY_MS:
            raise ValueError(f"must be a duration such as 30m, 6h or 1d, at most {MAX_GAP_DAYS}d")
        return length_ms


EVERY: Final = Parameter(
    name="every",
    kind=WidthKind(),
    description="Answer buckets of this width instead of samples: 15m, 1h, 1d, 1w, 1M, 1y.",
)
AGG: Final = Parameter(
    name="agg",
    kind=choice_of(Aggregate),
    listed="comma",
    description="What is made of each bucket, one or several between commas; `mean` if left out.",
)
TZ: Final = Parameter(
    name="tz",
    kind=ZoneKind(),
    description="The time zone whose clock and calendar buckets follow.",
)
FILL: Final = Parameter(
    name="fill",
    kind=choice_of(Fill, Fill.NONE),
    description="What stands for an empty bucket: nothing, null, or the value before it.",
)
MAX_GAP: Final = Parameter(
    name="max_gap",
    kind=LengthKind(),
    description="How long a value holds when none follows; how far apart two samples of a growth may be.",
)
MAX_POINTS_CHART: Final = Parameter(
    name="max_points",
    kind=Whole(minimum=CHART_MIN_SAMPLES, maximum=CHART_MAX_SAMPLES, default=1_000),
    description="For a chart: at most so many samples of each point, chosen so that it looks alike.",
)
METHOD: Final = Parameter(
    name="method",
    kind=choice_of(Method, Method.MINMAX),
    description="How samples are chosen for a chart (`max_points`).",
)

QUESTION: Final = (EVERY, AGG, TZ, FILL, MAX_GAP, MAX_POINTS_CHART, METHOD)
"""What a request may ask of the samples."""

_OF_BUCKETS: Final = (AGG, FILL, MAX_GAP)


def question_of(
    given: Mapping[str, str], span: TimeRange | None, point_count: int, found: list[Fault]
) -> Question | None:
    """The question of some parameters by name, or None if they ask none. Faults go to `found`; `span` is None
    where the range is at fault.
    """
    values = _read(given, found)
    found += _misfits(given)
    if MAX_POINTS_CHART.name in given:
        return _thinning(values)
    buckets = _buckets(values)
    if buckets is not None and span is not None:
        most = buckets.most_values(span.duration_ms) * max(1, point_count)
        if most > MAX_BUCKETS:
            detail = (
                f"makes up to {most} values of {point_count} points; an answer has at most {MAX_BUCKETS}: "
                f"ask for wider buckets, fewer points, fewer aggregates or a shorter range"
            )
            found.append(Fault(parameter=EVERY.name, detail=detail))
    return buckets


def _misfits(given: Mapping[str, str]) -> list[Fault]:
    """Parameters that do not go with the others."""
    if EVERY.name in given and MAX_POINTS_CHART.name in given:
        detail = "send every=, for buckets, or max_points=, for a chart; not both"
        return [Fault(parameter=MAX_POINTS_CHART.name, detail=detail)]
    return [
        Fault(parameter=one.name, detail=f"goes with {other.name}=; send that, too, or leave this out")
        for other, some in ((EVERY, _OF_BUCKETS), (MAX_POINTS_CHART, (METHOD,)))
        for one in some
        if one.name in given and other.name not in given
    ]


def _read(given: Mapping[str, str], found: list[Fault]) -> dict[str, object]:
    values: dict[str, object] = {}
    for one in QUESTION:
        if one.name not in given:
            continue
        try:
            values[one.name] = _aggregates(given[one.name]) if one is AGG else one.kind.read(given[one.name])
        except ValueError as fault:
            found.append(Fault(parameter=one.name, detail=str(fault)))
    return values


def _aggregates(text: str) -> tuple[Aggregate, ...]:
    names = text.split(",")
    for name in names:
        if name not in {*Aggregate}:
            close = get_close_matches(name[:MAX_ZONE_CHARS], [*Aggregate], n=1)
            meant = f"did you mean {close[0]}? " if close else ""
            raise ValueError(f"{meant}known are {', '.join(Aggregate)}")
    if len({*names}) < len(names):
        raise ValueError("names one more than once; send each once")
    return tuple(Aggregate(name) for name in names)


def _thinning(values: Mapping[str, object]) -> Thinning | None:
    most = values.get(MAX_POINTS_CHART.name)
    method = values.get(METHOD.name, Method.MINMAX)
    return Thinning(max_points=most, method=Method(str(method))) if isinstance(most, int) else None


def _buckets(values: Mapping[str, object]) -> Buckets | None:
    width = values.get(EVERY.name)
    if not isinstance(width, Width):
        return None
    aggregates, gap_ms = values.get(AGG.name), values.get(MAX_GAP.name)
    return Buckets(
        width=width,
        aggregates=aggregates if isinstance(aggregates, tuple) else (Aggregate.MEAN,),
        zone=str(values.get(TZ.name, UTC_ZONE)),
        fill=Fill(str(values.get(FILL.name, Fill.NONE))),
        max_gap_ms=gap_ms if isinstance(gap_ms, int) else DEFAULT_MAX_GAP_MS,
    )
