"""What a caller asks of `DELETE /api/cache`, checked. Names and rules are those of `planning/query.py`.

Leaving points or times out means all of them, so an empty value is a fault, never "all".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from edgeseries.errors import Fault, InvalidRequest
from edgeseries.http.parameters import Choice, Parameter, names_of
from edgeseries.planning.query import (
    END_TIME,
    FLAGS,
    POINT,
    POINTS,
    SITE,
    START_TIME,
    collected,
    faults_of_points,
    faults_of_site,
    span_of,
    unknown_parameters,
)
from edgeseries.series.timerange import TimeRange

DRY_RUN: Final = Parameter(
    name="dry_run",
    kind=Choice(words=tuple(FLAGS), default="false"),
    description="`true`: report what would be removed, and remove nothing.",
)

PURGE: Final = (
    SITE,
    POINTS,
    POINT,
    replace(START_TIME, required=False),
    replace(END_TIME, required=False),
    DRY_RUN,
)
"""What a purge takes."""


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
    found += unknown_parameters(given, names_of(PURGE))
    found += faults_of_site(given.get("site"))
    if names is not None:
        found += faults_of_points(names)
    ranged = [name for name in ("start_time", "end_time") if name in given]
    span = span_of(given, found, set()) if ranged else None
    flag = "false"
    try:
        flag = DRY_RUN.kind.read(given.get(DRY_RUN.name, flag))
    except ValueError as fault:
        found.append(Fault(parameter=DRY_RUN.name, detail=str(fault)))
    if found:
        raise InvalidRequest(tuple(found))
    return PurgeQuery(
        site=given["site"],
        points=None if names is None else tuple(sorted(set(names))),
        span=span,
        dry_run=FLAGS[flag],
    )
