"""What the upstream says of points, for those who ask for samples: units and kinds, and which names there
are.

Nobody's samples wait for it: a list that cannot be had is none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgeseries.answers.presentation import Presentation
from edgeseries.answers.result_format import WITH_FACTS
from edgeseries.errors import EdgeError
from edgeseries.limits import CATALOGUE_TTL_MS, PROBE_TIMEOUT_MS
from edgeseries.origins.ports.origin import NO_SUCH_POINT
from edgeseries.planning.point_names import nearest, rejoined
from edgeseries.planning.query import MAX_FAULTS_OF_A_KIND, POINTS, TimeseriesQuery
from edgeseries.reading.faults import note
from edgeseries.series.points import Point, PointSeries
from router.endpoint import Arrival
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
    had. What writes such a format is loaded first.
    """
    if presentation.format not in WITH_FACTS:
        return {}
    ports.libraries.load_arrow()
    listed = await _listed(query.site, ports)
    return {point: listed[point] for point in query.points if point in listed}


async def explained(series: Sequence[PointSeries], site: str, ports: Ports) -> tuple[PointSeries, ...]:
    """The same; a point that the site does not have is told with the names that may have been meant."""
    unknown = unknown_points(series)
    near = await nearest_names(unknown, site, ports) if unknown else {}
    return tuple(
        replace(one, error=f"{one.error}; {near[one.point]}") if one.point in near else one for one in series
    )


def unknown_points(series: Sequence[PointSeries]) -> tuple[str, ...]:
    """The points that the site does not have."""
    return tuple(one.point for one in series if one.error == NO_SUCH_POINT)


async def nearest_names(unknown: Sequence[str], site: str, ports: Ports) -> Mapping[str, str]:
    """What may have been meant by names that a site does not have, as sentences, of the first few of them."""
    listed = await _listed(site, ports)
    found = {name: nearest(name, listed) for name in unknown[:MAX_FAULTS_OF_A_KIND]}
    return {name: f"did you mean {' or '.join(map(repr, near))}?" for name, near in found.items() if near}


async def with_commas(query: TimeseriesQuery, arrival: Arrival, ports: Ports) -> TimeseriesQuery:
    """The query with names that hold commas put together, where the site has such names: in `points=` they
    were cut.
    """
    texts = [text for name, text in arrival.request.query if name == POINTS.name]
    if len(texts) != 1 or "," not in texts[0]:
        return query
    pieces = texts[0].split(",")
    names = rejoined(pieces, await _listed(query.site, ports))
    return query if len(names) == len(pieces) else replace(query, points=tuple(sorted(set(names))))


async def _listed(site: str, ports: Ports) -> Mapping[str, Point]:
    """The points of a site; none where the list cannot be had."""
    deadline_ms = ports.clock.now_ms() + PROBE_TIMEOUT_MS
    try:
        return await points_of_site(site, ports, deadline_ms=deadline_ms)
    except EdgeError as error:
        note(ports, "points_unlisted", error)
        return {}
