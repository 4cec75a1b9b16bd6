"""`/api/session`: who the caller is to this system, so that a page can show what they may do and no more."""

from dataclasses import dataclass
from typing import Final

from edgeseries.access.grants import Auth, Right
from edgeseries.http.documents import Document
from edgeseries.rates import Tier
from router.contract.answers import json_answer
from router.endpoint import Arrival, Endpoint, Scope
from router.outcome import Outcome, json_outcome
from router.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDocument(Document):
    """What the caller may. `sites` null means all; `key_id` is null without a key. `known` is false for who
    shows none where keys are asked for.
    """

    auth: Auth
    known: bool
    key_id: str | None
    rights: tuple[Right, ...]
    sites: tuple[str, ...] | None
    tier: Tier


async def show_session(arrival: Arrival, ports: Ports) -> Outcome:
    """The grant of the key that was sent; nothing is looked up that identifying did not."""
    grant = arrival.grant
    return json_outcome(
        SessionDocument(
            auth=ports.access.auth,
            known=grant.known,
            key_id=grant.key_id or None,
            rights=tuple(sorted(grant.rights)),
            sites=None if grant.sites is None else tuple(sorted(grant.sites)),
            tier=grant.tier,
        )
    )


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        pattern="/api/session",
        name="getSession",
        summary="What the caller may: whether keys are asked for, and the rights and sites of the one sent.",
        right=None,
        scope=Scope.NOTHING,
        handler=show_session,
        answers={200: json_answer("The caller.", SessionDocument)},
    ),
)
