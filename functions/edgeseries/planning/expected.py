"""How many samples each point of a range is expected to bring: stored days by real counts, others by density.

It knows no store; what the index says comes in as values.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

from edgeseries.limits import DAY_MS, DEFAULT_DENSITY_PER_DAY
from edgeseries.planning.stored import IndexedMonth, StoredPoint, counted, estimate_stored, stored_month
from edgeseries.series.days import days_in, days_touched, month_of, overlap_ms
from edgeseries.series.timerange import TimeRange


def expected_samples(
    points: Sequence[str],
    span: TimeRange,
    *,
    stored: Mapping[str, StoredPoint],
    density_per_day: Mapping[str, float],
) -> dict[str, float]:
    """Samples in the range by point."""
    unstored: dict[int, int] = {}
    found = {}
    for point in points:
        density = density_per_day.get(point, DEFAULT_DENSITY_PER_DAY) / DAY_MS
        known = stored.get(point)
        if known is None:
            found[point] = density * span.duration_ms
            continue
        if id(known.days) not in unstored:
            held = sum(overlap_ms(span, day) for day in known.days.held)
            unstored[id(known.days)] = span.duration_ms - held
        found[point] = estimate_stored(known.count, span).likely + density * unstored[id(known.days)]
    return found


def expected_by_month(
    span: TimeRange, months: Sequence[IndexedMonth], density_per_day: float | None
) -> dict[str, float]:
    """Samples of one point in the range, by month (`YYYY-MM`). A month may have two rows, of other days."""
    density = (DEFAULT_DENSITY_PER_DAY if density_per_day is None else density_per_day) / DAY_MS
    found = {}
    for month, days in groupby(days_touched(span), key=month_of):
        rows = [one for one in months if one.month == month]
        held = {day for row in rows for day in days_in(month, row.days)}
        found[month] = density * sum(overlap_ms(span, day) for day in days if day not in held)
        found[month] += estimate_stored(counted(map(stored_month, rows), span), span).likely
    return found
