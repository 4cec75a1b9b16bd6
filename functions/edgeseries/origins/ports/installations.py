"""What is known of each upstream of a stack, by the name that health has for it."""

from collections.abc import Mapping
from typing import Protocol

from edgeseries.origins.circuit import CircuitState
from edgeseries.origins.installation import InstallationReport


class Installations(Protocol):
    """All upstreams of the stack."""

    def circuits(self) -> Mapping[str, CircuitState]:
        """The circuit of each, as this isolate has it. Nothing is asked."""
        ...

    async def reports(self, *, deadline_ms: int) -> Mapping[str, InstallationReport]:
        """What each installation takes, looked at now or remembered of a while ago. It never raises for an
        upstream; looks end at `deadline_ms` (UTC epoch ms) with what was found until then.
        """
        ...
