"""`/api/openapi.json`: what this API takes and answers, as one document."""

from collections.abc import Sequence

from edgeseries.access.grants import Right
from router.contract import headers
from router.contract.answers import TAGGED, Answer, json_answer
from router.endpoint import Arrival, Endpoint, Scope
from router.openapi_document import document_text
from router.outcome import Outcome
from router.ports import Ports
from router.representation import conditional_response


def endpoint_about(others: Sequence[Endpoint]) -> Endpoint:
    """The endpoint that serves the document of some endpoints, and of itself."""

    async def openapi(arrival: Arrival, ports: Ports) -> Outcome:  # noqa: ARG001 - every handler has this form
        body, tag = document_text((*others, arrival.endpoint))
        return Outcome(response=conditional_response(body, tag, arrival.request))

    return Endpoint(
        method="GET",
        pattern="/api/openapi.json",
        name="getOpenapi",
        summary="This document.",
        right=Right.READ,
        scope=Scope.NOTHING,
        handler=openapi,
        parameters=(headers.IF_NONE_MATCH,),
        answers={
            200: json_answer("OpenAPI 3.1.", {"type": "object"}, *TAGGED),
            304: Answer(description="The caller has this content.", headers=TAGGED),
        },
    )
