"""What becomes of a reading that is worth storing: the live edge, whole days, and the answer itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgeseries.answers.presentation import JSON, Presentation, answer_digest
from edgeseries.blocks.ports.answers import AnswerFacts
from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.blocks.stamps import Refresh
from edgeseries.planning.memory_share import MemoryShare
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.reading.fetched import completed_days, whole_days
from edgeseries.reading.series_reader import Reading
from edgeseries.reading.survey import Survey
from edgeseries.series.days import first_unsealed_day
from router.endpoint import Arrival
from router.fetch_turn import FetchTurn
from router.index_lookup import store_answer, store_days, store_days_along, store_refresh
from router.memory_share import held_work
from router.ports import Ports
from router.small_questions import remember_asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Storable:
    """A reading, the days of it that are whole, those of points that nobody asked for (`along`), and the
    answer's body with its facts if it may be cached, in the presentation that it has.
    """

    reading: Reading
    days: Sequence[DaysToStore]
    answer: tuple[bytes, AnswerFacts] | None
    along: Sequence[DaysToStore] = ()
    presentation: Presentation = JSON


def store_fetched(  # noqa: PLR0917 - what there is to be stored, and under which conditions
    query: TimeseriesQuery,
    survey: Survey,
    storable: Storable,
    route: Route,
    share: MemoryShare,
    turn: FetchTurn | None,
    ports: Ports,
) -> bool:
    """Remember the live part at once; store days and the answer once it has left. Whether they will be there
    next time, as far as is known now.
    """
    stamps = survey.index.stamps
    by_point = {point: stamps.of(point).total for point in query.points}
    ports.reader.learn(survey, storable.reading.fetched, by_point)
    if route is not Route.CACHED:
        return query.forced is None and _store_small(query, survey, storable, share, ports)
    storing = held_work(store_days(query, storable.days, stamps, ports), share.also_held())
    if turn is not None:
        storing = held_work(storing, turn.also_held())
    ports.background.after(storing)
    if storable.along:
        filling = store_days_along(query.site, storable.along, stamps, ports)
        ports.background.after(held_work(filling, share.also_held()))
    _store_answer_after(query, stamps.total(query.points), storable, ports)
    return True


def _store_small(
    query: TimeseriesQuery, survey: Survey, storable: Storable, share: MemoryShare, ports: Ports
) -> bool:
    """Of what was fetched exactly: the days that happen to be whole, the answer itself if it is final, and
    that the other days were asked. Whether the same question needs no upstream next time.
    """
    stamps = survey.index.stamps
    days = whole_days(storable.reading.fetched, first_day_unsealed(survey))
    if days:
        storing = store_days(query, days, stamps, ports)
        ports.background.after(held_work(storing, share.also_held()))
    remember_asked(query.site, survey, days, ports)
    _store_answer_after(query, stamps.total(query.points), storable, ports)
    return storable.answer is not None


def first_day_unsealed(survey: Survey) -> int:
    """The first day that was not sealed at the moment of a survey."""
    return first_unsealed_day(now_ms=survey.now_ms, settle_lag_ms=survey.settle_lag_ms)


async def store_refreshed(
    query: TimeseriesQuery, survey: Survey, storable: Storable, begun: Refresh | None, ports: Ports
) -> bool:
    """Store what a refresh read, whatever its route, and what it knows of the live part. Whether all of it
    is there.
    """
    outcome = None if begun is None else await store_refresh(query, storable.days, begun, ports)
    if outcome is None:
        return False
    stamps = outcome.stamps
    by_point = {point: stamps.of(point).total for point in query.points}
    ports.reader.learn(survey, storable.reading.fetched, by_point)
    _store_answer_after(query, stamps.total(query.points), storable, ports)
    return True


def _store_answer_after(query: TimeseriesQuery, stamp: int, storable: Storable, ports: Ports) -> None:
    if storable.answer is not None:
        digest = answer_digest(query, storable.presentation, stamp)
        ports.background.after(store_answer(digest, *storable.answer, ports))


def days_to_store(site: str, reading: Reading, arrival: Arrival, ports: Ports) -> tuple[DaysToStore, ...]:
    """The sealed days that are whole now."""
    fetched = reading.fetched
    return (
        *whole_days(fetched, unsealed_day_of(site, arrival, ports)),
        *completed_days(reading.partial_days, fetched),
    )


def unsealed_day_of(site: str, arrival: Arrival, ports: Ports) -> int:
    """The first day of a site that was not sealed when the request arrived."""
    return first_unsealed_day(
        now_ms=arrival.request.arrived_ms, settle_lag_ms=ports.settle_lags.of(site, ports.settle_lag_ms)
    )
