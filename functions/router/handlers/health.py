"""`/api/health`: that this Worker answers; with `deep=1`, every part that answers depend on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from edgeseries.access.grants import Right, require
from edgeseries.http.documents import LEFT_OUT, REST, Document, Section
from edgeseries.limits import PROBE_TIMEOUT_MS, SECOND_MS
from edgeseries.metrics.ports.health import Finding
from edgeseries.origins.circuit import CircuitState
from edgeseries.origins.installation import InstallationReport
from edgeseries.series.timerange import iso_instant
from router.contract.answers import (
    json_answer,
)
from router.contract.parameters import DEEP, DEEPEST, DEPTHS
from router.endpoint import Arrival, Endpoint, Scope
from router.outcome import Outcome, json_outcome
from router.parameters import read_fields
from router.ports import Ports

UNHEALTHY = 503

INSTALLATION_LOOK_MS: Final = 8 * SECOND_MS
"""All looks at installations of one request, which come after the probes."""

Status = Literal["ok", "failing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationDocument(Section):
    """What an upstream's installation takes, as it was found out at an instant: texts by what they are of.
    With a fault, as far as that.
    """

    at: str
    found: Mapping[str, str]
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDocument(Section):
    """How a part answered, with counts of its own. The circuit is that of an upstream, as the isolate that
    answers has it.
    """

    status: Status
    duration_ms: int
    fault: str | None
    facts: Annotated[Mapping[str, int], REST]
    circuit: Annotated[CircuitState | None, LEFT_OUT] = None
    installation: Annotated[InstallationDocument | None, LEFT_OUT] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthDocument(Document):
    """Whether the Worker answers, and with `deep=1` every part by name."""

    status: Status
    parts: Annotated[Mapping[str, PartDocument] | None, LEFT_OUT] = None


async def health(arrival: Arrival, ports: Ports) -> Outcome:
    """Cheap and always 200; with `deep=1` 200 only if every part answered in time, else 503, and each
    part with its time and its fault. With `deep=full` upstreams are looked at, too, which changes no status.
    """
    fields = read_fields(arrival.request, arrival.endpoint.parameters)
    deep = fields.get("deep", "0")
    if not DEPTHS[deep]:
        return json_outcome(HealthDocument(status="ok"))
    require(arrival.grant, Right.READ, what="looking at every part")
    if deep == DEEPEST:
        require(arrival.grant, Right.ADMIN, what="looking at installations")
    findings = await ports.health_checker.check_all(timeout_ms=PROBE_TIMEOUT_MS)
    reports: Mapping[str, InstallationReport] = {}
    if deep == DEEPEST:
        until_ms = min(arrival.deadline_ms, ports.clock.now_ms() + INSTALLATION_LOOK_MS)
        reports = await ports.installations.reports(deadline_ms=until_ms)
    circuits = ports.installations.circuits()
    healthy = all(finding.fault is None for finding in findings)
    return json_outcome(
        HealthDocument(
            status="ok" if healthy else "failing",
            parts={
                one.part: _serialize_finding(one, circuits.get(one.part), reports.get(one.part))
                for one in findings
            },
        ),
        status=200 if healthy else UNHEALTHY,
    )


def _serialize_finding(
    finding: Finding, circuit: CircuitState | None, report: InstallationReport | None
) -> PartDocument:
    return PartDocument(
        status="ok" if finding.fault is None else "failing",
        duration_ms=finding.duration_ms,
        fault=finding.fault,
        circuit=circuit,
        installation=None
        if report is None
        else InstallationDocument(at=iso_instant(report.at_ms), found=dict(report.facts), fault=report.fault),
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
