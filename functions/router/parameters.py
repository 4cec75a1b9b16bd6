"""What a caller sent: the whole request within its bounds, and the checked query of it.

URL parameters for GET, a JSON object for POST.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from edgeseries.access.grants import Grant, require_site
from edgeseries.answers.presentation import JSON, PRESENTATION, Presentation, presentation_of
from edgeseries.errors import Fault, HeadersTooLarge, InvalidRequest
from edgeseries.http.messages import HttpRequest
from edgeseries.http.parameters import Parameter, names_of
from edgeseries.jobs.job import Priority
from edgeseries.limits import MAX_HEADER_CHARS, MAX_HEADERS_BYTES, MAX_JSON_DEPTH
from edgeseries.planning.query import (
    FLAGS,
    MAX_ECHOED_CHARS,
    MAX_FAULTS_OF_A_KIND,
    TimeseriesQuery,
    query_from_json,
    query_from_pairs,
)
from edgeseries.planning.relative_times import END, START, with_instants
from edgeseries.series.json_text import RepeatedField, TooDeep, parsed
from router.contract.parameters import DRY_RUN, IN_PATH
from router.endpoint import Arrival, Endpoint
from router.ports import Ports
from router.resources import Resource

PRESENTATION_NAMES: Final = frozenset(names_of(PRESENTATION))
BESIDE_THE_QUERY: Final = PRESENTATION_NAMES | {DRY_RUN.name}
"""Parameters of a request for samples that its query does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedSamples:
    """The query of a request for samples, how the answer is to look, whether only what it takes is asked."""

    query: TimeseriesQuery
    presentation: Presentation
    dry_run: bool


def read_query(arrival: Arrival) -> TimeseriesQuery:
    """The query of a request for some points in a range. Raises InvalidRequest with every fault, NotFound for
    a site that its caller may not see.
    """
    query = _query_reader(arrival)()
    require_site(arrival.grant, query.site)
    return query


def _query_reader(
    arrival: Arrival, pairs: Sequence[tuple[str, str]] | None = None, body: object = None
) -> Callable[[], TimeseriesQuery]:
    """What reads the query of a request: of these pairs, or fields of a body, or of all that was sent. Times
    that are relative to now are those of its arrival.
    """
    request = arrival.request
    if request.method == "POST":
        body = read_body(request) if body is None else body
        if isinstance(body, dict):
            body = with_instants(body, now_ms=request.arrived_ms)
        return partial(query_from_json, body)
    return partial(query_from_pairs, absolute_pairs(request.query if pairs is None else pairs, arrival))


def absolute_pairs(pairs: Sequence[tuple[str, str]], arrival: Arrival) -> list[tuple[str, str]]:
    """URL parameters in their order, times that are relative to now as epoch milliseconds."""
    times = [text for name, text in pairs if name in (START, END)]
    if not any(text[:1].isalpha() for text in times):
        # What begins with a digit or a sign is an instant already.
        return list(pairs)
    given = with_instants(dict(pairs), now_ms=arrival.request.arrived_ms)
    return [(name, given[name]) if name in (START, END) else (name, text) for name, text in pairs]


def read_timeseries(arrival: Arrival) -> AskedSamples:
    """A request for samples.

    Raises InvalidRequest with every fault, NotAcceptable, NotFound for a site that its caller may not see.
    """
    if arrival.request.method == "POST":
        body, given = _without_presentation(read_body(arrival.request))
        read = _query_reader(arrival, body=body)
    else:
        pairs, given = presentation_pairs(arrival.request.query, names=BESIDE_THE_QUERY)
        read = _query_reader(arrival, pairs)
    dry_run, faults = _dry_run_of(given)
    presentation = JSON
    try:
        presentation = presentation_of(given, arrival.request.headers.get("accept", ""))
    except InvalidRequest as error:
        faults = (*faults, *error.faults)
    query = _with_faults(read, faults)
    require_site(arrival.grant, query.site)
    return AskedSamples(query=query, presentation=presentation, dry_run=dry_run)


def _dry_run_of(given: Mapping[str, str]) -> tuple[bool, tuple[Fault, ...]]:
    try:
        return FLAGS[DRY_RUN.kind.read(given.get(DRY_RUN.name, "false"))], ()
    except ValueError as fault:
        return False, (Fault(parameter=DRY_RUN.name, detail=str(fault)),)


def presentation_pairs(
    pairs: Sequence[tuple[str, str]], names: AbstractSet[str] = PRESENTATION_NAMES
) -> tuple[Sequence[tuple[str, str]], Mapping[str, str]]:
    """Parameters of the query, and the first of each of these names; what is there twice stays among
    those of the query, which knows no such parameter.
    """
    given: dict[str, str] = {}
    others = []
    for name, text in pairs:
        if name in names and name not in given:
            given[name] = text
        else:
            others.append((name, text))
    return others, given


def _without_presentation(body: object) -> tuple[object, Mapping[str, str]]:
    """A body without the fields of the presentation that are texts, and these."""
    if not isinstance(body, dict):
        return body, {}
    given = {name: body[name] for name in BESIDE_THE_QUERY if isinstance(body.get(name), str)}
    if isinstance(body.get(DRY_RUN.name), bool):
        given[DRY_RUN.name] = str(body[DRY_RUN.name]).lower()
    return {name: value for name, value in body.items() if name not in given}, given


def _with_faults(read: Callable[[], TimeseriesQuery], faults: tuple[Fault, ...]) -> TimeseriesQuery:
    """What is read. Raises InvalidRequest with what is wrong with it, and these faults before."""
    try:
        query = read()
    except InvalidRequest as error:
        raise InvalidRequest((*faults, *error.faults)) from None
    if faults:
        raise InvalidRequest(faults)
    return query


def read_job_request(arrival: Arrival) -> tuple[TimeseriesQuery, Priority, bool]:
    """The query of a POST to `/api/jobs`, its priority, and whether only what it takes is asked. Raises
    InvalidRequest.
    """
    body = read_body(arrival.request)
    dry_run = False
    faults: tuple[Fault, ...] = ()
    if isinstance(body, dict) and DRY_RUN.name in body:
        body = dict(body)
        flag = body.pop(DRY_RUN.name)
        dry_run, faults = _dry_run_of(
            {DRY_RUN.name: str(flag).lower() if isinstance(flag, bool) else str(flag)}
        )
    priority = Priority.NORMAL
    if isinstance(body, dict) and "priority" in body:
        body = dict(body)
        try:
            priority = Priority(body.pop("priority"))
        except ValueError:
            detail = f"must be one of {', '.join(Priority)}, or left out"
            faults = (*faults, Fault(parameter="priority", detail=detail))
    query = _with_faults(_query_reader(arrival, body=body), faults)
    require_site(arrival.grant, query.site)
    return query, priority, dry_run


def check_headers(head: HttpRequest, declared: Sequence[Parameter]) -> None:
    """Raises HeadersTooLarge for a header that has an effect and is too long, or for too many in all."""
    size_bytes = sum(len(name) + len(value) for name, value in head.headers.items())
    if size_bytes > MAX_HEADERS_BYTES:
        raise HeadersTooLarge(f"the headers are longer than {MAX_HEADERS_BYTES} bytes; send fewer")
    for one in declared:
        if one.place == "header" and len(head.headers.get(one.name.lower(), "")) > MAX_HEADER_CHARS:
            raise HeadersTooLarge(f"{one.name} is longer than {MAX_HEADER_CHARS} characters")


def read_path(given: Mapping[str, str]) -> dict[str, Any]:
    """The decoded parts of a path, read as they are declared. Raises InvalidRequest."""
    found = {}
    for name, text in given.items():
        try:
            found[name] = IN_PATH[name].kind.read(text)
        except ValueError as fault:
            raise InvalidRequest((Fault(parameter=name, detail=str(fault)),)) from None
    return found


def read_fields(request: HttpRequest, declared: Sequence[Parameter]) -> dict[str, Any]:
    """The URL's parameters, read as they are declared, each at most once; what is left out is not there.

    Raises InvalidRequest with every fault.
    """
    known = {one.name: one for one in declared if one.place == "query"}
    faults: list[Fault] = []
    given: dict[str, Any] = {}
    for parameter, text in request.query[: MAX_FAULTS_OF_A_KIND + len(known)]:
        if parameter not in known:
            detail = f"there is no such parameter; known are {', '.join(known) or 'none'}"
            faults.append(Fault(parameter=parameter[:MAX_ECHOED_CHARS], detail=detail))
        elif parameter in given:
            faults.append(Fault(parameter=parameter, detail="given more than once; send it once"))
        else:
            try:
                given[parameter] = known[parameter].kind.read(text)
            except ValueError as fault:
                faults.append(Fault(parameter=parameter, detail=str(fault)))
    if faults:
        raise InvalidRequest(tuple(faults[:MAX_FAULTS_OF_A_KIND]))
    return given


def read_body(request: HttpRequest) -> object:
    """The JSON body of a POST. Raises InvalidRequest."""
    if request.query:
        raise InvalidRequest(
            (Fault(parameter="query", detail="a POST takes its fields from the JSON body, not from the URL"),)
        )
    try:
        body: object = parsed(request.body)
    except TooDeep:
        detail = f"has brackets deeper than {MAX_JSON_DEPTH} levels; two are enough"
    except RepeatedField:
        detail = "holds a field more than once; send each once"
    except ValueError:
        detail = "is not JSON (UTF-8)"
    else:
        return body
    raise InvalidRequest((Fault(parameter="body", detail=detail),))


async def read_request(
    head: HttpRequest, resource: Resource, endpoint: Endpoint, grant: Grant, ports: Ports
) -> Arrival:
    """The whole request, within the deadline that runs from its arrival.

    Raises InvalidRequest, HeadersTooLarge, TooLarge, RequestTimeout.
    """
    check_headers(head, endpoint.parameters)
    path_parameters = read_path(resource.parameters(head.path))
    deadline_ms = head.arrived_ms + ports.request_deadline_ms
    request = await ports.incoming.whole(head, deadline_ms=deadline_ms)
    if not names_of(endpoint.parameters) and endpoint.body is None:
        read_fields(request, ())
    return Arrival(
        request=request,
        endpoint=endpoint,
        grant=grant,
        path_parameters=path_parameters,
        deadline_ms=deadline_ms,
    )
