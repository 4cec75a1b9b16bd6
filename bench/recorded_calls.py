"""The upstream calls of a job, recorded on the host while the Workers' own code makes them."""

import asyncio
from collections.abc import Sequence
from typing import Any

from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.jobs.batching import BatchSizes, batches_of, cut_piece
from edgeseries.jobs.limits import PIECE_SAMPLES
from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.origin import AceOrigin
from edgeseries.planning.fetch_plan import Gap
from edgeseries.series.days import days_touched
from edgeseries.series.timerange import TimeRange
from local.own_upstream import HttpxWeb, MachineClock, OwnUpstream

DEADLINE_MS = 600_000


class RecordingWeb:
    """Sends calls, and keeps what each was, in the words of `workers/download.mjs`."""

    def __init__(self) -> None:
        self._web = HttpxWeb()
        self.calls: list[dict[str, Any]] = []

    async def send(self, call: HttpCall) -> HttpReply:
        """See the Web port."""
        body = None if call.body is None else call.body.decode()
        self.calls.append(
            {"method": call.method, "url": call.url, "headers": dict(call.headers), "body": body}
        )
        return await self._web.send(call)


def calls_of_job(
    upstream: OwnUpstream, site: str, points: Sequence[str], span: TimeRange, *, density_per_day: float
) -> list[dict[str, Any]]:
    """Every call, in order, that fetches a range of a site in batches and pieces as the consumer cuts
    them.
    """
    web, clock = RecordingWeb(), MachineClock()
    origin = AceOrigin(
        base_url=upstream.url, token=upstream.token, web=web, clock=clock, catalogue=Catalogue()
    )
    densities = dict.fromkeys(points, density_per_day)
    batches = batches_of(
        points,
        span,
        missing_days=dict.fromkeys(points, tuple(days_touched(span))),
        density_per_day=densities,
        sizes=BatchSizes(),
    )

    async def fetch() -> None:
        for batch in batches:
            some = tuple(points[batch.first_point : batch.first_point + batch.point_count])
            left = [Gap(points=some, span=batch.span)]
            while left:
                piece, rest = cut_piece(left.pop(), densities, samples=PIECE_SAMPLES)
                left.extend(reversed(rest))
                await origin.fetch(site, piece.points, piece.span, deadline_ms=clock.now_ms() + DEADLINE_MS)

    asyncio.run(fetch())
    return web.calls
