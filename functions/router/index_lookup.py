"""The store as a request sees it: it may help, and it never stands in the way.

Every look-up that fails is written down and taken as "nothing is stored"; the answer then comes
from upstream.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edgeseries.blocks.ports.answers import AnswerFacts, KeptAnswer
from edgeseries.blocks.ports.blocks import KeptDays, StoredSamples
from edgeseries.errors import EdgeError, StoreUnavailable
from edgeseries.metrics.ports.journal import told_counts
from edgeseries.planning.fetch_plan import FetchPlan
from edgeseries.planning.query import TimeseriesQuery
from router.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What the index tells of a request's points: days held, and samples a day."""

    covered: Mapping[str, frozenset[int]] = field(default_factory=dict)
    density_per_day: Mapping[str, float] = field(default_factory=dict)


async def find_answer(digest: str, *, accepts_brotli: bool, ports: Ports) -> KeptAnswer | None:
    """The kept answer of a sealed request, if the store has it and answers."""
    try:
        return await ports.answers.find(digest, accepts_brotli=accepts_brotli)
    except StoreUnavailable as error:
        note(ports, "answers_unread", error)
        return None


async def look_up(query: TimeseriesQuery, *, reads: bool, ports: Ports) -> Index:
    """What the index tells; densities also for a request that uses nothing stored."""
    try:
        densities = await ports.blocks.densities(query.site, query.points)
        covered = await ports.blocks.covered(query.site, query.points, query.span) if reads else {}
    except StoreUnavailable as error:
        note(ports, "index_unread", error)
        return Index()
    return Index(covered=covered, density_per_day=densities)


async def read_blocks(
    query: TimeseriesQuery, fetch_plan: FetchPlan, ports: Ports
) -> Mapping[str, StoredSamples]:
    """What the blocks hold, in the sealed part, of the points that the index says something of."""
    if not fetch_plan.covered_points or fetch_plan.sealed_part is None:
        return {}
    try:
        held = await ports.blocks.read(query.site, fetch_plan.covered_points, fetch_plan.sealed_part)
    except StoreUnavailable as error:
        note(ports, "blocks_unread", error)
        return {}
    return {point: one for point, one in held.items() if one.days}


async def keep(
    query: TimeseriesQuery,
    days: Sequence[KeptDays],
    answer: tuple[str, bytes, AnswerFacts] | None,
    ports: Ports,
) -> None:
    """Store what was fetched, after the answer has left. What fails is fetched again another time."""
    before = ports.faults.copy()
    try:
        if days:
            await ports.blocks.keep(query.site, days)
        if answer is not None:
            await ports.answers.keep(*answer)
    except EdgeError as error:
        note(ports, "not_stored", error)
    met = ports.faults - before
    if met:
        ports.journal.line("warning", "faults while storing", faults=told_counts(met))


def note(ports: Ports, fault: str, error: EdgeError) -> None:
    """One fault counted (names: `docs/formats/analytics.md`), one warning in the log."""
    ports.faults[fault] += 1
    ports.journal.line("warning", fault, cause=error.detail)
