"""What a caller asks of `DELETE /api/cache`, checked. Names and rules are those of `core/query.py`.

Leaving points or times out means all of them, so an empty value is a fault, never "all".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edgeseries.core.errors import Fault, InvalidRequest
from edgeseries.core.query import collected, faults_of_points, faults_of_site, span_of, unknown_parameters
from edgeseries.core.timerange import TimeRange

PARAMETERS: Final = ("site", "points", "point", "start_time", "end_time", "dry_run")
FLAGS: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeQuery:
    """What to remove: of a site, some points (None: all), the days a range touches (None: all)."""

    site: str
    points: tuple[str, ...] | None
    span: TimeRange | None
    dry_run: bool


def purge_from_pairs(pairs: Sequence[tuple[str, str]]) -> PurgeQuery:
    """The purge of URL parameters. Raises InvalidRequest with every fault."""
    given, names, found = collected(pairs)
    found += unknown_parameters(given, PARAMETERS)
    found += faults_of_site(given.get("site"))
    if names is not None:
        found += faults_of_points(names)
    ranged = [name for name in ("start_time", "end_time") if name in given]
    span = span_of(given, found, set()) if ranged else None
    flag = given.get("dry_run", "false")
    if flag not in FLAGS:
        found.append(Fault(parameter="dry_run", detail="must be true or false, or left out"))
    if found:
        raise InvalidRequest(tuple(found))
    return PurgeQuery(
        site=given["site"],
        points=None if names is None else tuple(sorted(set(names))),
        span=span,
        dry_run=FLAGS[flag],
    )
