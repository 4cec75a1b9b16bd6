"""The store as a request sees it: it may help, and it never stands in the way.

Every look-up that fails is written down and taken as "nothing is stored"; the answer then comes
from upstream, and is not stored either: nobody knows what was purged meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgeseries.blocks.ports.answers import AnswerFacts
from edgeseries.blocks.ports.blocks import DaysToStore, StoreOutcome
from edgeseries.blocks.stamps import Refresh, Stamps
from edgeseries.errors import EdgeError, StoreUnavailable
from edgeseries.metrics.ports.journal import counts_text
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.reading.faults import note
from edgeseries.reading.surplus import store_surplus
from edgeseries.reading.survey import Index
from router.ports import Ports


async def look_up(query: TimeseriesQuery, *, reads: bool, ports: Ports) -> Index:
    """What the index says; densities and generations also for a request that uses nothing stored."""
    turn, read_ms = ports.stamps.turn(), ports.clock.now_ms()
    try:
        index = await ports.reader.look_up(query)
    except StoreUnavailable as error:
        note(ports, "index_unread", error)
        return Index(reads=reads)
    total = index.stamps.total(query.points)
    ports.stamps.learn(query.site, query.points, total, read_ms=read_ms, turn=turn)
    return replace(index, reads=reads)


async def begin_refresh(query: TimeseriesQuery, ports: Ports) -> Refresh | None:
    """What a refresh needs to store what it fetches; None if nothing can be stored."""
    try:
        return await ports.blocks.begin_refresh(query.site, query.points)
    except StoreUnavailable as error:
        note(ports, "index_unread", error)
        return None


async def store_refresh(
    query: TimeseriesQuery, days: Sequence[DaysToStore], begun: Refresh, ports: Ports
) -> StoreOutcome | None:
    """Store what a refresh fetched; None if that failed, or if some of it was overtaken."""
    before = ports.faults.copy()
    try:
        outcome = await ports.blocks.refresh(query.site, days, begun)
    except EdgeError as error:
        note(ports, "not_stored", error)
        return None
    finally:
        ports.stamps.forget(query.site)
        _log_new_faults(before, ports)
    return None if outcome.superseded else outcome


async def store_days(
    query: TimeseriesQuery, days: Sequence[DaysToStore], stamps: Stamps, ports: Ports
) -> None:
    """Store days that were fetched under some stamps, after the answer has left. What fails is fetched
    again another time.
    """
    before = ports.faults.copy()
    try:
        if days:
            await ports.blocks.store(query.site, days, stamps)
    except EdgeError as error:
        note(ports, "not_stored", error)
    _log_new_faults(before, ports)


async def store_days_along(site: str, days: Sequence[DaysToStore], stamps: Stamps, ports: Ports) -> None:
    """Store days of points that nobody asked for, after the answer has left."""
    try:
        ports.operations["surplus_samples"] += await store_surplus(site, days, stamps, ports.blocks)
    except EdgeError as error:
        note(ports, "not_stored", error)


async def store_answer(digest: str, body: bytes, facts: AnswerFacts, ports: Ports) -> None:
    """Store an answer, after it has left."""
    try:
        await ports.answers.store(digest, body, facts)
    except EdgeError as error:
        note(ports, "not_stored", error)


def _log_new_faults(before: Mapping[str, int], ports: Ports) -> None:
    met = {name: count - before.get(name, 0) for name, count in ports.faults.items()}
    faults = counts_text({name: count for name, count in met.items() if count > 0})
    if faults is not None:
        ports.journal.line("warning", "faults while storing", faults=faults)
