"""`/prometheus/api/v1`: points as series of Prometheus, for Grafana's own data source and other clients of
it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from math import isfinite, isnan
from typing import Any, Final

from edgeseries.access.grants import Right
from edgeseries.errors import Fault, InvalidRequest, NotFound
from edgeseries.http.messages import HttpResponse
from edgeseries.http.parameters import Opaque, Parameter, Schema, Whole
from edgeseries.limits import EARLIEST_MS, LATEST_MS, SECOND_MS
from edgeseries.promql.answers import (
    BAD_DATA,
    EXECUTION,
    failure,
    instant_data,
    range_data,
    samples_data,
    success,
)
from edgeseries.promql.evaluation import EvaluationError, Steps, evaluate
from edgeseries.promql.parsing import MAX_CHARS, PromqlError, duration_ms, parse
from edgeseries.promql.syntax import METRIC, NAME_LABEL, Matcher, Node, Selector, selectors_of
from edgeseries.series.timerange import parse_instant
from router.contract.answers import ORIGIN, STORE, json_answer
from router.endpoint import Arrival, Endpoint, Scope
from router.outcome import Outcome
from router.parameters import read_fields
from router.ports import Ports
from router.prometheus_reading import PickedPoint, picked_points, selected_series, sites_of

MAX_STEPS: Final = 11_000
"""As of Prometheus."""

MAX_LISTED: Final = 20_000
"""Series, or values of a label, in one list."""

VERSION: Final = "3.0.0"
"""Whose semantics are followed: ranges are open on the left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionKind:
    """An expression of PromQL."""

    @property
    def schema(self) -> Schema:
        """See the protocol."""
        return {"type": "string", "minLength": 1, "maxLength": MAX_CHARS}

    def read(self, text: str) -> Node:
        """See the protocol."""
        return parse(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeKind:
    """A moment in seconds since 1970, or ISO-8601, as UTC epoch milliseconds."""

    @property
    def schema(self) -> Schema:
        """See the protocol."""
        return {"anyOf": [{"type": "number"}, {"type": "string", "format": "date-time"}]}

    def read(self, text: str) -> int:
        """See the protocol."""
        try:
            seconds = float(text)
        except ValueError:
            return parse_instant(text)
        # A product of a finite number may be infinite.
        found_ms = seconds * SECOND_MS
        at_ms = round(found_ms) if isfinite(found_ms) else LATEST_MS + 1
        if not EARLIEST_MS <= at_ms <= LATEST_MS:
            raise ValueError("must be seconds since 1970, before 2100, or ISO-8601 with a zone")
        return at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKind:
    """A length of time in seconds, or as `5m`, in milliseconds."""

    @property
    def schema(self) -> Schema:
        """See the protocol."""
        return {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string"}]}

    def read(self, text: str) -> int:
        """See the protocol."""
        try:
            seconds = float(text)
        except ValueError:
            return duration_ms(text)
        found_ms = seconds * SECOND_MS
        step_ms = round(found_ms) if isfinite(found_ms) else 0
        if not 0 < step_ms <= LATEST_MS:
            raise ValueError("must be a length of time, as 60 (seconds) or 5m")
        return step_ms


QUERY: Final = Parameter(
    name="query", kind=ExpressionKind(), required=True, description="The expression (`docs/prometheus.md`)."
)
TIME: Final = Parameter(name="time", kind=TimeKind(), description="The moment; now if left out.")
START: Final = Parameter(name="start", kind=TimeKind(), required=True, description="The first step.")
END: Final = Parameter(name="end", kind=TimeKind(), required=True, description="The last step, at most.")
STEP: Final = Parameter(name="step", kind=StepKind(), required=True, description="Between two steps.")
MATCH: Final = Parameter(
    name="match[]",
    kind=ExpressionKind(),
    listed="repeated",
    description="A selector; only series that it picks.",
)
LIMIT: Final = Parameter(
    name="limit",
    kind=Whole(minimum=0, maximum=MAX_LISTED, default=0),
    description=f"At most so many; 0: as many as may be, {MAX_LISTED}.",
)
UNLIMITED: Final = replace(LIMIT, description="Without effect.", deprecated=True)
IGNORED: Final = tuple(
    Parameter(name=name, kind=Opaque(max_chars=100), deprecated=True, description="Without effect.")
    for name in ("timeout", "stats", "lookback_delta", "dedup", "partial_response", "metric")
)
LISTED: Final = (
    MATCH,
    Parameter(name="start", kind=TimeKind(), description="Without effect: all points are listed."),
    Parameter(name="end", kind=TimeKind(), description="Without effect."),
    LIMIT,
    *IGNORED,
)

Handler = Callable[[Arrival, Ports], Awaitable[Any]]


def _answered(handler: Handler) -> Callable[[Arrival, Ports], Awaitable[Outcome]]:
    """What a handler gives as an answer of the API; what cannot be read or computed as an error of it."""

    @wraps(handler)
    async def answer(arrival: Arrival, ports: Ports) -> Outcome:
        try:
            return _outcome(200, success(await handler(arrival, ports)))
        except InvalidRequest as error:
            known = {one.name for one in arrival.endpoint.parameters}
            if any(fault.parameter not in known for fault in error.faults):
                raise
            faults = [{"parameter": one.parameter, "detail": one.detail} for one in error.faults]
            text = "; ".join(f"{one.parameter}: {one.detail}" for one in error.faults)
            return _outcome(400, failure(BAD_DATA, text, faults))
        except EvaluationError as error:
            return _outcome(422, failure(EXECUTION, str(error)))

    return answer


def _outcome(status: int, body: bytes) -> Outcome:
    headers = {"Content-Type": "application/json"}
    return Outcome(response=HttpResponse(status=status, headers=headers, body=body))


@_answered
async def query(arrival: Arrival, ports: Ports) -> Any:
    """The values of an expression at one moment; of a selector with a range the samples in it."""
    fields = _fields(arrival)
    at_ms = fields.get(TIME.name, arrival.request.arrived_ms)
    steps, node = Steps(start_ms=at_ms, end_ms=at_ms, step_ms=1), fields[QUERY.name]
    selected = await selected_series(selectors_of(node), steps, arrival, ports)
    if isinstance(node, Selector) and node.range_ms is not None:
        end_ms = at_ms - node.offset_ms
        return samples_data(
            [
                (
                    one.labels,
                    [
                        (sample_ms, number)
                        for sample_ms, number in zip(one.times_ms, one.numbers, strict=True)
                        if end_ms - node.range_ms < sample_ms <= end_ms and not isnan(number)
                    ],
                )
                for one in selected[node]
            ]
        )
    return instant_data(evaluate(node, steps, selected), at_ms)


@_answered
async def query_range(arrival: Arrival, ports: Ports) -> Any:
    """The values of an expression at each step. Raises InvalidRequest."""
    fields = _fields(arrival)
    start_ms, end_ms, step_ms = fields[START.name], fields[END.name], fields[STEP.name]
    if end_ms < start_ms:
        raise InvalidRequest((Fault(parameter=END.name, detail="must not be before start"),))
    steps = Steps(start_ms=start_ms, end_ms=end_ms, step_ms=step_ms)
    if len(steps) > MAX_STEPS:
        detail = f"makes {len(steps)} steps, at most {MAX_STEPS} are answered: take a longer step"
        raise InvalidRequest((Fault(parameter=STEP.name, detail=detail),))
    node = fields[QUERY.name]
    if isinstance(node, Selector) and node.range_ms is not None:
        detail = "is a range, which has no value at a step: put it into a function such as avg_over_time"
        raise InvalidRequest((Fault(parameter=QUERY.name, detail=detail),))
    selected = await selected_series(selectors_of(node), steps, arrival, ports)
    return range_data(evaluate(node, steps, selected), steps)


@_answered
async def series(arrival: Arrival, ports: Ports) -> Any:
    """The labels of the series that selectors pick. Raises InvalidRequest."""
    matchers, limit = _matches(arrival)
    if not matchers:
        raise InvalidRequest((Fault(parameter=MATCH.name, detail="send at least one selector"),))
    return _limited([dict(one.labels) for one in await _picked(matchers, arrival, ports)], limit)


@_answered
async def labels(arrival: Arrival, ports: Ports) -> Any:  # noqa: ARG001 - a handler
    """The names of labels."""
    _, limit = _matches(arrival)
    return _limited(sorted((NAME_LABEL, "site", "point", "unit", "kind")), limit)


@_answered
async def label_values(arrival: Arrival, ports: Ports) -> Any:
    """The values of a label."""
    name = arrival.path_parameters["label"]
    matchers, limit = _matches(arrival)
    if name == NAME_LABEL:
        return [METRIC]
    if name == "site" and not matchers:
        return _limited(sorted(await sites_of((), arrival, ports)), limit)
    found = {dict(one.labels).get(name) for one in await _picked(matchers or [()], arrival, ports)}
    return _limited(sorted(one for one in found if one), limit)


@_answered
async def metadata(arrival: Arrival, ports: Ports) -> Any:  # noqa: ARG001 - a handler
    """What the metric is."""
    read_fields(arrival.request, arrival.endpoint.parameters)
    return {METRIC: [{"type": "gauge", "help": "The value of a point of a building.", "unit": ""}]}


@_answered
async def buildinfo(arrival: Arrival, ports: Ports) -> Any:  # noqa: ARG001 - a handler
    """Which version of the API this is like."""
    read_fields(arrival.request, arrival.endpoint.parameters)
    return {
        "version": VERSION,
        "revision": "",
        "branch": "EdgeSeries",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    }


async def _picked(matches: Sequence[Sequence[Matcher]], arrival: Arrival, ports: Ports) -> list[PickedPoint]:
    found = {
        one.labels: one
        for matchers in matches
        for one in await picked_points(matchers, arrival, ports, most=MAX_LISTED)
    }
    return [found[key] for key in sorted(found)]


def _fields(arrival: Arrival) -> dict[str, Any]:
    """The parameters. Raises InvalidRequest with every fault."""
    fields = read_fields(arrival.request, arrival.endpoint.parameters)
    missing = [one.name for one in arrival.endpoint.parameters if one.required and one.name not in fields]
    if missing:
        raise InvalidRequest(tuple(Fault(parameter=name, detail="is missing") for name in missing))
    return fields


def _matches(arrival: Arrival) -> tuple[list[tuple[Matcher, ...]], int]:
    """The selectors, and how many may be listed. Raises InvalidRequest."""
    texts = [text for name, text in arrival.request.query if name == MATCH.name]
    found: list[tuple[Matcher, ...]] = []
    for text in texts:
        try:
            node = parse(text)
        except PromqlError as error:
            raise InvalidRequest((Fault(parameter=MATCH.name, detail=str(error)),)) from None
        if not isinstance(node, Selector):
            raise InvalidRequest((Fault(parameter=MATCH.name, detail="must be a selector"),))
        found.append(node.matchers)
    others = tuple(pair for pair in arrival.request.query if pair[0] != MATCH.name)
    known = [one for one in arrival.endpoint.parameters if one is not MATCH]
    fields = read_fields(replace(arrival.request, query=others), known)
    return found, fields.get(LIMIT.name, 0) or MAX_LISTED


def _limited(found: Sequence[Any], limit: int) -> Sequence[Any]:
    return found[:limit]


_ANSWER: Final[Schema] = {
    "type": "object",
    "properties": {"status": {"const": "success"}, "data": {}},
    "required": ["status", "data"],
}
_ERROR: Final[Schema] = {
    "type": "object",
    "properties": {
        "status": {"const": "error"},
        "errorType": {"type": "string", "enum": [BAD_DATA, EXECUTION]},
        "error": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}},
    },
    "required": ["status", "errorType", "error", "errors"],
}
ANSWERS: Final = {
    200: json_answer("As Prometheus answers.", _ANSWER),
    400: json_answer("What cannot be read.", _ERROR),
    422: json_answer("What cannot be computed.", _ERROR),
}


def _endpoint(path: str, name: str, summary: str, handler: Any, *parameters: Parameter) -> Endpoint:
    return Endpoint(
        method="GET",
        pattern=f"/prometheus/api/v1/{path}",
        name=name,
        summary=summary,
        right=Right.READ,
        scope=Scope.SITES,
        handler=handler,
        parameters=parameters,
        answers=ANSWERS,
        problems=(NotFound, *ORIGIN, *STORE),
    )


ENDPOINTS: Final = (
    _endpoint(
        "query", "promQuery", "An expression of PromQL at a moment.", query, QUERY, TIME, UNLIMITED, *IGNORED
    ),
    _endpoint(
        "query_range",
        "promQueryRange",
        "An expression of PromQL at the steps of a range.",
        query_range,
        *(QUERY, START, END, STEP, UNLIMITED, *IGNORED),
    ),
    _endpoint("series", "promSeries", "Series by selectors.", series, *LISTED),
    _endpoint("labels", "promLabels", "Names of labels.", labels, *LISTED),
    _endpoint("label/{label}/values", "promLabelValues", "Values of a label.", label_values, *LISTED),
    _endpoint("metadata", "promMetadata", "What the metric is.", metadata, UNLIMITED, *IGNORED),
    _endpoint("status/buildinfo", "promBuildinfo", "Which version this is like.", buildinfo),
)
