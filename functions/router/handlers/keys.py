"""`/api/keys`: make, list, look at and revoke API keys. Format: `docs/formats/keys.md`."""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from edgeseries.access.grants import Right
from edgeseries.access.keys import KeyRecord, hash_of, key_request_of, key_text
from edgeseries.errors import Conflict, NotFound
from edgeseries.http.documents import SPREAD, Document, ref
from edgeseries.jobs.limits import JOB_PAGE_ROWS
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
from router.serializers import KeyDocument, cursor_name, key_url, name_cursor, serialize_key

CREATED = 201


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeKeyDocument(Document):
    """A key that was made just now, with its text."""

    key: str
    record: Annotated[KeyDocument, SPREAD]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysDocument(Document):
    """A page of keys."""

    keys: tuple[KeyDocument, ...]
    cursor: str | None


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
    outcome = json_outcome(MadeKeyDocument(key=text, record=serialize_key(record)), status=CREATED)
    headers = {**outcome.response.headers, "Location": key_url(record.key_id)}
    return replace(outcome, response=replace(outcome.response, headers=headers))


async def list_keys(arrival: Arrival, ports: Ports) -> Outcome:
    """GET: all keys, revoked ones too, by id."""
    fields = read_fields(arrival.request, arrival.endpoint.parameters)
    after = cursor_name(fields["cursor"]) if "cursor" in fields else None
    page = await ports.keys.page(after=after, limit=fields.get("limit", JOB_PAGE_ROWS))
    return json_outcome(
        KeysDocument(
            keys=tuple(serialize_key(record) for record in page.keys),
            cursor=None if page.after is None else name_cursor(page.after),
        )
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
        answers={200: json_answer("A page.", KeysDocument)},
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
        body=ref("KeyRequest"),
        answers={201: json_answer("The key.", MadeKeyDocument, "Location")},
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
        answers={200: json_answer("The key.", KeyDocument)},
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
        answers={200: json_answer("The key.", KeyDocument)},
        problems=(NotFound, *STORE, *SENT_BODY),
    ),
)
