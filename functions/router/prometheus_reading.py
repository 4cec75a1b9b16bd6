"""The series that selectors of PromQL pick: which sites and points, and their samples."""

from array import array
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from edgeseries.errors import NotFound
from edgeseries.limits import EARLIEST_MS, INLINE_MAX_SAMPLES, LATEST_MS, MAX_RANGE_MS
from edgeseries.planning.freshness import Freshness
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route, choose_route
from edgeseries.promql.evaluation import LOOKBACK_MS, EvaluationError, SelectedSeries, Series, Steps
from edgeseries.promql.syntax import METRIC, NAME_LABEL, Labels, Match, Matcher, Selector
from edgeseries.reading.windows import OF_QUESTIONS, series_by_window
from edgeseries.series.samples import Samples, appended
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import FILLER, Kind
from router.asked_count import count_question, missing_point_days
from router.endpoint import Arrival
from router.index_lookup import look_up
from router.inline_answer import Choice
from router.memory_share import take_share
from router.missing_part import store_missing
from router.point_facts import points_of_site
from router.ports import Ports
from router.shared_fetch import is_shared, next_turn, patience_of
from router.small_questions import remember_asked, route_of_days

MAX_SERIES: Final = 1_000
"""Series that one expression may be of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PickedPoint:
    """A point and its labels."""

    site: str
    point: str
    labels: Labels


async def picked_points(
    matchers: Sequence[Matcher], arrival: Arrival, ports: Ports, *, most: int = MAX_SERIES
) -> list[PickedPoint]:
    """The points that fit, of the sites that the caller may see. Raises EvaluationError for more than `most`,
    and what the upstream raises.
    """
    if not all(one.fits(METRIC) for one in matchers if one.label == NAME_LABEL):
        return []
    found: list[PickedPoint] = []
    for site in await sites_of(matchers, arrival, ports):
        try:
            points = await points_of_site(site, ports, deadline_ms=arrival.deadline_ms)
        except NotFound:
            continue
        for point in points.values():
            facts = {"unit": point.unit, "kind": point.kind}
            named = {NAME_LABEL: METRIC, "point": point.name, "site": site}
            labels = {**named, **{name: text for name, text in facts.items() if text}}
            if all(one.fits(labels.get(one.label, "")) for one in matchers):
                ordered = tuple(sorted(labels.items()))
                found.append(PickedPoint(site=site, point=point.name, labels=ordered))
        if len(found) > most:
            raise EvaluationError(f"more than {most} series match: name a site, points or a unit")
    return found


async def sites_of(matchers: Sequence[Matcher], arrival: Arrival, ports: Ports) -> list[str]:
    """The sites that fit, of those that the caller may see. One that is named is not looked up.

    Raises the error of an upstream that may have some of them and does not answer.
    """
    of_site = [one for one in matchers if one.label == "site"]
    named = next((one.value for one in of_site if one.match is Match.EQUAL), None)
    if named is not None:
        return (
            [named] if named and arrival.grant.sees(named) and all(one.fits(named) for one in of_site) else []
        )
    listing = await ports.origin.sites(deadline_ms=arrival.deadline_ms)
    # A query over what is left of the sites would answer another question.
    every = listing.seen_by(arrival.grant.sites).complete()
    return [one.name for one in every if all(each.fits(one.name) for each in of_site)]


async def selected_series(
    selectors: Sequence[Selector], steps: Steps, arrival: Arrival, ports: Ports
) -> SelectedSeries:
    """The series of each selector, with all samples that the steps need. Raises EvaluationError for more than
    one answer may read or fetch, and what the stores and the upstream raise.
    """
    picked = {one: await picked_points(one.matchers, arrival, ports) for one in dict.fromkeys(selectors)}
    if not any(picked.values()):
        return dict.fromkeys(picked, ())
    span = _span_of(selectors, steps)
    by_site: dict[str, set[str]] = {}
    for points in picked.values():
        for one in points:
            by_site.setdefault(one.site, set()).add(one.point)
    samples: dict[tuple[str, str], Samples] = {}
    for site, names in by_site.items():
        query = TimeseriesQuery(site=site, points=tuple(sorted(names)), span=span)
        for point, some in (await _samples_of(query, arrival, ports)).items():
            samples[site, point] = some
    return {
        selector: [series_of(one.labels, samples[one.site, one.point]) for one in points]
        for selector, points in picked.items()
    }


def _span_of(selectors: Sequence[Selector], steps: Steps) -> TimeRange:
    first_ms = min(steps.start_ms - one.offset_ms - (one.range_ms or LOOKBACK_MS) for one in selectors)
    last_ms = max(steps.end_ms - one.offset_ms for one in selectors)
    start_ms, end_ms = max(EARLIEST_MS, first_ms), min(LATEST_MS, last_ms + 1)
    if start_ms >= end_ms:
        raise EvaluationError("the query is about times outside 1970 to 2100")
    if end_ms - start_ms > MAX_RANGE_MS:
        raise EvaluationError("the query is about more than ten years: ask for less")
    return TimeRange(start_ms=start_ms, end_ms=end_ms)


async def _samples_of(query: TimeseriesQuery, arrival: Arrival, ports: Ports) -> Mapping[str, Samples]:
    """All samples of a query, by point. What is missing is fetched and stored first, if that is worth it."""
    await _store_missing(query, arrival, ports)
    parts: dict[str, list[Samples]] = {point: [] for point in query.points}
    count = 0
    windows = series_by_window(
        query,
        ports.reader,
        take_share=lambda size: take_share(size, ports, deadline_ms=arrival.deadline_ms),
        deadline_ms=lambda: arrival.deadline_ms,
        stored_only=False,
        size=OF_QUESTIONS,
    )
    async with aclosing(windows):
        async for window in windows:
            for one in window.series:
                parts[one.point].append(one.samples)
                count += len(one.samples)
            if count > INLINE_MAX_SAMPLES:
                raise EvaluationError(f"the query is of more than {INLINE_MAX_SAMPLES} samples: ask for less")
    return {point: appended(some) for point, some in parts.items()}


async def _store_missing(query: TimeseriesQuery, arrival: Arrival, ports: Ports) -> None:
    """Fetch and store what is missing, if that is worth it; what others are fetching is waited for."""
    patience = patience_of(arrival, ports)
    counted = False
    while True:
        patience.begin_look(ports)
        index = await look_up(query, reads=True, ports=ports)
        survey = ports.reader.survey(query, index, now_ms=arrival.request.arrived_ms)
        plan = survey.fetch_plan
        if not counted:
            missing = missing_point_days(plan.missing_days)
            count_question(query, arrival, ports, missing=missing, origin_ms=None)
            counted = True
        route = choose_route(plan, blocks=survey.block_count, forced=None, sizes=ports.route_sizes)
        if route is Route.QUEUED:
            raise EvaluationError(
                f"{plan.missing_samples} of {plan.answer_samples} samples are not stored, or are too many "
                "for one query: ask for a shorter range or fewer points, or POST the range to /api/jobs first"
            )
        route = await route_of_days(query, route, Freshness(), survey, ports)
        patience.look(survey)
        if route is Route.DIRECT:
            remember_asked(query.site, survey, (), ports)
        if route is not Route.CACHED or not plan.missing_samples:
            break
        choice = Choice(route=route, freshness=Freshness(), survey=survey)
        if not is_shared(choice):
            await store_missing(query, choice, arrival, ports)
            break
        turn = await next_turn(query, choice, patience, arrival, ports)
        if turn is not None:
            try:
                await store_missing(query, choice, arrival, ports)
            finally:
                turn.give_back()
            break
    ports.operations["shared_fetches"] += patience.shared


def series_of(labels: Labels, samples: Samples) -> Series:
    """Samples as numbers: true is 1, false 0; what is no number is NaN."""
    column = samples.values
    numbers = array("d", column.floats)
    for place, kind, payload in zip(column.places, column.kinds, column.payloads, strict=True):
        numbers[place] = float(payload) if kind in (Kind.BOOL, Kind.INT) else FILLER
    return Series(labels=labels, times_ms=samples.times_ms, numbers=numbers)
