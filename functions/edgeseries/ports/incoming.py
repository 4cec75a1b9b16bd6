"""The request that is being answered, read as far as it is needed."""

from typing import Protocol

from edgeseries.http.messages import HttpRequest


class Incoming(Protocol):
    """Reads the rest of the request whose head a flow has: its query and its body."""

    async def whole(self, head: HttpRequest, *, deadline_ms: int) -> HttpRequest:
        """The request with query decoded and body read.

        Raises TooLarge over the bounds, InvalidRequest for what cannot be decoded or breaks off,
        RequestTimeout for a body that is not here by `deadline_ms` (UTC epoch ms).
        """
        ...
