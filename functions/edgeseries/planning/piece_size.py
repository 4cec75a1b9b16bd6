"""How much of an answer one fetch of the upstream takes: calls that are likely to bring little go together.

Gaps come cut into calls, each as if points that nothing was learned of were dense
(`fetch_plan.in_fitting_calls`). What the first of them brought says better what the next ones will. One fetch
of many points is made in batches side by side, and what it finds out of the site it finds out once.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from edgeseries.limits import DAY_MS
from edgeseries.planning.capabilities import Capabilities
from edgeseries.planning.fetch_plan import Gap

PIECE_POINTS: Final = 500
"""Points of one fetch: a few batches of any upstream side by side. One that fails is asked again whole, and
its samples are counted when it is done."""

PIECE_GROWTH: Final = 4
"""So many times more points than the largest fetch so far: if what is asked next is denser than what came, it
is still no more than one answer holds."""


def next_piece(
    waiting: Sequence[Gap],
    done: Sequence[tuple[Gap, int]],
    density_per_day: Mapping[str, float],
    capabilities: Capabilities,
) -> tuple[Gap, Sequence[Gap]]:
    """The next fetch, and what is left after it: calls of the same range together, as long as their samples
    are likely to fit one call. `waiting` are calls in order (at least one), `done` fetches with the samples
    that they brought.
    """
    first = waiting[0]
    seen = _seen_per_day(done, density_per_day)
    most = PIECE_GROWTH * max((len(gap.points) for gap, _ in done), default=capabilities.batch_points)
    points = first.points
    expected = _expected(first, density_per_day, seen)
    count = 1
    for gap in waiting[1:]:
        expected += _expected(gap, density_per_day, seen)
        fits = expected <= capabilities.call_samples and len(points) + len(gap.points) <= PIECE_POINTS
        learned = all(point in density_per_day for point in gap.points)
        grown = len(points) + len(gap.points) > most and not learned
        if gap.span != first.span or not fits or grown:
            break
        points += gap.points
        count += 1
    return Gap(points=points, span=first.span), waiting[count:]


def _expected(gap: Gap, density_per_day: Mapping[str, float], seen: float | None) -> float:
    """Samples of a call. Of points that nothing was learned of no more than one call holds can be said
    before any came.
    """
    if seen is None and any(point not in density_per_day for point in gap.points):
        return float("inf")
    days = gap.span.duration_ms / DAY_MS
    return sum(density_per_day.get(point, seen or 0.0) for point in gap.points) * days


def _seen_per_day(done: Sequence[tuple[Gap, int]], density_per_day: Mapping[str, float]) -> float | None:
    """Samples a day of points that nothing was learned of, by the fetches that asked of such; twice as many
    may well come next. None before the first of them.
    """
    unlearned = [
        (gap, samples) for gap, samples in done if any(point not in density_per_day for point in gap.points)
    ]
    point_days = sum(len(gap.points) * gap.span.duration_ms / DAY_MS for gap, _ in unlearned)
    return 2 * sum(samples for _, samples in unlearned) / point_days if point_days else None
