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
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise InvalidRequest((Fault(parameter="body", detail="is not JSON (UTF-8)"),)) from None
    return query_from_json(body)
