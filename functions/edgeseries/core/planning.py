"""What a request still needs from upstream, given what is stored.

Values in, plans out: which days of which points are missing, what lies past the sealed days,
how many samples that is about, and the fewest calls that fetch it. It knows no store, no
vendor and no clock; the moment comes in as `now_ms`.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import ceil

from edgeseries.core.days import day_span, days_touched, first_unsealed_day, runs
from edgeseries.core.limits import DAY_MS, DEFAULT_DENSITY_PER_DAY, UPSTREAM_BATCH_POINTS
from edgeseries.core.timerange import TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One range that a group of points lacks. Points sorted."""

    points: tuple[str, ...]
    span: TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What upstream must deliver for a request.

    `missing_days` are sealed days that the range touches and no block covers, by point (points
    that lack none are left out). `live` is the part of the range that is not sealed yet,
    `covered_points` those that something is stored of in the part that is. `missing_samples`
    estimates what is missing and live, `answer_samples` the whole answer, by each point's density.
    """

    span: TimeRange
    missing_days: Mapping[str, tuple[int, ...]]
    covered_points: tuple[str, ...]
    live: TimeRange | None
    missing_samples: int
    answer_samples: int

    @property
    def sealed(self) -> bool:
        """Whether the answer can be kept for ever."""
        return self.live is None

    @property
    def sealed_part(self) -> TimeRange | None:
        """The part of the range that blocks may hold; None if it is all live."""
        if self.live is None:
            return self.span
        if self.live.start_ms == self.span.start_ms:
            return None
        return TimeRange(start_ms=self.span.start_ms, end_ms=self.live.start_ms)


def need_of(
    points: Sequence[str],
    span: TimeRange,
    *,
    covered: Mapping[str, AbstractSet[int]],
    density_per_day: Mapping[str, float],
    now_ms: int,
    settle_lag_ms: int,
) -> Need:
    """The need of a request. `covered` are days by point; what it leaves out is not covered."""
    unsealed_day = first_unsealed_day(now_ms=now_ms, settle_lag_ms=settle_lag_ms)
    # One tuple for all points that nothing is stored of: most of them, and there may be 10,000.
    sealed_days = tuple(day for day in days_touched(span) if day < unsealed_day)
    sealed_ms = sum(overlap_ms(span, day) for day in sealed_days)
    live_start_ms = max(span.start_ms, unsealed_day * DAY_MS)
    live = TimeRange(start_ms=live_start_ms, end_ms=span.end_ms) if live_start_ms < span.end_ms else None
    missing: dict[str, tuple[int, ...]] = {}
    missing_estimate = answer_estimate = 0.0
    for point in points:
        held = covered.get(point)
        lacking = tuple(day for day in sealed_days if day not in held) if held else sealed_days
        if lacking:
            missing[point] = lacking
        lacking_ms = sum(overlap_ms(span, day) for day in lacking) if held else sealed_ms
        lacking_ms += live.duration_ms if live else 0
        density = density_per_day.get(point, DEFAULT_DENSITY_PER_DAY) / DAY_MS
        missing_estimate += density * lacking_ms
        answer_estimate += density * span.duration_ms
    return Need(
        span=span,
        missing_days=missing,
        covered_points=tuple(point for point in points if covered.get(point)),
        live=live,
        missing_samples=ceil(missing_estimate),
        answer_samples=ceil(answer_estimate),
    )


def overlap_ms(span: TimeRange, day: int) -> int:
    """How much of a day a range that touches it holds."""
    return min(span.end_ms, (day + 1) * DAY_MS) - max(span.start_ms, day * DAY_MS)


def exact_gaps(need: Need, points: Sequence[str]) -> tuple[Gap, ...]:
    """Exactly what is missing inside the range, nothing around it: for answers that are not stored."""
    wanted: dict[tuple[int, int], list[str]] = {}
    for point in points:
        pieces = [
            (max(need.span.start_ms, first * DAY_MS), min(need.span.end_ms, (last + 1) * DAY_MS))
            for first, last in runs(need.missing_days.get(point, ()))
        ]
        if need.live is not None:
            pieces.append((need.live.start_ms, need.live.end_ms))
        for piece in _joined(pieces):
            wanted.setdefault(piece, []).append(point)
    return _gaps(wanted)


def whole_day_gaps(need: Need) -> tuple[Gap, ...]:
    """The missing days whole, so that they can be stored."""
    wanted: dict[tuple[int, int], list[str]] = {}
    for point, days in need.missing_days.items():
        for first, last in runs(days):
            span = day_span(first, last)
            wanted.setdefault((span.start_ms, span.end_ms), []).append(point)
    return _gaps(wanted)


def live_gaps(need: Need, points: Sequence[str]) -> tuple[Gap, ...]:
    """The part past the sealed days, for every point: it is read from upstream at every request."""
    if need.live is None:
        return ()
    return _gaps({(need.live.start_ms, need.live.end_ms): list(points)})


def _joined(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ascending pieces, those that meet made one: the sealed end and the live edge are one call."""
    joined: list[tuple[int, int]] = []
    for start_ms, end_ms in pieces:
        if joined and joined[-1][1] == start_ms:
            joined[-1] = (joined[-1][0], end_ms)
        else:
            joined.append((start_ms, end_ms))
    return joined


def _gaps(wanted: Mapping[tuple[int, int], list[str]]) -> tuple[Gap, ...]:
    """Points that lack the same range share calls, a batch of them each."""
    return tuple(
        Gap(
            points=tuple(sorted(names)[first : first + UPSTREAM_BATCH_POINTS]),
            span=TimeRange(start_ms=start_ms, end_ms=end_ms),
        )
        for (start_ms, end_ms), names in sorted(wanted.items())
        for first in range(0, len(names), UPSTREAM_BATCH_POINTS)
    )
