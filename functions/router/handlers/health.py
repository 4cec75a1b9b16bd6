"""`/api/health`: that this Worker answers; with `deep=1`, every part that answers depend on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from edgeseries.access.grants import Right, require
from edgeseries.http.documents import LEFT_OUT, REST, Document, Section
from edgeseries.limits import PROBE_TIMEOUT_MS
from edgeseries.metrics.ports.health import Finding
from router.contract.answers import (
    json_answer,
)
from router.contract.parameters import DEEP, DEPTHS
from router.endpoint import Arrival, Endpoint, Scope
from router.outcome import Outcome, json_outcome
from router.parameters import read_fields
from router.ports import Ports

UNHEALTHY = 503

Status = Literal["ok", "failing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDocument(Section):
    """How a part answered, with counts of its own."""

    status: Status
    duration_ms: int
    fault: str | None
    facts: Annotated[Mapping[str, int], REST]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthDocument(Document):
    """Whether the Worker answers, and with `deep=1` every part by name."""

    status: Status
    parts: Annotated[Mapping[str, PartDocument] | None, LEFT_OUT] = None


async def health(arrival: Arrival, ports: Ports) -> Outcome:
    """Cheap and always 200; with `deep=1` 200 only if every part answered in time, else 503, and each
    part with its time and its fault.
    """
    fields = read_fields(arrival.request, arrival.endpoint.parameters)
    if not DEPTHS[fields.get("deep", "0")]:
        return json_outcome(HealthDocument(status="ok"))
    require(arrival.grant, Right.READ, what="looking at every part")
    findings = await ports.health_checker.check_all(timeout_ms=PROBE_TIMEOUT_MS)
    healthy = all(finding.fault is None for finding in findings)
    return json_outcome(
        HealthDocument(
            status="ok" if healthy else "failing",
            parts={one.part: _serialize_finding(one) for one in findings},
        ),
        status=200 if healthy else UNHEALTHY,
    )


def _serialize_finding(finding: Finding) -> PartDocument:
    return PartDocument(
        status="ok" if finding.fault is None else "failing",
        duration_ms=finding.duration_ms,
        fault=finding.fault,
        facts=dict(finding.facts),
    )


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
            200: json_answer("All is well.", HealthDocument),
            503: json_answer("A part does not answer.", HealthDocument),
        },
    ),
)
