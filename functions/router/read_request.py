"""The rest of a request whose head may come in: headers within bounds, path, query and body as declared."""

from edgeseries.access.grants import Grant
from edgeseries.http.messages import HttpRequest
from edgeseries.http.parameters import names_of
from router.endpoint import Arrival, Endpoint
from router.parameters import check_headers, read_fields, read_path
from router.ports import Ports
from router.resources import Resource


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
