"""Reads of an ACE installation: the upstream's calls with its bearer token."""

from edgeseries.origins.ace import wire as ace
from edgeseries.origins.calls import SettingNames, UpstreamCalls
from edgeseries.ports.clock import Clock
from edgeseries.ports.web import Web


def ace_calls(
    *,
    base_url: str,
    token: str,
    web: Web,
    clock: Clock,
    max_body_bytes: int,
    names: SettingNames | None = None,
) -> UpstreamCalls:
    """Reads with one credential."""
    return UpstreamCalls(
        base_url=base_url,
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        web=web,
        clock=clock,
        max_body_bytes=max_body_bytes,
        message_of=ace.message_of,
        names=names,
    )
