"""What the upstream says of points, for those who ask for samples: units and kinds, and which names there
are.

Nobody's samples wait for it: a list that cannot be had is none.
"""

from collections.abc import Mapping

from edgeseries.answers.presentation import Presentation
from edgeseries.answers.result_format import WITH_FACTS
from edgeseries.errors import EdgeError
from edgeseries.limits import CATALOGUE_TTL_MS, PROBE_TIMEOUT_MS
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.reading.faults import note
from edgeseries.series.points import Point
from router.ports import Ports


async def points_of_site(
    site: str, ports: Ports, *, deadline_ms: int, max_age_ms: int = CATALOGUE_TTL_MS
) -> Mapping[str, Point]:
    """The points of a site by name, as they were listed not longer ago than that. Raises what the upstream
    raises.
    """
    now_ms = ports.clock.now_ms()
    known = ports.directory.recall(site, now_ms=now_ms, max_age_ms=max_age_ms)
    if known is not None:
        return known
    return ports.directory.learn(site, await ports.origin.points(site, deadline_ms=deadline_ms), now_ms)


async def facts_for(query: TimeseriesQuery, presentation: Presentation, ports: Ports) -> Mapping[str, Point]:
    """What is known of the points of a query, for a format that says it; nothing where the list cannot be
    had.
    """
    if presentation.format not in WITH_FACTS:
        return {}
    try:
        listed = await points_of_site(query.site, ports, deadline_ms=ports.clock.now_ms() + PROBE_TIMEOUT_MS)
    except EdgeError as error:
        note(ports, "points_unlisted", error)
        return {}
    return {point: listed[point] for point in query.points if point in listed}
