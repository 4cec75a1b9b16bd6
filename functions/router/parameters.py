"""From an HTTP request to a checked query: URL parameters for GET, a JSON object for POST."""

import json

from edgeseries.core.errors import Fault, InvalidRequest
from edgeseries.core.http import HttpRequest
from edgeseries.core.query import TimeseriesQuery, query_from_json, query_from_pairs


def read_query(request: HttpRequest) -> TimeseriesQuery:
    """The query of a request to `/api/timeseries`. Raises InvalidRequest with every fault."""
    if request.method != "POST":
        return query_from_pairs(request.query)
    if request.query:
        raise InvalidRequest(
            (Fault(parameter="query", detail="a POST takes its fields from the JSON body, not from the URL"),)
        )
    try:
        body = json.loads(request.body, object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        raise InvalidRequest((Fault(parameter="body", detail="is not JSON (UTF-8)"),)) from None
    return query_from_json(body)


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object whose names are given once: of two, nobody could say which is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidRequest(
            (Fault(parameter="body", detail="holds a field more than once; send each once"),)
        )
    return found
