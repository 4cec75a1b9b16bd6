"""The simulator of ACE FlightDeck as tests turn and ask it, and the adapter over it."""

from dataclasses import dataclass
from typing import Any, Final

import httpx

from edgeseries.limits import UPSTREAM_MAX_BODY_BYTES
from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.origin import AceOrigin
from edgeseries.platform.clock import SystemClock
from local.upstream.truth import Truth
from tests.host_web import HostWeb
from tests.loopback import NO_CERTIFICATES

TOKEN: Final = "made-up-token"  # noqa: S105 - the simulator's, on loopback


@dataclass
class Simulator:
    """A running simulator over made-up telemetry."""

    url: str
    truth: Truth

    def control(self, **knobs: Any) -> None:
        turned = {"reset": True, "reset_stats": True, **knobs}
        reply = httpx.post(f"{self.url}/_control", json=turned, trust_env=False, verify=NO_CERTIFICATES)
        reply.raise_for_status()

    def stats(self) -> dict[str, Any]:
        return dict(httpx.get(f"{self.url}/_stats", trust_env=False, verify=NO_CERTIFICATES).json())

    def origin(self, *, token: str = TOKEN, max_body_bytes: int = UPSTREAM_MAX_BODY_BYTES) -> AceOrigin:
        return AceOrigin(
            base_url=f"{self.url}/api",
            token=token,
            web=HostWeb(),
            clock=SystemClock(),
            catalogue=Catalogue(),
            max_body_bytes=max_body_bytes,
        )
