"""API keys: their text, their hash, and what a kept record grants to who shows one.

A key is `es_<id>_<secret>`. The secret has 256 bits of entropy, so that nothing can be gained by trying
secrets against a stolen hash: one round of SHA-256 is enough, and no slow hash has to be paid at requests.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from edgeseries.access.grants import Grant, Right
from edgeseries.errors import Fault, InvalidRequest
from edgeseries.limits import KEY_ID_BYTES, KEY_MAX_SITES, KEY_SECRET_BYTES, MAX_OWNER_CHARS
from edgeseries.planning.query import MAX_FAULTS_OF_A_KIND, fault_of_name
from edgeseries.rates import Tier

ADMIN_KEY_ID: Final = "admin"
"""The id of the key whose hash is a setting; no other key has it, since ids are hexadecimal."""

ALL_SITES: Final = "*"

_KEY: Final = re.compile(
    rf"(?P<text>es_(?P<id>{ADMIN_KEY_ID}|[0-9a-f]{{{2 * KEY_ID_BYTES}}})_[0-9a-f]{{{2 * KEY_SECRET_BYTES}}})",
    re.ASCII,
)

_NO_HASH: Final = "0" * 64
"""What a key is compared with that nobody has made, so that this takes as long as any comparison."""

_FIELDS: Final = ("owner", "sites", "rights", "tier")


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedKey:
    """A key as a caller shows it. Only its hash is kept, so that no log can have more."""

    key_id: str
    key_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """What is kept of a key. `sites` None means all; `used_ms` is to the hour."""

    key_id: str
    key_hash: str
    owner: str
    sites: tuple[str, ...] | None
    rights: tuple[Right, ...]
    tier: Tier
    created_ms: int
    revoked_ms: int | None = None
    used_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """What a new key is to be, checked."""

    owner: str
    sites: tuple[str, ...] | None
    rights: tuple[Right, ...]
    tier: Tier


def key_text(key_id: str, secret: str) -> str:
    """The key as its owner gets it, once."""
    return f"es_{key_id}_{secret}"


def hash_of(key: str) -> str:
    """What is kept of a key: SHA-256 of its whole text, hexadecimal. The id in it binds it to its row."""
    return sha256(key.encode()).hexdigest()


def presented_key(authorization: str) -> PresentedKey | None:
    """The key of an Authorization header (RFC 6750, 2.1), or None if it holds no key of ours."""
    scheme, _, credential = authorization.strip().partition(" ")
    found = _KEY.fullmatch(credential.strip())
    if scheme.lower() != "bearer" or found is None:
        return None
    return PresentedKey(key_id=found["id"], key_hash=hash_of(found["text"]))


SOCKET_PROTOCOL: Final = "edgeseries"
_KEY_PROTOCOL: Final = "key."


def socket_authorization(protocols: str) -> str | None:
    """What an Authorization header would be, of the subprotocols that a WebSocket offers, as in
    `edgeseries, key.es_...`: a browser can send no header with one. None if there is no key among them.
    """
    for offered in protocols.split(","):
        if offered.strip().startswith(_KEY_PROTOCOL):
            return f"Bearer {offered.strip().removeprefix(_KEY_PROTOCOL)}"
    return None


def admin_record(admin_key_hash: str) -> KeyRecord:
    """The record of the key whose hash is a setting: all sites and all rights."""
    return KeyRecord(
        key_id=ADMIN_KEY_ID,
        key_hash=admin_key_hash.lower(),
        owner=ADMIN_KEY_ID,
        sites=None,
        rights=tuple(Right),
        tier=Tier.BULK,
        created_ms=0,
    )


def grant_of(record: KeyRecord | None, presented: PresentedKey) -> Grant | None:
    """What the record grants to who shows this key, or None: there is no record, it is another key's, or
    it is revoked. All three take the same comparison.
    """
    stored_hash = _NO_HASH if record is None else record.key_hash
    same = hmac.compare_digest(stored_hash.encode(), presented.key_hash.encode())
    if not same or record is None or record.revoked_ms is not None:
        return None
    return Grant(
        key_id=record.key_id,
        rights=frozenset(record.rights),
        sites=None if record.sites is None else frozenset(record.sites),
        tier=record.tier,
    )


def key_request_of(body: object) -> KeyRequest:
    """A new key from the JSON of `POST /api/keys`. Raises InvalidRequest with every fault."""
    if not isinstance(body, Mapping):
        detail = (
            'must be a JSON object, for instance {"owner": "dashboards", "sites": ["hq"], "rights": ["read"]}'
        )
        raise InvalidRequest((Fault(parameter="body", detail=detail),))
    found = [
        Fault(parameter=str(name)[:64], detail=f"there is no such field; known are {', '.join(_FIELDS)}")
        for name in body
        if name not in _FIELDS
    ][:MAX_FAULTS_OF_A_KIND]
    owner = body.get("owner")
    if not isinstance(owner, str) or not 0 < len(owner) <= MAX_OWNER_CHARS or not owner.isprintable():
        detail = f"must be a text of 1 to {MAX_OWNER_CHARS} printable characters: whose key it is"
        found.append(Fault(parameter="owner", detail=detail))
    rights = _rights_of(body.get("rights"), found)
    sites = _sites_of(body.get("sites"), found)
    if Right.ADMIN in rights and sites is not None:
        detail = 'a key with the right admin could make itself any key: give it ["*"], or leave admin out'
        found.append(Fault(parameter="sites", detail=detail))
    tier = body.get("tier", Tier.STANDARD)
    if tier not in list(Tier):
        found.append(Fault(parameter="tier", detail=f"must be one of {', '.join(Tier)}, or left out"))
    if found:
        raise InvalidRequest(tuple(found))
    return KeyRequest(owner=str(owner), sites=sites, rights=rights, tier=Tier(tier))


def _rights_of(given: object, found: list[Fault]) -> tuple[Right, ...]:
    names = list(Right)
    if not isinstance(given, list) or not given or any(one not in names for one in given):
        detail = f"must be a list of one or more of {', '.join(Right)}"
        found.append(Fault(parameter="rights", detail=detail))
        return ()
    return tuple(right for right in Right if right in given)


def _sites_of(given: object, found: list[Fault]) -> tuple[str, ...] | None:
    """The sites in ascending order, None for all."""
    if given == [ALL_SITES]:
        return None
    if not isinstance(given, list) or not 0 < len(given) <= KEY_MAX_SITES:
        detail = f'must be a list of 1 to {KEY_MAX_SITES} names of sites, or ["{ALL_SITES}"] for all of them'
        found.append(Fault(parameter="sites", detail=detail))
        return ()
    names = [name for name in given if isinstance(name, str)]
    faults = [fault for name in names if (fault := fault_of_name(name)) is not None]
    if len(names) < len(given) or faults or ALL_SITES in names:
        why = faults[0] if faults else f'"{ALL_SITES}" stands alone, and names are texts'
        found.append(Fault(parameter="sites", detail=why))
        return ()
    return tuple(sorted(set(names)))
