"""`/api/keys`: make, list, look at and revoke API keys. Format: `docs/formats/keys.md`."""

from dataclasses import replace
from typing import Final

from edgeseries.access.grants import Right
from edgeseries.access.keys import KeyRecord, hash_of, key_request_of, key_text
from edgeseries.errors import Conflict, NotFound
from edgeseries.jobs.limits import JOB_PAGE_ROWS
from router.contract import schemas
from router.contract.answers import (
    SENT_BODY,
    STORE,
    json_answer,
)
from router.contract.parameters import CURSOR, LIMIT
from router.endpoint import Arrival, Endpoint, Scope
from router.outcome import Outcome, json_outcome
from router.parameters import read_body, read_fields
from router.ports import Ports
from router.serializers import cursor_name, key_url, name_cursor, serialize_key

CREATED = 201


async def make_key(arrival: Arrival, ports: Ports) -> Outcome:
    """POST: a new key. Its text is shown here and never again: only its hash is kept."""
    wanted = key_request_of(read_body(arrival.request))
    key_id = ports.identity.key_id()
    text = key_text(key_id, ports.identity.key_secret())
    record = KeyRecord(
        key_id=key_id,
        key_hash=hash_of(text),
        owner=wanted.owner,
        sites=wanted.sites,
        rights=wanted.rights,
        tier=wanted.tier,
        created_ms=arrival.request.arrived_ms,
    )
    await ports.keys.add(record)
    ports.journal.line("info", "a key is made", key=record.key_id, by=arrival.grant.key_id)
    outcome = json_outcome({"key": text, **serialize_key(record)}, status=CREATED)
    headers = {**outcome.response.headers, "Location": key_url(record.key_id)}
    return replace(outcome, response=replace(outcome.response, headers=headers))


async def list_keys(arrival: Arrival, ports: Ports) -> Outcome:
    """GET: all keys, revoked ones too, by id."""
    fields = read_fields(arrival.request, arrival.endpoint.parameters)
    after = cursor_name(fields["cursor"]) if "cursor" in fields else None
    page = await ports.keys.page(after=after, limit=fields.get("limit", JOB_PAGE_ROWS))
    return json_outcome(
        {
            "keys": [serialize_key(record) for record in page.keys],
            "cursor": None if page.after is None else name_cursor(page.after),
        }
    )


async def show_key(arrival: Arrival, ports: Ports) -> Outcome:
    """GET of one."""
    record = await ports.keys.find(arrival.path_parameters["key"])
    return json_outcome(serialize_key(_there(record)))


async def revoke_key(arrival: Arrival, ports: Ports) -> Outcome:
    """DELETE: the key is of no use any more: here at once, elsewhere within a minute."""
    key_id = arrival.path_parameters["key"]
    record = _there(await ports.keys.revoke(key_id, now_ms=arrival.request.arrived_ms))
    ports.journal.line("info", "a key is revoked", key=record.key_id, by=arrival.grant.key_id)
    return json_outcome(serialize_key(record))


def _there(record: KeyRecord | None) -> KeyRecord:
    if record is None:
        raise NotFound("there is no such key; GET /api/keys lists them (the admin key is a setting)")
    return record


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        pattern="/api/keys",
        name="listKeys",
        summary="All API keys, revoked ones too, by id.",
        right=Right.ADMIN,
        scope=Scope.EVERYTHING,
        handler=list_keys,
        parameters=(LIMIT, CURSOR),
        answers={200: json_answer("A page.", schemas.ref("Keys"))},
        problems=STORE,
    ),
    Endpoint(
        method="POST",
        pattern="/api/keys",
        name="makeKey",
        summary="Make an API key. Its text is in this answer and never again.",
        right=Right.ADMIN,
        scope=Scope.EVERYTHING,
        handler=make_key,
        body=schemas.ref("KeyRequest"),
        answers={201: json_answer("The key.", schemas.ref("MadeKey"), "Location")},
        problems=(Conflict, *STORE, *SENT_BODY),
    ),
    Endpoint(
        method="GET",
        pattern="/api/keys/{key}",
        name="getKey",
        summary="An API key, without its secret.",
        right=Right.ADMIN,
        scope=Scope.EVERYTHING,
        handler=show_key,
        answers={200: json_answer("The key.", schemas.ref("Key"))},
        problems=(NotFound, *STORE),
    ),
    Endpoint(
        method="DELETE",
        pattern="/api/keys/{key}",
        name="revokeKey",
        summary="Revoke an API key; it stops working within a minute.",
        right=Right.ADMIN,
        scope=Scope.EVERYTHING,
        handler=revoke_key,
        answers={200: json_answer("The key.", schemas.ref("Key"))},
        problems=(NotFound, *STORE, *SENT_BODY),
    ),
)
