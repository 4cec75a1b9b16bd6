"""`/api/openapi.json`: what this API takes and answers, as one document."""

from router.conditional import conditional_response
from router.contract.document import document_text
from router.endpoints import Arrival
from router.outcome import Outcome
from router.ports import Ports


async def openapi(arrival: Arrival, ports: Ports) -> Outcome:  # noqa: ARG001 - every handler has this form
    """The OpenAPI document, or 304 for who has it."""
    body, tag = document_text()
    return Outcome(response=conditional_response(body, tag, arrival.request))
