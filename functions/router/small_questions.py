"""Small questions, which are fetched exactly as they are asked: when their days are fetched whole after all.

What of them is stored: `store_reading.py`. The rule as a table: `docs/adr/0024-small-questions.md`.
"""

from collections.abc import Sequence

from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.errors import StoreUnavailable
from edgeseries.leases.days import Days, without
from edgeseries.limits import DENSE_PER_DAY
from edgeseries.planning.freshness import Freshness
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.reading.faults import note
from edgeseries.reading.survey import Survey
from router.ports import Ports


def is_small_question(query: TimeseriesQuery, route: Route, freshness: Freshness, survey: Survey) -> bool:
    """Whether the rule is about it: it chose its route by its size, and may use and store what is stored."""
    return (
        route is Route.DIRECT
        and query.forced is None
        and freshness.reads
        and freshness.keeps
        and survey.index.known
    )


async def route_of_days(
    query: TimeseriesQuery, route: Route, freshness: Freshness, survey: Survey, ports: Ports
) -> Route:
    """CACHED where all sealed days that a small question lacks were asked before, and may be fetched whole;
    its own route otherwise.
    """
    missing = survey.fetch_plan.missing_days
    small = is_small_question(query, route, freshness, survey)
    if not small or not missing or not _may_be_whole(missing, survey, ports):
        return route
    try:
        return Route.CACHED if await ports.asked_days.were_asked(query.site, missing) else route
    except StoreUnavailable as error:
        note(ports, "asked_days_unread", error)
        return route


def remember_asked(site: str, survey: Survey, stored: Sequence[DaysToStore], ports: Ports) -> None:
    """After the answer: the sealed days that were asked in part. Those that were stored need not be asked."""
    left = without(survey.fetch_plan.missing_days, [{one.point: one.days} for one in stored])
    if left and _may_be_whole(left, survey, ports):
        ports.background.after(_remember(site, left, ports))


async def _remember(site: str, days: Days, ports: Ports) -> None:
    try:
        await ports.asked_days.remember(site, days)
    except StoreUnavailable as error:
        note(ports, "asked_days_unread", error)


def _may_be_whole(missing: Days, survey: Survey, ports: Ports) -> bool:
    """Whether whole days are no more samples than are fetched while a caller waits. A point that nothing was
    learned of may well be dense.
    """
    densities = survey.index.density_per_day
    samples = sum(len(days) * densities.get(point, DENSE_PER_DAY) for point, days in missing.items())
    return samples <= ports.route_sizes.queued_min_samples
