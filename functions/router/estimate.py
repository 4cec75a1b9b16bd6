"""`dry_run=true`: what a request would read and fetch, and how long that would take, without doing it."""

from dataclasses import replace

from edgeseries.limits import SECOND_MS
from edgeseries.planning.estimate import Observation
from edgeseries.planning.fetch_plan import FetchPlan
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.questions.question import Question
from edgeseries.reading.survey import Index
from router.contract.estimate import EstimateDocument, LearnedFromDocument
from router.endpoint import Arrival
from router.outcome import Outcome, json_outcome
from router.ports import Ports

OK = 200


def estimate(
    query: TimeseriesQuery, index: Index, fetch_plan: FetchPlan, route: Route, ports: Ports
) -> Outcome:
    """The estimate of a request that nothing was done for but a look at the index."""
    refs = index.stored.refs
    stored = stored_samples(fetch_plan)
    values = values_of(query.question, fetch_plan, query)
    known = len(index.density_per_day)
    return json_outcome(
        EstimateDocument(
            site=query.site,
            route=route,
            objects=None if refs is None else sum(one.object_count for one in refs.values()),
            stored_samples=stored,
            upstream_samples=fetch_plan.missing_samples,
            values=values,
            bytes=round(values * ports.rates.value_bytes),
            seconds=expected_of(fetch_plan, ports) / SECOND_MS,
            learned_from=LearnedFromDocument(
                known_points=known,
                assumed_points=len(query.points) - known,
                answers=ports.rates.answers,
            ),
        )
    )


def expected_of(fetch_plan: FetchPlan, ports: Ports) -> int:
    """How long an answer is likely to take, in milliseconds."""
    return ports.rates.expected_ms(
        stored_samples=stored_samples(fetch_plan),
        fetched_samples=fetch_plan.missing_samples,
        fetches=fetches(fetch_plan),
    )


def learned(
    outcome: Outcome, fetch_plan: FetchPlan, expected_ms: int, arrival: Arrival, ports: Ports
) -> Outcome:
    """The outcome with what was expected of it. Rates are learned from answers that were made whole: how long
    a stream takes is its reader's affair.
    """
    body_bytes = len(outcome.response.body) or outcome.body_bytes
    if outcome.response.status != OK or not body_bytes:
        return outcome
    ports.rates.learn(
        Observation(
            stored_samples=stored_samples(fetch_plan),
            fetched_samples=outcome.origin_samples,
            fetch_ms=outcome.origin_ms,
            total_ms=ports.clock.now_ms() - arrival.request.arrived_ms,
            values=outcome.sample_count,
            body_bytes=body_bytes,
        )
    )
    return replace(outcome, expected_samples=fetch_plan.missing_samples, expected_ms=expected_ms)


def stored_samples(fetch_plan: FetchPlan) -> int:
    """Samples of the answer that are stored."""
    return max(0, fetch_plan.answer_samples - fetch_plan.missing_samples)


def fetches(fetch_plan: FetchPlan) -> bool:
    """Whether the upstream is asked at all."""
    return bool(fetch_plan.missing_days) or fetch_plan.live is not None


def values_of(question: Question | None, fetch_plan: FetchPlan, query: TimeseriesQuery) -> int:
    """Values of the answer, at most, as far as is known."""
    if question is None:
        return fetch_plan.answer_samples
    most = len(query.points) * question.most_values(query.span.duration_ms)
    return most if question.fills else min(most, question.values_a_sample * fetch_plan.answer_samples)
