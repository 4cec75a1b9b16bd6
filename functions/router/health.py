"""`/api/health`: every part that answers depend on, looked at now."""

from edgeseries.core.limits import PROBE_TIMEOUT_MS
from edgeseries.ports.health import Finding
from router.endpoints import Arrival
from router.outcome import Outcome, json_outcome
from router.ports import Ports

UNHEALTHY = 503


async def health(arrival: Arrival, ports: Ports) -> Outcome:  # noqa: ARG001 - every handler has this form
    """200 if every part answered in time, else 503; each part with its time and its fault."""
    findings = await ports.examiner.examine(timeout_ms=PROBE_TIMEOUT_MS)
    healthy = all(finding.fault is None for finding in findings)
    return json_outcome(
        {"status": "ok" if healthy else "failing", "parts": {one.part: _told(one) for one in findings}},
        status=200 if healthy else UNHEALTHY,
    )


def _told(finding: Finding) -> dict[str, object]:
    return {
        "status": "ok" if finding.fault is None else "failing",
        "durationMs": finding.duration_ms,
        "fault": finding.fault,
        **dict(finding.facts),
    }
