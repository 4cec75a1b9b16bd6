"""What a request still needs from upstream, given what is stored.

Values in, plans out: which days of which points are missing, what lies past the sealed days,
how many samples that is about, and the fewest calls that fetch it. It knows no store, no
vendor (`capabilities.py` says what a call can hold) and no clock; the moment comes in as `now_ms`.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import Final

from edgeseries.limits import (
    DAY_MS,
    DEFAULT_DENSITY_PER_DAY,
    DENSE_PER_DAY,
    FORCED_DIRECT_MAX_SAMPLES,
)
from edgeseries.planning.capabilities import Capabilities
from edgeseries.planning.stored import StoredPoint, estimate_stored
from edgeseries.series.days import day_of, day_span, days_touched, first_unsealed_day, runs
from edgeseries.series.timerange import TimeRange, united

LivePieces = Mapping[str, Sequence[TimeRange]]
"""What is to be asked of the live part, by point (`planning/live_edge.py`)."""

NOTHING_STORED: Final[Mapping[str, StoredPoint]] = MappingProxyType({})

_NONE_HELD: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One range that a group of points lacks. Points sorted."""

    points: tuple[str, ...]
    span: TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPlan:
    """What upstream must deliver for a request.

    `missing_days` are sealed days that the range touches and no block covers, by point (points
    that lack none are left out). `live` is the part of the range that is not sealed yet,
    `covered_points` those that something is stored of in the part that is. `missing_samples`
    estimates what is missing and live, `answer_samples` the whole answer: stored days by their real
    samples, others by each point's density. `least_samples` is what the answer has at least, as far as
    that is no guess. `rereads` if days that were stored as empty are among the missing ones.
    `cautious_samples` is what is missing if all points that nothing was learned of are dense.
    """

    span: TimeRange
    missing_days: Mapping[str, tuple[int, ...]]
    covered_points: tuple[str, ...]
    live: TimeRange | None
    missing_samples: int
    answer_samples: int
    least_samples: int = 0
    rereads: bool = False
    cautious_samples: int = 0

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


def plan_fetch(
    points: Sequence[str],
    span: TimeRange,
    *,
    covered: Mapping[str, AbstractSet[int]],
    density_per_day: Mapping[str, float],
    now_ms: int,
    settle_lag_ms: int,
    live_missing_ms: Mapping[str, int] | None = None,
    stored: Mapping[str, StoredPoint] = NOTHING_STORED,
) -> FetchPlan:
    """The need of a request. `covered` are days by point; what it leaves out is not covered.

    `live_missing_ms` is how much of the live part is not known, by point; without it all of it is
    missing. `stored` is what the index says, whether or not it may be used: it says how many samples
    stored days have. Points that share a set of covered days share the work on it: there may be 10,000.
    """
    unsealed_day = first_unsealed_day(now_ms=now_ms, settle_lag_ms=settle_lag_ms)
    sealed_days = tuple(day for day in days_touched(span) if day < unsealed_day)
    live_start_ms = max(span.start_ms, unsealed_day * DAY_MS)
    live = TimeRange(start_ms=live_start_ms, end_ms=span.end_ms) if live_start_ms < span.end_ms else None
    live_ms = live.duration_ms if live else 0
    lacks: dict[int, tuple[tuple[int, ...], int]] = {}
    unknowns: dict[tuple[int, int], tuple[int, int]] = {}
    missing: dict[str, tuple[int, ...]] = {}
    missing_estimate = answer_estimate = unlearned_ms = 0.0
    least = 0
    rereads = False
    for point in points:
        held = covered.get(point, _NONE_HELD)
        if id(held) not in lacks:
            lacking = tuple(day for day in sealed_days if day not in held) if held else sealed_days
            lacks[id(held)] = lacking, covered_ms(span, lacking)
        lacking, lacking_ms = lacks[id(held)]
        if lacking:
            missing[point] = lacking
        unread_ms = live_ms if live_missing_ms is None else live_missing_ms.get(point, 0)
        density = density_per_day.get(point, DEFAULT_DENSITY_PER_DAY) / DAY_MS
        known = stored.get(point)
        if point not in density_per_day:
            unlearned_ms += lacking_ms + unread_ms
        if known is None:
            missing_estimate += density * (lacking_ms + unread_ms)
            answer_estimate += density * span.duration_ms
            continue
        rereads = rereads or not known.days.due.isdisjoint(lacking)
        key = id(held), id(known.days)
        if key not in unknowns:
            unknown = [day for day in sealed_days if day not in known.days.held]
            guessed = [day for day in lacking if day not in known.days.empty] if held else unknown
            unknowns[key] = covered_ms(span, unknown), covered_ms(span, guessed)
        unknown_ms, guessed_ms = unknowns[key]
        count = estimate_stored(known.count, span)
        missing_estimate += density * (guessed_ms + unread_ms)
        if held or not lacking:
            least += count.least
        else:
            # Nothing that is stored may be used: what is stored is what will be fetched.
            missing_estimate += count.likely
        answer_estimate += count.likely + density * (unknown_ms + live_ms)
    return FetchPlan(
        span=span,
        missing_days=missing,
        covered_points=tuple(point for point in points if covered.get(point)),
        live=live,
        missing_samples=ceil(missing_estimate),
        answer_samples=ceil(answer_estimate),
        least_samples=least,
        rereads=rereads,
        cautious_samples=ceil(
            missing_estimate + unlearned_ms * (DENSE_PER_DAY - DEFAULT_DENSITY_PER_DAY) / DAY_MS
        ),
    )


def covered_ms(span: TimeRange, days: Sequence[int]) -> int:
    """How much of a range lies in some of the days that it touches, ascending."""
    if not days:
        return 0
    first_day, last_day = day_of(span.start_ms), day_of(span.end_ms - 1)
    before_ms = span.start_ms - first_day * DAY_MS if days[0] == first_day else 0
    after_ms = (last_day + 1) * DAY_MS - span.end_ms if days[-1] == last_day else 0
    return len(days) * DAY_MS - before_ms - after_ms


def exact_gaps(
    fetch_plan: FetchPlan, points: Sequence[str], live: LivePieces | None = None
) -> tuple[Gap, ...]:
    """Exactly what is missing inside the range, nothing around it: for answers that are not stored."""
    pieces = _live_pieces(fetch_plan, points, live)
    wanted: dict[tuple[int, int], list[str]] = {}
    alike: dict[tuple[int, tuple[tuple[int, int], ...]], list[str]] = {}
    days_by_id = {id(days): days for days in fetch_plan.missing_days.values()}
    for point in points:
        alike.setdefault((id(fetch_plan.missing_days.get(point)), pieces.get(point, ())), []).append(point)
    for (days_id, ranges), names in alike.items():
        sealed = [
            (max(fetch_plan.span.start_ms, first * DAY_MS), min(fetch_plan.span.end_ms, (last + 1) * DAY_MS))
            for first, last in runs(days_by_id.get(days_id, ()))
        ]
        for piece in united([*sealed, *ranges]):
            wanted.setdefault(piece, []).extend(names)
    return gaps_of_ranges(wanted)


def whole_day_gaps(fetch_plan: FetchPlan) -> tuple[Gap, ...]:
    """The missing days whole, so that they can be stored."""
    alike: dict[int, tuple[tuple[int, ...], list[str]]] = {}
    for point, days in fetch_plan.missing_days.items():
        alike.setdefault(id(days), (days, []))[1].append(point)
    wanted: dict[tuple[int, int], list[str]] = {}
    for days, names in alike.values():
        for first, last in runs(days):
            span = day_span(first, last)
            wanted.setdefault((span.start_ms, span.end_ms), []).extend(names)
    return gaps_of_ranges(wanted)


def live_gaps(
    fetch_plan: FetchPlan, points: Sequence[str], live: LivePieces | None = None
) -> tuple[Gap, ...]:
    """The part past the sealed days: all of it for every point, or the pieces that are not known."""
    wanted: dict[tuple[int, int], list[str]] = {}
    for point, ranges in _live_pieces(fetch_plan, points, live).items():
        for piece in ranges:
            wanted.setdefault(piece, []).append(point)
    return gaps_of_ranges(wanted)


def _live_pieces(
    fetch_plan: FetchPlan, points: Sequence[str], live: LivePieces | None
) -> dict[str, tuple[tuple[int, int], ...]]:
    if fetch_plan.live is None:
        return {}
    if live is None:
        return dict.fromkeys(points, ((fetch_plan.live.start_ms, fetch_plan.live.end_ms),))
    return {point: tuple((one.start_ms, one.end_ms) for one in some) for point, some in live.items()}


def gaps_of_ranges(wanted: Mapping[tuple[int, int], list[str]]) -> tuple[Gap, ...]:
    """Points that lack the same range share a gap, however many they are."""
    return tuple(
        Gap(points=tuple(sorted(names)), span=TimeRange(start_ms=start_ms, end_ms=end_ms))
        for (start_ms, end_ms), names in sorted(wanted.items())
    )


def with_probe(gaps: Sequence[Gap], density_per_day: Mapping[str, float]) -> tuple[Gap, ...]:
    """Gaps in the order to fetch them. Where points that nothing was learned of might be too dense
    for one answer, the first day of some of them comes first and alone.
    """
    unlearned = [gap for gap in gaps if any(point not in density_per_day for point in gap.points)]
    most = sum(_point_days(gap) for gap in unlearned) * DENSE_PER_DAY
    if most <= FORCED_DIRECT_MAX_SAMPLES:
        return tuple(gaps)
    first = unlearned[0]
    cut_ms = first.span.start_ms + DAY_MS
    rest = tuple(gap for gap in gaps if gap is not first)
    if cut_ms >= first.span.end_ms:
        return (first, *rest)
    probe = Gap(points=first.points, span=TimeRange(start_ms=first.span.start_ms, end_ms=cut_ms))
    after = Gap(points=first.points, span=TimeRange(start_ms=cut_ms, end_ms=first.span.end_ms))
    return (probe, after, *rest)


def projected_samples(
    done: Sequence[tuple[Gap, int]], left: Sequence[Gap], density_per_day: Mapping[str, float]
) -> int:
    """How many samples the gaps that are left will bring: by what was learned of their points, else
    by what the gaps so far brought. `done` are gaps with their samples.
    """
    point_days = sum(_point_days(gap) for gap, _ in done)
    seen_per_day = sum(count for _, count in done) / point_days if point_days else 0.0
    return ceil(
        sum(
            density_per_day.get(point, seen_per_day) * gap.span.duration_ms / DAY_MS
            for gap in left
            for point in gap.points
        )
    )


def _point_days(gap: Gap) -> float:
    return len(gap.points) * gap.span.duration_ms / DAY_MS


def in_fitting_calls(
    gaps: Sequence[Gap], density_per_day: Mapping[str, float], capabilities: Capabilities
) -> tuple[Gap, ...]:
    """Gaps with as many points each as one call may name, and its answer is likely to hold.

    Points that nothing was learned of are taken for dense where only a day of them is asked: a dashboard's
    first look at yesterday. Over many days that would make many calls for what is mostly sparse.
    """
    found: list[Gap] = []
    for gap in _in_batches(gaps, capabilities.batch_points):
        unlearned = DENSE_PER_DAY if gap.span.duration_ms <= DAY_MS else DEFAULT_DENSITY_PER_DAY
        per_day = sum(density_per_day.get(point, unlearned) for point in gap.points)
        calls = ceil(per_day * gap.span.duration_ms / DAY_MS / capabilities.call_samples) or 1
        size = ceil(len(gap.points) / min(calls, len(gap.points)))
        found += [
            Gap(points=gap.points[first : first + size], span=gap.span)
            for first in range(0, len(gap.points), size)
        ]
    return tuple(found)


def _in_batches(gaps: Sequence[Gap], batch_points: int) -> Iterator[Gap]:
    for gap in gaps:
        for first in range(0, len(gap.points), batch_points):
            yield Gap(points=gap.points[first : first + batch_points], span=gap.span)
