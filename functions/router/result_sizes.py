"""How many samples a result has where: what its parts and windows are cut by."""

from collections.abc import Mapping

from edgeseries.planning.expected import expected_by_month, expected_samples
from edgeseries.planning.query import TimeseriesQuery
from router.index_lookup import Index


def sizes_by_point(query: TimeseriesQuery, index: Index) -> Mapping[str, float]:
    """Expected samples of each point in the range."""
    return expected_samples(
        query.points, query.span, stored=index.points, density_per_day=index.density_per_day
    )


def sizes_by_month(query: TimeseriesQuery, point: str, index: Index) -> Mapping[str, float]:
    """Expected samples of one point in the range, by month."""
    refs = {} if index.stored.refs is None else index.stored.refs
    return expected_by_month(query.span, refs.get(point, ()), index.density_per_day.get(point))
