"""The Installations port over the upstreams of one request, with an isolate's memory of reports."""

from collections.abc import Mapping, Sequence
from typing import Final

from edgeseries.bounded_gather import bounded_gather
from edgeseries.limits import DAY_MS, HOUR_MS, MINUTE_MS, UPSTREAM_CONCURRENCY
from edgeseries.origins.adapters.isolate_origins import IsolateOrigins
from edgeseries.origins.by_site import PlacedOrigin
from edgeseries.origins.circuit import CircuitState
from edgeseries.origins.installation import InstallationReport, inspect_installation
from edgeseries.ports.clock import Clock

REPORT_TTL_MS: Final = 15 * MINUTE_MS
"""How long a report is given again: what an installation takes changes when somebody upgrades it."""

LOOK_BACK_MS: Final = (HOUR_MS, DAY_MS, 7 * DAY_MS)
"""How far back samples are looked for within a request. A week of five one-second points is refused by the
bound of one answer; `make probe` looks further."""

ReportMemory = dict[str, InstallationReport]
"""Whole reports of an isolate, by part: plain data, shared by its requests."""


class IsolateInstallations:
    """`origins` are those of one request; `memory` and `loads` are the isolate's."""

    def __init__(
        self, origins: Sequence[PlacedOrigin], *, loads: IsolateOrigins, memory: ReportMemory, clock: Clock
    ) -> None:
        self._placed = {one.record.part: one for one in origins}
        self._loads = loads
        self._memory = memory
        self._clock = clock

    def circuits(self) -> Mapping[str, CircuitState]:
        """See the port."""
        alone = len(self._placed) == 1
        return {
            part: self._loads.load(one.record, alone=alone).circuit.state
            for part, one in self._placed.items()
        }

    async def reports(self, *, deadline_ms: int) -> Mapping[str, InstallationReport]:
        """See the port. A report that ended in a fault is not remembered."""
        now_ms = self._clock.now_ms()
        known = {
            part: report
            for part, report in self._memory.items()
            if part in self._placed and now_ms - report.at_ms < REPORT_TTL_MS
        }
        asked = [part for part in self._placed if part not in known]
        found, _ = await bounded_gather(
            asked, lambda part: self._inspect(part, deadline_ms), at_once=UPSTREAM_CONCURRENCY
        )
        self._memory.update({part: report for part, report in found.items() if report.fault is None})
        return {part: known.get(part) or found[part] for part in self._placed}

    async def _inspect(self, part: str, deadline_ms: int) -> InstallationReport:
        placed = self._placed[part]
        return await inspect_installation(
            placed.origin,
            prefix=placed.record.prefix,
            clock=self._clock,
            deadline_ms=deadline_ms,
            look_back_ms=LOOK_BACK_MS,
        )
