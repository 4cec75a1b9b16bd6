"""`/api/health`: that this Worker answers; with `deep=1`, every part that answers depend on."""

from typing import Final

from edgeseries.access.grants import Right, require
from edgeseries.limits import PROBE_TIMEOUT_MS
from edgeseries.metrics.ports.health import Finding
from router.contract import schemas
from router.contract.answers import (
    json_answer,
)
from router.contract.parameters import DEEP, DEPTHS
from router.endpoint import Arrival, Endpoint, Scope
from router.outcome import Outcome, json_outcome
from router.parameters import read_fields
from router.ports import Ports

UNHEALTHY = 503


async def health(arrival: Arrival, ports: Ports) -> Outcome:
    """Cheap and always 200; with `deep=1` 200 only if every part answered in time, else 503, and each
    part with its time and its fault.
    """
    fields = read_fields(arrival.request, arrival.endpoint.parameters)
    if not DEPTHS[fields.get("deep", "0")]:
        return json_outcome({"status": "ok"})
    require(arrival.grant, Right.READ, what="looking at every part")
    findings = await ports.health_checker.examine(timeout_ms=PROBE_TIMEOUT_MS)
    healthy = all(finding.fault is None for finding in findings)
    return json_outcome(
        {
            "status": "ok" if healthy else "failing",
            "parts": {one.part: _serialize_finding(one) for one in findings},
        },
        status=200 if healthy else UNHEALTHY,
    )


def _serialize_finding(finding: Finding) -> dict[str, object]:
    return {
        "status": "ok" if finding.fault is None else "failing",
        "durationMs": finding.duration_ms,
        "fault": finding.fault,
        **dict(finding.facts),
    }


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        pattern="/api/health",
        name="getHealth",
        summary="Whether this Worker answers; with `deep=1`, whether every part that answers depend on does.",
        right=None,
        scope=Scope.NOTHING,
        handler=health,
        parameters=(DEEP,),
        answers={
            200: json_answer("All is well.", schemas.ref("Health")),
            503: json_answer("A part does not answer.", schemas.ref("Health")),
        },
    ),
)
