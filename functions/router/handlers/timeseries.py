"""`/api/timeseries`: samples of some points of a site, or the job that fetches them."""

from dataclasses import replace
from typing import Final

from edgeseries.access.grants import Right
from edgeseries.answers.presentation import PRESENTATION
from edgeseries.errors import (
    AnswerTooLarge,
    MemoryBusy,
    NotAcceptable,
    NotFound,
    Transient,
)
from edgeseries.http.documents import ref
from edgeseries.limits import INLINE_MAX_SAMPLES, QUESTION_MAX_SAMPLES
from edgeseries.planning.freshness import Verdict, freshness_of
from edgeseries.planning.query import TIMESERIES, USER_ID, TimeseriesQuery
from edgeseries.planning.routing import Route, choose_route
from router.asked_count import count_failure, count_question, missing_point_days
from router.cached_answer import cached_answer, may_be_cached, remembered_stamp
from router.contract import headers
from router.contract.answers import (
    NOT_MODIFIED,
    ORIGIN,
    SENT_BODY,
    SERIES,
    STORE,
)
from router.contract.parameters import DRY_RUN
from router.endpoint import Arrival, Endpoint, Scope
from router.estimate import estimate, expected_of, learned
from router.index_lookup import look_up
from router.inline_answer import Choice
from router.outcome import Outcome
from router.parameters import AskedSamples, read_timeseries
from router.point_facts import with_commas
from router.ports import Ports
from router.queued_answer import ACCEPTED, queue_job
from router.shared_fetch import Patience, is_shared, next_turn, patience_of
from router.small_questions import route_of_days
from router.streamed_answer import answer_at_once, refuse_previous


async def timeseries(arrival: Arrival, ports: Ports) -> Outcome:
    """`/api/timeseries`: check; stream a cached answer, without a look at the index while the isolate knows
    the generations; or see what is missing, choose the route, take it. Who lacks what another request of the
    isolate is fetching waits for it, and looks again.
    """
    asked = read_timeseries(arrival)
    try:
        outcome = await _answer(asked, arrival, ports)
    except Transient:
        if not asked.dry_run:
            count_failure(asked.query, arrival, ports)
        raise
    if outcome.unknown_points and (whole := await with_commas(asked.query, arrival, ports)) != asked.query:
        asked = replace(asked, query=whole)
        outcome = await _answer(asked, arrival, ports)
    if not asked.dry_run and outcome.verdict not in (Verdict.REFRESH, Verdict.BYPASS):
        missing, origin_ms = outcome.missing_point_days, outcome.origin_ms
        count_question(asked.query, arrival, ports, missing=missing, origin_ms=origin_ms)
    return outcome


async def _answer(asked: AskedSamples, arrival: Arrival, ports: Ports) -> Outcome:
    """The answer of a query, or its job."""
    query, presentation = asked.query, asked.presentation
    wanted = query.read()
    freshness = freshness_of(arrival.request.headers.get("cache-control", ""))
    cacheable = may_be_cached(query, freshness, arrival, ports) and not asked.dry_run
    stamp = remembered_stamp(query, ports) if cacheable else None
    if (
        stamp is not None
        and (found := await cached_answer(query, presentation, stamp, arrival, ports)) is not None
    ):
        return found
    patience = patience_of(arrival, ports)
    missing: int | None = None
    while True:
        patience.begin_look(ports)
        index = await look_up(wanted, reads=freshness.reads, ports=ports)
        if cacheable and index.known and (now := index.stamps.total(query.points)) != stamp:
            found = await cached_answer(query, presentation, now, arrival, ports)
            if found is not None:
                return replace(found, shared=bool(patience.waited_for), missing_point_days=missing or 0)
        survey = ports.reader.survey(wanted, index, now_ms=arrival.request.arrived_ms)
        if missing is None:
            # As the question found it, whoever fetches it.
            missing = missing_point_days(survey.fetch_plan.missing_days)
        route = choose_route(
            survey.fetch_plan,
            blocks=survey.block_count,
            forced=query.forced,
            sizes=ports.route_sizes,
            most_samples=INLINE_MAX_SAMPLES if query.question is None else QUESTION_MAX_SAMPLES,
        )
        route = await route_of_days(query, route, freshness, survey, ports)
        if asked.dry_run:
            return estimate(query, index, survey.fetch_plan, route, ports)
        if route is Route.QUEUED:
            refuse_previous(query)
            query = await with_commas(query, arrival, ports)
            queued = await queue_job(query, survey.fetch_plan, arrival, ports, presentation=presentation)
            return replace(queued, missing_point_days=missing)
        choice = Choice(route=route, freshness=freshness, survey=survey, presentation=presentation)
        patience.look(survey)
        outcome = await _at_once(query, choice, patience, arrival, ports)
        if outcome is not None:
            return replace(outcome, shared=patience.shared, missing_point_days=missing)
        # Others have stored what this lacked, or this has stored its part of it: what is missing still?
        stamp = None


async def _at_once(
    query: TimeseriesQuery, choice: Choice, patience: Patience, arrival: Arrival, ports: Ports
) -> Outcome | None:
    """The answer; or its job, where it proved too large or there is no room for it now, and nobody insists on
    an answer at once. None after others have fetched some of what was missing.
    """
    turn = None
    try:
        expected_ms = expected_of(choice.survey.fetch_plan, ports)
        if is_shared(choice):
            turn = await next_turn(query, choice, patience, arrival, ports)
            if turn is None:
                return None
        outcome = await answer_at_once(query, replace(choice, turn=turn), arrival, ports)
        return learned(outcome, choice.survey.fetch_plan, expected_ms, arrival, ports)
    except (AnswerTooLarge, MemoryBusy) as error:
        if query.forced is not None or (
            isinstance(error, MemoryBusy) and Right.JOBS not in arrival.grant.rights
        ):
            raise
        fetch_plan = choice.survey.fetch_plan
        if isinstance(error, AnswerTooLarge):
            missing = max(fetch_plan.missing_samples, error.estimated_samples)
            fetch_plan = replace(fetch_plan, missing_samples=missing)
        return await queue_job(query, fetch_plan, arrival, ports, presentation=choice.presentation)
    finally:
        # What is stored after the answer holds it, too.
        if turn is not None:
            turn.give_back()


ASKING_HEADERS: Final = (
    headers.CACHE_CONTROL,
    headers.IF_NONE_MATCH,
    headers.ACCEPT_ENCODING,
    headers.PREFER,
)


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        pattern="/api/timeseries",
        name="getTimeseries",
        summary="Samples of some points of a site in [start_time, end_time).",
        right=Right.READ,
        scope=Scope.SITE,
        handler=timeseries,
        parameters=(*TIMESERIES, *PRESENTATION, DRY_RUN, USER_ID, *ASKING_HEADERS),
        answers={200: SERIES, 202: ACCEPTED, 304: NOT_MODIFIED},
        problems=(NotFound, NotAcceptable, *ORIGIN, *STORE),
    ),
    Endpoint(
        method="POST",
        pattern="/api/timeseries",
        name="postTimeseries",
        summary="The same with the fields as JSON, for long lists of points.",
        right=Right.READ,
        scope=Scope.SITE,
        handler=timeseries,
        parameters=ASKING_HEADERS,
        body=ref("TimeseriesRequest"),
        answers={200: SERIES, 202: ACCEPTED},
        problems=(NotFound, NotAcceptable, *ORIGIN, *STORE, *SENT_BODY),
    ),
)
