"""From an HTTP request to a checked query: URL parameters for GET, a JSON object for POST."""

import json
from collections.abc import Sequence
from typing import Any

from edgeseries.core.access import require_site
from edgeseries.core.declared import Parameter
from edgeseries.core.errors import Fault, InvalidRequest
from edgeseries.core.http import HttpRequest
from edgeseries.core.jobs.job import Priority
from edgeseries.core.query import (
    MAX_ECHOED_CHARS,
    MAX_FAULTS_OF_A_KIND,
    TimeseriesQuery,
    query_from_json,
    query_from_pairs,
)
from router.endpoints import Arrival


def read_query(arrival: Arrival) -> TimeseriesQuery:
    """The query of a request to `/api/timeseries`. Raises InvalidRequest with every fault, NotFound for a
    site that its caller may not see.
    """
    request = arrival.request
    query = (
        query_from_json(read_body(request)) if request.method == "POST" else query_from_pairs(request.query)
    )
    require_site(arrival.grant, query.site)
    return query


def read_job_request(arrival: Arrival) -> tuple[TimeseriesQuery, Priority]:
    """The query of a POST to `/api/jobs`, and its priority. Raises as `read_query` does."""
    body = read_body(arrival.request)
    faults: tuple[Fault, ...] = ()
    priority = Priority.NORMAL
    if isinstance(body, dict) and "priority" in body:
        body = dict(body)
        try:
            priority = Priority(body.pop("priority"))
        except ValueError:
            detail = f"must be one of {', '.join(Priority)}, or left out"
            faults = (Fault(parameter="priority", detail=detail),)
    try:
        query = query_from_json(body)
    except InvalidRequest as error:
        raise InvalidRequest((*faults, *error.faults)) from None
    if faults:
        raise InvalidRequest(faults)
    require_site(arrival.grant, query.site)
    return query, priority


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
        body: object = json.loads(request.body, object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        raise InvalidRequest((Fault(parameter="body", detail="is not JSON (UTF-8)"),)) from None
    return body


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object whose names are given once: of two, nobody could say which is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidRequest(
            (Fault(parameter="body", detail="holds a field more than once; send each once"),)
        )
    return found
