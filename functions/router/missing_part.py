"""What is missing of a request whose samples do not pass through memory at once: fetched and stored first."""

from dataclasses import dataclass

from edgeseries.limits import FORCED_DIRECT_MAX_SAMPLES
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.sample_budget import bytes_held
from edgeseries.reading.fetched import Delivery, Fetched, completed_days, whole_days
from router.endpoint import Arrival
from router.index_lookup import store_days
from router.inline_answer import Choice, fresh_until_ms
from router.memory_share import room_of, take_share
from router.ports import Ports
from router.store_reading import unsealed_day_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What was fetched before the first sample left: how long that took, None if nothing was, how much it
    is, and whether it is stored. Until `fresh_until_ms` (UTC epoch) an answer of it may be cached, None: for
    ever.
    """

    origin_ms: int | None = None
    samples: int = 0
    stored: bool = False
    fresh_until_ms: int | None = None


async def store_missing(query: TimeseriesQuery, choice: Choice, arrival: Arrival, ports: Ports) -> Missing:
    """Fetch what is missing and store it; what cannot be stored is fetched once more with its window. What
    came before a failure is stored, too.
    """
    survey, began_ms = choice.survey, ports.clock.now_ms()
    stamps, stores = survey.index.stamps, choice.freshness.keeps and survey.index.known
    size = bytes_held(
        stored_samples=0, fetched_samples=min(survey.fetch_plan.cautious_samples, FORCED_DIRECT_MAX_SAMPLES)
    )
    share = await take_share(size, ports, deadline_ms=arrival.deadline_ms)
    delivered: list[Delivery] = []
    completed = days = completed_days((), Fetched())
    try:
        partial_days = await ports.reader.fetch_missing(
            survey, deadline_ms=arrival.deadline_ms, bound=room_of(share).bound, delivered=delivered
        )
        completed = completed_days(partial_days, Fetched(gaps=tuple(delivered)))
    finally:
        fetched = Fetched(gaps=tuple(delivered))
        days = (*whole_days(fetched, unsealed_day_of(query.site, arrival, ports)), *completed)
        if stores:
            await store_days(query, days, stamps, ports)
        share.give_back()
    ports.reader.learn(survey, fetched, {point: stamps.of(point).total for point in query.points})
    fresh_ms = fresh_until_ms(survey.index, days, arrival)
    if not delivered:
        return Missing(stored=stores, fresh_until_ms=fresh_ms)
    return Missing(
        origin_ms=ports.clock.now_ms() - began_ms,
        samples=fetched.sample_count,
        stored=stores,
        fresh_until_ms=fresh_ms,
    )
