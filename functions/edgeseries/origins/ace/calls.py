"""Reads of an ACE installation: the upstream's calls with its bearer token."""

from dataclasses import dataclass

from edgeseries.origins.ace import wire as ace
from edgeseries.origins.calls import Answer, BeforeCall, SettingNames, UpstreamCalls
from edgeseries.origins.ports.page_reader import PageReader
from edgeseries.ports.clock import Clock
from edgeseries.ports.web import Web


def ace_calls(
    *,
    base_url: str,
    token: str,
    web: Web,
    clock: Clock,
    max_body_bytes: int,
    names: SettingNames | None = None,
) -> UpstreamCalls:
    """Reads with one credential."""
    return UpstreamCalls(
        base_url=base_url,
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        web=web,
        clock=clock,
        max_body_bytes=max_body_bytes,
        message_of=ace.message_of,
        names=names,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """How one fetch makes its calls: until when (UTC epoch ms), and what is awaited before each of them."""

    calls: UpstreamCalls
    deadline_ms: int
    before: BeforeCall | None = None
    page_reader: PageReader | None = None

    async def rows(
        self, method: str, path: str, body: bytes | None = None, *, as_sent: bool = False
    ) -> Answer[ace.Page]:
        """A read of rows. `as_sent`: texts stay texts."""

        def page_in(content: bytes) -> ace.Page:
            return ace.page_as_sent(content) if as_sent else ace.page_in(content, self.page_reader)

        return await self.calls.read(
            method, path, self.deadline_ms, body, content_of=page_in, before=self.before
        )
