"""Calls to a Haystack server: operations on grids, with a token that is fetched when there is none.

It owns the exchange that leads to a token, which the isolate remembers, and what an error grid means.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from edgeseries.errors import OriginContract, OriginRefused, OriginUnreachable
from edgeseries.http.messages import HttpReply
from edgeseries.origins.calls import SettingNames, UpstreamCalls, raise_failure
from edgeseries.origins.haystack import hayson, zinc
from edgeseries.origins.haystack.grid import Grid, whole
from edgeseries.origins.haystack.scram import challenge_in, exchange, hello, is_signed
from edgeseries.origins.listing_memory import ListingMemory
from edgeseries.origins.ports.dialect import Turn
from edgeseries.ports.clock import Clock
from edgeseries.ports.identity import Identity

TOKEN: Final = "token"  # noqa: S105 - the name under which it is remembered
READERS: Final[Mapping[str, tuple[str, Callable[[bytes], Grid]]]] = {
    "hayson": (hayson.MEDIA_TYPE, hayson.grid_in),
    "zinc": (zinc.MEDIA_TYPE, zinc.grid_in),
}
AUTH_PATH: Final = "/about"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One server with one credential. `form` is that of answers; questions are Zinc, which all servers
    read.
    """

    calls: UpstreamCalls
    memory: ListingMemory
    clock: Clock
    identity: Identity
    names: SettingNames
    form: str
    auth: str
    credential: str

    async def ask(self, operation: str, grid: bytes, turn: Turn) -> Grid:
        """The answer of an operation. Raises OriginRefused, OriginUnreachable for an error grid."""
        if self.auth == "scram" and self.credential and self._token() is None:
            await self._authenticate(turn)
        try:
            return await self._asked(operation, grid, turn)
        except OriginRefused:
            # A token that the server has forgotten, or the credential itself: a new one tells.
            if self.auth != "scram" or self.memory.facts.pop(TOKEN, None) is None:
                raise
        await self._authenticate(turn)
        return await self._asked(operation, grid, turn)

    async def _asked(self, operation: str, grid: bytes, turn: Turn) -> Grid:
        media_type, grid_in = READERS[self.form]
        headers = {"Accept": media_type, "Content-Type": f"{zinc.MEDIA_TYPE}; charset=utf-8"}
        answer = await self.calls.read(
            *("POST", f"/{operation}", turn.deadline_ms, grid),
            content_of=grid_in,
            before=turn.before,
            headers={**headers, **self._authorization()},
        )
        return whole(answer.content())

    def _authorization(self) -> Mapping[str, str]:
        if not self.credential:
            return {}
        if self.auth == "basic":
            return {"Authorization": f"Basic {b64encode(self.credential.encode()).decode()}"}
        token = self.credential if self.auth == "bearer" else self._token() or ""
        return {"Authorization": f"BEARER authToken={token}"}

    def _token(self) -> str | None:
        return self.memory.fact(TOKEN, self.clock.now_ms())

    async def _authenticate(self, turn: Turn) -> None:
        """Fetch a token. Raises OriginRefused for a credential that the server does not take."""
        user, _, password = self.credential.partition(":")
        try:
            reply = await self._said(hello(user), turn)
        except OriginUnreachable:
            reply = await self._said(hello(user), turn)
        challenge = challenge_in(reply.headers.get("www-authenticate", ""))
        if challenge.scheme != "scram":
            raise OriginRefused(
                f"the upstream authenticates by {challenge.scheme[:20] or 'nothing'}, not by SCRAM: "
                "the operator must set the option auth"
            )
        asked = exchange(user, self.identity.key_secret(), challenge.parameters.get("hash", "SHA-256"))
        reply = await self._said(asked.first(challenge.parameters.get("handshaketoken", "")), turn)
        challenge = challenge_in(reply.headers.get("www-authenticate", ""))
        handshake = challenge.parameters.get("handshaketoken", "")
        proof, signature = asked.final(handshake, challenge.get("data"), password)
        reply = await self._said(proof, turn)
        if reply.status != HTTPStatus.OK:
            raise OriginRefused(
                f"the upstream refuses our credential: the operator must set {self.names.credential}"
            )
        granted = challenge_in("info " + reply.headers.get("authentication-info", ""))
        if not is_signed(granted.get("data"), signature):
            raise OriginContract(
                "the upstream does not prove that it knows the password; nothing is sent to it"
            )
        self.memory.note(TOKEN, granted.get("authtoken"), self.clock.now_ms())

    async def _said(self, header: str, turn: Turn) -> HttpReply:
        reply = await self.calls.reply(
            *("GET", AUTH_PATH, turn.deadline_ms), before=turn.before, headers={"Authorization": header}
        )
        if reply.status not in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise_failure(reply, self.names)
            raise OriginContract(f"the upstream answered {reply.status} to its authentication")
        return reply
