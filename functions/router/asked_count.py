"""What is counted of a question once it is answered, so that warming can see that it comes again."""

from collections.abc import Mapping, Sequence

from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.days import days_touched, first_unsealed_day
from edgeseries.warming.asks import Ask, PointSet, window_of
from edgeseries.warming.limits import SET_MAX_POINTS
from router.endpoint import Arrival
from router.ports import Ports


def missing_point_days(missing_days: Mapping[str, Sequence[int]]) -> int:
    """Days of points that are missing, in all."""
    return sum(map(len, missing_days.values()))


def count_question(
    query: TimeseriesQuery, arrival: Arrival, ports: Ports, *, missing: int, origin_ms: int | None
) -> None:
    """Count a question by the samples that it is made of. `missing` are sealed days of its points that were
    not stored, `origin_ms` how long it waited for the upstream.

    One of very many points, of today alone, or of long ago is not counted.
    """
    wanted, now_ms = query.read(), arrival.request.arrived_ms
    unsealed_day = first_unsealed_day(
        now_ms=now_ms, settle_lag_ms=ports.settle_lags.of(wanted.site, ports.settle_lag_ms)
    )
    days = days_touched(wanted.span)
    point_days = len(wanted.points) * max(0, min(days.stop, unsealed_day) - days.start)
    _count(wanted, arrival, ports, point_days=point_days, missing=missing, origin_ms=origin_ms or 0)


def count_failure(query: TimeseriesQuery, arrival: Arrival, ports: Ports) -> None:
    """Count a question that failed: what it waited for in vain is to be there next time. How much of it was
    stored is not known.
    """
    waited_ms = ports.clock.now_ms() - arrival.request.arrived_ms
    _count(query.read(), arrival, ports, point_days=0, missing=0, origin_ms=waited_ms)


def _count(
    wanted: TimeseriesQuery, arrival: Arrival, ports: Ports, *, point_days: int, missing: int, origin_ms: int
) -> None:
    if ports.asks is None:
        return
    now_ms = arrival.request.arrived_ms
    window = window_of(wanted.span, now_ms=now_ms)
    if window is None or len(wanted.points) > SET_MAX_POINTS:
        return
    of = PointSet(site=wanted.site, points=wanted.points)
    if of.countable:
        ask = Ask(
            of=of, window=window, point_days=point_days, missing_point_days=missing, origin_ms=origin_ms
        )
        ports.asks.count(ask, now_ms)
