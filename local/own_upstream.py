"""A real upstream in the simulator's place: named by UPSTREAM_URL, its token in UPSTREAM_TOKEN.

Owns reading both from the environment, and one look before anything starts whether the upstream answers
and takes the token, told in words of these two names. The look is the product's own adapter's. Must not
know how the stack runs. The token is in no text that leaves this module.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import httpx

from edgeseries.errors import DeadlineExceeded, EdgeError, OriginOversize, OriginUnreachable
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.origin import AceOrigin
from edgeseries.origins.ports.origin import Origin
from stack import readers

URL_NAME: Final = "UPSTREAM_URL"
TOKEN_NAME: Final = "UPSTREAM_TOKEN"  # noqa: S105 - the name of a variable

LOOK_MS: Final = 30_000
"""How long the upstream may take to list its sites and the points of one. Vendors' gateways give up then."""

SETTINGS_HERE: Final = {"upstreamUrl": URL_NAME, "upstreamToken": TOKEN_NAME}
"""Settings that the adapter's errors name, and what they are called here."""

Example = tuple[str, str]
"""A site and one of its points."""


class OwnUpstreamError(Exception):
    """The upstream that was named cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnUpstream:
    """The vendor's API: its base URL without a final slash, and the token that it takes."""

    url: str
    token: str = field(repr=False)


def taken_from(environment: MutableMapping[str, str]) -> OwnUpstream | None:
    """The upstream that is named there, None if none is. Raises OwnUpstreamError.

    The token is taken out of the environment: no child process needs it there.
    """
    token = environment.pop(TOKEN_NAME, "")
    url = environment.get(URL_NAME, "")
    if not url and not token:
        return None
    if not url:
        raise OwnUpstreamError(
            f"{TOKEN_NAME} is set and {URL_NAME} is not; set both for an upstream of your own, or neither"
        )
    try:
        base = readers.origin_url(url)
    except readers.Refusal as refusal:
        # Without the text: somebody may have put a password into it.
        raise OwnUpstreamError(f"{URL_NAME} cannot be used: {refusal}") from refusal
    if not token:
        raise OwnUpstreamError(
            f"{TOKEN_NAME} is not set; put the token of {base} into the environment: export {TOKEN_NAME}"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise OwnUpstreamError(
            f"{TOKEN_NAME} holds what no header can: a token is printable ASCII without spaces"
        )
    return OwnUpstream(url=base, token=token)


def look_at(upstream: OwnUpstream) -> Example | None:
    """See that the upstream answers and takes the token; a point to try, None if it has none.

    Raises OwnUpstreamError.
    """
    origin = AceOrigin(
        base_url=upstream.url,
        token=upstream.token,
        web=HttpxWeb(),
        clock=MachineClock(),
        catalogue=Catalogue(),
    )
    try:
        return asyncio.run(_example(origin, deadline_ms=MachineClock().now_ms() + LOOK_MS))
    except EdgeError as error:
        cause = f" ({error.__cause__})" if isinstance(error.__cause__, httpx.HTTPError) else ""
        raise OwnUpstreamError(
            f"{upstream.url}: {_in_words_of(SETTINGS_HERE, error.detail)}{cause}"
        ) from error


async def _example(origin: Origin, *, deadline_ms: int) -> Example | None:
    for site in (await origin.sites(deadline_ms=deadline_ms)).sites:
        points = await origin.points(site.name, deadline_ms=deadline_ms)
        if points:
            return site.name, points[0].name
    return None


def _in_words_of(names: Mapping[str, str], text: str) -> str:
    for setting, here in names.items():
        text = text.replace(setting, here)
    return text


class MachineClock:
    """The Clock port with this machine's time."""

    def now_ms(self) -> int:
        """See the port."""
        return time.time_ns() // 1_000_000


@cache
def _certificates() -> ssl.SSLContext:
    """Those that httpx trusts. Reading them takes longer than most calls."""
    return httpx.create_ssl_context(trust_env=False)


class HttpxWeb:
    """The Web port with httpx. No proxy is taken from the environment: the Workers would not use it."""

    async def send(self, call: HttpCall) -> HttpReply:
        """See the port."""
        body = bytearray()
        try:
            async with (
                asyncio.timeout(call.timeout_ms / 1_000),
                httpx.AsyncClient(trust_env=False, timeout=None, verify=_certificates()) as client,  # noqa: S113 - bounded around it
                client.stream(
                    call.method, call.url, headers=dict(call.headers), content=call.body
                ) as response,
            ):
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > call.max_bytes:
                        raise OriginOversize(f"the upstream's answer is larger than {call.max_bytes} bytes")
        except TimeoutError as cause:
            raise DeadlineExceeded(f"the upstream did not answer within {call.timeout_ms} ms") from cause
        except (httpx.HTTPError, httpx.InvalidURL) as cause:
            raise OriginUnreachable("the connection to the upstream failed or broke") from cause
        return HttpReply(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=bytes(body),
        )
