"""`/api/latest`: the last value of each point, with its age."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from edgeseries.access.grants import Right, require_site
from edgeseries.answers.formats import answer_body, writer_of
from edgeseries.answers.presentation import PRESENTATION, presentation_of
from edgeseries.answers.result_format import ResultFormat
from edgeseries.errors import InvalidRequest, NotAcceptable, NotFound
from edgeseries.http.documents import Document, Given, Moment, Section, ref
from edgeseries.http.messages import HttpResponse
from edgeseries.http.parameters import names_of
from edgeseries.limits import CATALOGUE_TTL_MS, DAY_MS, LATEST_STORED_DAYS, SECOND_MS
from edgeseries.planning.query import (
    POINT,
    POINTS,
    SITE,
    TimeseriesQuery,
    collected,
    faults_of_points,
    faults_of_site,
    unknown_parameters,
)
from edgeseries.reading.latest_memory import LastSample
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import NO_SAMPLES, Samples
from edgeseries.series.timerange import TimeRange, iso_millisecond
from edgeseries.series.values import Value
from router.contract.answers import ORIGIN, SERIES_BODIES, STORE, Answer
from router.endpoint import Arrival, Endpoint, Scope
from router.fetch_turn import half_time_of, take_turn, wait_for_turn
from router.last_samples import LATEST_STEPS, last_samples, last_stored
from router.outcome import Outcome, json_outcome
from router.parameters import PRESENTATION_NAMES, presentation_pairs
from router.point_facts import facts_for, nearest_names, points_of_site
from router.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestPointDocument(Section):
    """The last sample of a point; null where there is none, and why if it is known."""

    time: Annotated[int | None, Given({"type": ["integer", "null"], "minimum": 0})]
    value: Annotated[Value, Given({"type": ["number", "string", "boolean", "null"]})]
    age_seconds: float | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestDocument(Document):
    """The last samples of points of a site. Format: `docs/formats/latest.md`."""

    site: str
    at: Moment
    count: int
    points: Mapping[str, LatestPointDocument]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A site and some of its points; None for all of them."""

    site: str
    points: tuple[str, ...] | None


async def latest(arrival: Arrival, ports: Ports) -> Outcome:
    """The last sample of each point. However many ask, an isolate asks the upstream once a live TTL: who
    comes while another one asks waits for what that one finds.
    """
    pairs, given = presentation_pairs(arrival.request.query)
    asked = asked_of(pairs)
    require_site(arrival.grant, asked.site)
    presentation = presentation_of(given, arrival.request.headers.get("accept", ""))
    points = asked.points
    if points is None:
        listed = await points_of_site(asked.site, ports, deadline_ms=arrival.deadline_ms)
        points = tuple(sorted(listed))
    found, origin_ms = await _fresh(asked.site, points, arrival, ports)
    if presentation.format is ResultFormat.JSON:
        return replace(
            json_outcome(_document(asked.site, points, found, ports), origin_ms=origin_ms),
            point_count=len(points),
            sample_count=sum(one.sample is not None for one in found.values()),
        )
    now_ms = ports.clock.now_ms()
    span = TimeRange(start_ms=max(0, now_ms - LATEST_STORED_DAYS * DAY_MS), end_ms=now_ms + 1)
    query = TimeseriesQuery(site=asked.site, points=points, span=span)
    writer = writer_of(presentation, query, await facts_for(query, presentation, ports))
    body = answer_body(writer, [_series(point, found[point]) for point in points], ports.encoder)
    headers = {"Content-Type": presentation.media_type, "Vary": "Accept"}
    return Outcome(
        response=HttpResponse(status=200, headers=headers, body=body),
        origin_ms=origin_ms,
        point_count=len(points),
        sample_count=sum(one.sample is not None for one in found.values()),
    )


def asked_of(pairs: Sequence[tuple[str, str]]) -> Asked:
    """What URL parameters ask for. Raises InvalidRequest with every fault."""
    given, names, found = collected(pairs)
    found += unknown_parameters(given, (*names_of(LATEST), *PRESENTATION_NAMES))
    found += faults_of_site(given.get(SITE.name))
    if names is not None:
        found += faults_of_points(names)
    if found:
        raise InvalidRequest(tuple(found))
    return Asked(site=given[SITE.name], points=None if names is None else tuple(sorted(set(names))))


async def _fresh(
    site: str, points: Sequence[str], arrival: Arrival, ports: Ports
) -> tuple[Mapping[str, LastSample], int | None]:
    """The last samples as of a live TTL ago at most, and the time that the upstream took for this caller."""
    key = ("latest", site)
    while True:
        now_ms = ports.clock.now_ms()
        known = ports.latest.recall(site, points)
        stale = [
            point
            for point in points
            if point not in known or now_ms - known[point].read_ms >= ports.live_ttl_ms
        ]
        if not stale:
            return known, None
        turn = take_turn(key, arrival, ports)
        if turn is None and now_ms < half_time_of(arrival, ports):
            await wait_for_turn(key, ports, until_ms=half_time_of(arrival, ports))
            continue
        try:
            found, origin_ms = await _read(site, stale, known, arrival, ports)
        finally:
            if turn is not None:
                turn.give_back()
        return {**known, **found}, origin_ms


async def _read(
    site: str, points: Sequence[str], known: Mapping[str, LastSample], arrival: Arrival, ports: Ports
) -> tuple[Mapping[str, LastSample], int | None]:
    """Read the last samples of some points, and remember them. Stored days are searched now and then."""
    read_ms = ports.clock.now_ms()
    newest = await last_samples(
        site, points, before_ms=read_ms + 1, steps=LATEST_STEPS, arrival=arrival, ports=ports
    )
    missing = newest.missing(points)
    searched = {
        point: one
        for point in missing
        if (one := known.get(point)) is not None
        and one.searched_ms is not None
        and read_ms - one.searched_ms < CATALOGUE_TTL_MS
    }
    due = [point for point in missing if point not in searched]
    older = await last_stored(site, due, before_ms=read_ms, ports=ports) if due else {}
    near = await nearest_names([*newest.errors], site, ports) if newest.errors else {}
    newest.errors |= {point: f"{newest.errors[point]}; {told}" for point, told in near.items()}
    found = {
        point: LastSample(read_ms=read_ms, sample=newest.samples.get(point), error=newest.errors.get(point))
        for point in points
    }
    found |= {point: replace(one, read_ms=read_ms) for point, one in searched.items()}
    found |= {
        point: LastSample(read_ms=read_ms, sample=older.get(point), searched_ms=read_ms) for point in due
    }
    ports.latest.learn(site, found)
    return found, newest.origin_ms


def _document(
    site: str, points: Sequence[str], found: Mapping[str, LastSample], ports: Ports
) -> LatestDocument:
    now_ms = ports.clock.now_ms()
    return LatestDocument(
        site=site,
        at=iso_millisecond(now_ms),
        count=sum(one.sample is not None for one in found.values()),
        points={point: _point(found[point], now_ms) for point in points},
    )


def _point(one: LastSample, now_ms: int) -> LatestPointDocument:
    at_ms, value = (None, None) if one.sample is None else one.sample
    age_s = None if at_ms is None else max(0, now_ms - at_ms) / SECOND_MS
    return LatestPointDocument(time=at_ms, value=value, age_seconds=age_s, error=one.error)


def _series(point: str, one: LastSample) -> PointSeries:
    samples = NO_SAMPLES
    if one.sample is not None:
        samples = Samples(times_ms=[one.sample[0]], values=[one.sample[1]])
    return PointSeries(point=point, samples=samples, error=one.error)


LATEST: Final = (SITE, replace(POINTS, description="Some points; left out, all of the site."), POINT)
"""What a request for the last samples takes."""

_ANY_JSON: Any = Annotated[LatestDocument, Given({"anyOf": [ref("Latest"), ref("Rows"), ref("Columns")]})]

ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        pattern="/api/latest",
        name="getLatest",
        summary="The last sample of each point of a site, or of some, with its age.",
        right=Right.READ,
        scope=Scope.SITE,
        handler=latest,
        parameters=(*LATEST, *PRESENTATION),
        answers={
            200: Answer(
                description="The last samples.",
                bodies={**SERIES_BODIES, "application/json": _ANY_JSON},
                headers=("Vary",),
            )
        },
        problems=(NotFound, NotAcceptable, *ORIGIN, *STORE),
    ),
)
