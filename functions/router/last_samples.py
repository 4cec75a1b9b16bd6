"""The last sample of each point before a moment: from the live edge, from stored days, from the upstream.

Looked for in steps, each further back, for the points that have none yet: most points are sampled every few
minutes, and a long look at all of a site would bring millions of samples for one of each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from edgeseries.errors import StoreUnavailable
from edgeseries.limits import (
    DAY_MS,
    HOUR_MS,
    INLINE_MAX_BLOCKS,
    LATEST_MAX_READS,
    LATEST_STORED_DAYS,
    MINUTE_MS,
)
from edgeseries.memory_limits import BUDGET_SMALL_BYTES
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.reading.faults import note
from edgeseries.reading.series_reader import ReadOptions
from edgeseries.series.days import day_span
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import Samples, joined
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value
from router.endpoint import Arrival
from router.index_lookup import look_up
from router.memory_share import room_of, take_share
from router.ports import Ports
from router.store_reading import Storable, days_to_store, store_fetched


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far back to look; with `stores` sealed days are fetched whole and stored, so that they are asked
    once.
    """

    length_ms: int
    stores: bool = False


LATEST_STEPS = (
    Step(length_ms=15 * MINUTE_MS),
    Step(length_ms=3 * HOUR_MS),
    Step(length_ms=DAY_MS + 3 * HOUR_MS, stores=True),
)
"""Of the newest samples."""

PREVIOUS_STEPS = (
    Step(length_ms=DAY_MS, stores=True),
    Step(length_ms=7 * DAY_MS, stores=True),
    Step(length_ms=31 * DAY_MS, stores=True),
)
"""Of what is in force when a range begins. What changes less than once a month is not found."""


@dataclass(slots=True)
class LastSamples:
    """What was found by point, errors of points that are not there, and the time that the upstream took."""

    samples: dict[str, tuple[int, Value]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    origin_ms: int | None = None

    def missing(self, points: Sequence[str]) -> tuple[str, ...]:
        """The points of which nothing is known yet, sorted."""
        return tuple(
            sorted(point for point in points if point not in self.samples and point not in self.errors)
        )


async def last_samples(
    site: str,
    points: Sequence[str],
    *,
    before_ms: int,
    steps: Sequence[Step],
    arrival: Arrival,
    ports: Ports,
) -> LastSamples:
    """The last sample of each point before a moment (UTC epoch), as far back as the steps go.

    Raises what the upstream raises, AnswerTooLarge, MemoryBusy.
    """
    found = LastSamples()
    for step in steps:
        missing = found.missing(points)
        if not missing:
            break
        span = TimeRange(start_ms=max(0, before_ms - step.length_ms), end_ms=before_ms)
        await _look(TimeseriesQuery(site=site, points=missing, span=span), step, found, arrival, ports)
    return found


async def _look(
    query: TimeseriesQuery, step: Step, found: LastSamples, arrival: Arrival, ports: Ports
) -> None:
    """One step: read it, note the last sample of each point."""
    index = await look_up(query, reads=True, ports=ports)
    survey = ports.reader.survey(query, index, now_ms=arrival.request.arrived_ms)
    share = await take_share(BUDGET_SMALL_BYTES, ports, deadline_ms=arrival.deadline_ms)
    try:
        reading = await ports.reader.read(
            survey,
            ReadOptions(deadline_ms=arrival.deadline_ms, whole_days=step.stores),
            bound=room_of(share).bound,
        )
        if index.known:
            days = days_to_store(query.site, reading, arrival, ports) if step.stores else ()
            storable = Storable(reading=reading, days=days, answer=None)
            route = Route.CACHED if step.stores else Route.DIRECT
            store_fetched(query, survey, storable, route, share, None, ports)
    finally:
        share.give_back()
    if reading.origin_ms is not None:
        found.origin_ms = (found.origin_ms or 0) + reading.origin_ms
    for one in reading.series:
        if len(one.samples):
            found.samples[one.point] = last_of(one.samples)
        elif one.error is not None:
            found.errors[one.point] = one.error


async def with_previous(
    query: TimeseriesQuery, series: Sequence[PointSeries], arrival: Arrival, ports: Ports
) -> tuple[PointSeries, ...]:
    """Series of a query, each point's last sample before the range in front of its own. Raises what the
    upstream raises.
    """
    before = await last_samples(
        query.site,
        query.points,
        before_ms=query.span.start_ms,
        steps=PREVIOUS_STEPS,
        arrival=arrival,
        ports=ports,
    )
    return tuple(
        replace(one, samples=joined([_sample(before.samples[one.point]), one.samples]))
        if one.point in before.samples
        else one
        for one in series
    )


def _sample(sample: tuple[int, Value]) -> Samples:
    return Samples(times_ms=[sample[0]], values=[sample[1]])


async def last_stored(
    site: str, points: Sequence[str], *, before_ms: int, ports: Ports
) -> Mapping[str, tuple[int, Value]]:
    """The last stored sample of points before a moment, of the stored days of some months; nothing is
    fetched.
    """
    span = TimeRange(start_ms=max(0, before_ms - LATEST_STORED_DAYS * DAY_MS), end_ms=before_ms)
    size = max(1, INLINE_MAX_BLOCKS * 30 // LATEST_STORED_DAYS)
    found: dict[str, tuple[int, Value]] = {}
    reads = 0
    try:
        for first in range(0, len(points), size):
            query = TimeseriesQuery(site=site, points=tuple(points[first : first + size]), span=span)
            index = await ports.reader.look_up(query)
            by_day: dict[int, list[str]] = {}
            for point, stored in index.points.items():
                busy = stored.days.held - stored.days.empty
                if busy:
                    by_day.setdefault(max(busy), []).append(point)
            for day, some in sorted(by_day.items(), reverse=True):
                reads += 1
                if reads > LATEST_MAX_READS:
                    return found
                held = await ports.blocks.read(site, some, day_span(day, day), index.stored)
                found |= {point: last_of(one.samples) for point, one in held.items() if len(one.samples)}
    except StoreUnavailable as error:
        note(ports, "blocks_unread", error)
    return found


def last_of(samples: Samples) -> tuple[int, Value]:
    """The last sample of some."""
    return samples.times_ms[-1], samples.values[-1]
