"""Calls to other HTTP servers, with bounds."""

from typing import Protocol

from edgeseries.http.messages import HttpCall, HttpReply


class Web(Protocol):
    """Sends one call. Redirects are not followed: an upstream cannot steer us elsewhere."""

    async def send(self, call: HttpCall) -> HttpReply:
        """The reply, whatever its status.

        Raises DeadlineExceeded past `timeout_ms`, OriginUnreachable if the connection is refused
        or breaks, OriginOversize if the body is over `max_bytes`.
        """
        ...
