"""Who asks, how often they may, and whether they may use this endpoint at all."""

from edgeseries.access.grants import EVERYBODY, NOBODY, Auth, Grant, require
from edgeseries.access.keys import (
    ADMIN_KEY_ID,
    KeyRecord,
    PresentedKey,
    admin_record,
    grant_of,
    presented_key,
)
from edgeseries.errors import RateLimited, Unidentified
from edgeseries.http.messages import HttpRequest
from edgeseries.limits import RATE_WINDOW_S
from edgeseries.rates import Tier
from router.endpoint import Endpoint
from router.ports import Ports


async def authorize(head: HttpRequest, endpoint: Endpoint, ports: Ports) -> Grant:
    """What the caller may do, if that is enough for this endpoint and method.

    Raises Unidentified, RateLimited, Forbidden, and StoreUnavailable where a key cannot
    be looked up: nobody comes in by guess.
    """
    grant = await identify(head, ports)
    if endpoint.right is not None and not grant.known:
        require(grant, endpoint.right)
    await check_rate(f"key:{grant.key_id}" if grant.key_id else f"ip:{head.caller}", grant.tier, ports)
    if endpoint.right is not None:
        require(grant, endpoint.right)
    return grant


async def identify(head: HttpRequest, ports: Ports) -> Grant:
    """Whose key it is. Raises Unidentified for a key that is none."""
    if ports.access.auth is Auth.OPEN:
        return EVERYBODY
    shown = head.headers.get("authorization")
    if shown is None:
        return NOBODY
    presented = presented_key(shown)
    if presented is None:
        detail = "the Authorization header holds no key of ours; a key is sent as: Bearer es_<id>_<secret>"
        raise Unidentified(detail, tried=True)
    grant = grant_of(await _record_of(presented, head, ports), presented)
    if grant is None:
        raise Unidentified("there is no such key, or it is revoked; ask an admin for a new one", tried=True)
    if grant.key_id != ADMIN_KEY_ID:
        ports.keys.used(grant.key_id, head.arrived_ms)
    return grant


async def _record_of(presented: PresentedKey, head: HttpRequest, ports: Ports) -> KeyRecord | None:
    if presented.key_id == ADMIN_KEY_ID:
        return admin_record(ports.access.admin_key_hash)
    recalled = ports.keys.recall(presented.key_id)
    if recalled is not None:
        return recalled.record
    # Whoever tries made-up ids has each looked up in the database; that is counted by where they ask from.
    await check_rate(f"ip:{head.caller}", Tier.STANDARD, ports)
    return await ports.keys.find(presented.key_id)


async def still_holds(grant: Grant, ports: Ports) -> bool:
    """Whether a grant that was given some time ago would be given now. Raises StoreUnavailable."""
    if ports.access.auth is Auth.OPEN or grant.key_id == ADMIN_KEY_ID:
        return True
    recalled = ports.keys.recall(grant.key_id)
    record = recalled.record if recalled is not None else await ports.keys.find(grant.key_id)
    return record is not None and record.revoked_ms is None


async def check_rate(caller: str, tier: Tier, ports: Ports) -> None:
    """Raises RateLimited for a caller over its rate."""
    if not await ports.rate_limiter.allows(caller, tier):
        raise RateLimited(
            "too many requests from this caller; wait a minute, or ask for more points per request",
            retry_after_s=RATE_WINDOW_S,
            policy=ports.access.rates[tier],
        )
