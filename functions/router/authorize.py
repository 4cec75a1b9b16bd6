"""Who asks, how often they may, and whether they may use this endpoint at all."""

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from edgeseries.access.grants import EVERYBODY, NOBODY, Auth, Grant, require
from edgeseries.access.keys import (
    ADMIN_KEY_ID,
    PresentedKey,
    admin_record,
    grant_of,
    presented_key,
    socket_authorization,
)
from edgeseries.access.ports.keys import Recalled
from edgeseries.errors import RateLimited, Unidentified
from edgeseries.http.messages import HttpRequest
from edgeseries.limits import RATE_WINDOW_S
from edgeseries.rates import Tier
from router.endpoint import Endpoint
from router.ports import Ports

IPV6_HOST_PREFIX: Final = 64
"""Bits that a network gives one host at the least (RFC 6177, RFC 4291 2.5.1)."""


async def authorize(head: HttpRequest, endpoint: Endpoint, ports: Ports) -> Grant:
    """What the caller may do, if that is enough for this endpoint and method.

    Raises Unidentified, RateLimited, Forbidden, and StoreUnavailable where a key cannot
    be looked up: nobody comes in by guess.
    """
    grant = await identify(head, ports)
    caller = f"key:{grant.key_id}" if grant.key_id else _address_of(head)
    ports.requester.owner = caller
    await check_rate(caller, grant.tier, ports)
    if endpoint.right is not None:
        require(grant, endpoint.right)
    return grant


async def identify(head: HttpRequest, ports: Ports) -> Grant:
    """Whose key it is. Raises Unidentified for a key that is none, RateLimited where its address is over
    its rate.

    Only who shows a key that is remembered is identified for nothing. Everybody else is counted by their
    address before anything is looked up: neither made-up ids nor wrong secrets are counted for a key.
    """
    if ports.access.auth is Auth.OPEN:
        return EVERYBODY
    authorization = head.headers.get("authorization")
    if authorization is None:
        authorization = socket_authorization(head.headers.get("sec-websocket-protocol", ""))
    if authorization is None:
        return NOBODY
    presented = presented_key(authorization)
    grant = None if presented is None else _remembered_grant(presented, ports)
    if grant is None:
        grant = await _identify_stranger(presented, head, ports)
    if grant.key_id != ADMIN_KEY_ID:
        ports.keys.used(grant.key_id, head.arrived_ms)
    return grant


async def _identify_stranger(presented: PresentedKey | None, head: HttpRequest, ports: Ports) -> Grant:
    """The grant of a key that is not remembered. Raises RateLimited and Unidentified."""
    allowed = await ports.rate_limiter.allows(_address_of(head), Tier.STANDARD)
    grant = None
    if presented is not None and not allowed:
        # Others at this address have used up what it may ask. That must not lock out a good key: all keys
        # are read at once, so that an id costs no look-up of its own, however many are made up.
        await ports.keys.remember_all()
        grant = _remembered_grant(presented, ports)
    elif presented is not None and _remembered(presented, ports) is None:
        grant = grant_of(await ports.keys.find(presented.key_id), presented)
    if grant is not None:
        return grant
    if not allowed:
        raise _over_rate(Tier.STANDARD, ports)
    if presented is None:
        detail = "the Authorization header holds no key of ours; a key is sent as: Bearer es_<id>_<secret>"
        raise Unidentified(detail, tried=True)
    raise Unidentified("there is no such key, or it is revoked; ask an admin for a new one", tried=True)


def _remembered(presented: PresentedKey, ports: Ports) -> Recalled | None:
    """What is known of an id without a look-up."""
    if presented.key_id == ADMIN_KEY_ID:
        return Recalled(record=admin_record(ports.access.admin_key_hash))
    return ports.keys.recall(presented.key_id)


def _remembered_grant(presented: PresentedKey, ports: Ports) -> Grant | None:
    recalled = _remembered(presented, ports)
    return None if recalled is None else grant_of(recalled.record, presented)


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
        raise _over_rate(tier, ports)


def _over_rate(tier: Tier, ports: Ports) -> RateLimited:
    return RateLimited(
        "too many requests from this caller; wait a minute, or ask for more points per request",
        retry_after_s=RATE_WINDOW_S,
        policy=ports.access.rates[tier],
    )


def _address_of(head: HttpRequest) -> str:
    """The name under which a caller without a key is counted: an IPv4 address, or the /64 that one host has
    of IPv6, in which it could take a new address for each request.
    """
    try:
        address = ip_address(head.caller)
    except ValueError:
        return f"ip:{head.caller}"
    if isinstance(address, IPv6Address):
        return f"ip:{IPv6Network((address, IPV6_HOST_PREFIX), strict=False)}"
    return f"ip:{address}"
