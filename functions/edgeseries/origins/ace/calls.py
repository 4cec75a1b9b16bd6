"""Reads of an ACE installation: the upstream's calls with its bearer token."""

from dataclasses import dataclass

from edgeseries.origins.ace import wire as ace
from edgeseries.origins.ace.row_columns import rows_in
from edgeseries.origins.call_sizes import SizeOutcome
from edgeseries.origins.calls import Answer, BeforeCall, SettingNames, Sizing, UpstreamCalls
from edgeseries.origins.learned_sizes import LearnedSizes, Served
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
    """How one fetch makes its calls: of which sizes, until when (UTC epoch ms), and what is awaited before
    each of them.
    """

    calls: UpstreamCalls
    sizes: LearnedSizes
    deadline_ms: int
    before: BeforeCall | None = None
    page_reader: PageReader | None = None

    async def rows(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        as_sent: bool = False,
        points: int = 0,
        page_rows: int = 0,
    ) -> Answer[ace.Page]:
        """A read of rows, of so many points in a batch, or of a page of so many rows. `as_sent`: texts stay
        texts.
        """

        def page_in(content: bytes) -> ace.Page:
            return ace.page_as_sent(content) if as_sent else ace.page_in(content, self.page_reader)

        asking = self.sizes.asking(points=points, page_rows=page_rows)
        return await self.calls.read(
            *(method, path, self.deadline_ms, body),
            content_of=page_in,
            before=self.before,
            sizing=Sizing(sizes=self.sizes, asking=asking, rows_in=lambda page: rows_in(page.rows)),
        )

    def too_many(self, points: int, now_ms: int) -> None:
        """A batch of so many points was not taken."""
        asking = self.sizes.asking(points=points)
        self.sizes.learn(asking, Served(outcome=SizeOutcome.TOO_MANY), now_ms)
