"""The life of a request, from arrival to the response that leaves.

Every step is a decision with a file of its own; this page only puts them in order.
"""

from edgeseries.answers.problem import problem_response
from edgeseries.errors import EdgeError
from edgeseries.http.messages import HttpRequest, HttpResponse
from router.authorize import authorize
from router.endpoints import RESOURCES
from router.finalize_response import finalize_response, preflight
from router.outcome import Outcome
from router.parameters import read_request
from router.ports import Ports
from router.resources import find_resource, label_of


async def answer(head: HttpRequest, ports: Ports) -> HttpResponse:
    """The response to any request, of which the head is here. It has been written to the log.

    1. `resources.py`: which path is meant (404), which method of it (405).
    2. `authorize.py`: whose key it is, whether its rate allows this, whether it has the endpoint's right.
    3. `parameters.py`: headers, path, query and body, within bounds and in time.
    4. `handlers/`: the endpoint's own work, in the file that is named by the path.
    5. `finalize_response.py`: headers that all responses carry, one log line, one measured record.

    An error of any step becomes a problem response (`answers/problem.py`).
    """
    rate = None
    try:
        resource = find_resource(RESOURCES, head.path)
        if head.method == "OPTIONS":
            outcome = Outcome(response=preflight(resource.methods))
        else:
            endpoint = resource.endpoint(head.method)
            grant = await authorize(head, endpoint, ports)
            rate = ports.access.rates[grant.tier]
            arrival = await read_request(head, resource, endpoint, grant, ports)
            outcome = await endpoint.handler(arrival, ports)
    except EdgeError as error:
        outcome = problem_outcome(error, head)
    return finalize_response(
        head,
        outcome,
        endpoint=label_of(RESOURCES, head.path),
        ports=ports,
        rate=rate,
    )


def refuse(error: EdgeError, head: HttpRequest, ports: Ports) -> HttpResponse:
    """The problem response of an error that the flow itself did not expect, as it leaves."""
    outcome = problem_outcome(error, head)
    return finalize_response(head, outcome, endpoint=label_of(RESOURCES, head.path), ports=ports)


def problem_outcome(error: EdgeError, head: HttpRequest) -> Outcome:
    """An error as the caller gets it."""
    problem = problem_response(error, path=head.path, request_id=head.request_id)
    return Outcome(response=problem, error=error)
