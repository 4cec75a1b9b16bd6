"""The Web port on the host for tests: plain HTTP on loopback, without the certificates that httpx would load
for every call.
"""

import asyncio

import httpx

from edgeseries.errors import DeadlineExceeded, OriginOversize, OriginUnreachable
from edgeseries.http.messages import HttpCall, HttpReply
from tests.loopback import NO_CERTIFICATES


class HostWeb:
    """See the port."""

    async def send(self, call: HttpCall) -> HttpReply:
        timeout_s = call.timeout_ms / 1_000
        try:
            async with (
                asyncio.timeout(timeout_s),
                httpx.AsyncClient(timeout=timeout_s, trust_env=False, verify=NO_CERTIFICATES) as client,
            ):
                reply = await client.request(
                    call.method, call.url, headers=dict(call.headers), content=call.body
                )
        except (TimeoutError, httpx.TimeoutException) as error:
            raise DeadlineExceeded("late") from error
        except httpx.HTTPError as error:
            raise OriginUnreachable("gone") from error
        if len(reply.content) > call.max_bytes:
            raise OriginOversize("too large")
        return HttpReply(status=reply.status_code, headers=dict(reply.headers), body=reply.content)
