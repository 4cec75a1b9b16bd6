"""`/api/jobs/{job}/result`: what a completed job fetched, streamed window by window from blocks.

Memory is flat however large the result is: one window of samples and its text at a time. What is not
stored (the live edge, days that were purged since) is fetched meanwhile, so that a result is never
short of data; what cannot be had breaks the body off, so that it is never taken for whole.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace

from edgeseries.answers.formats import MEDIA_TYPES, ResultFormat, ResultWriter, writer_of
from edgeseries.answers.parts import block_count
from edgeseries.answers.windows import windows_of
from edgeseries.errors import StoreUnavailable
from edgeseries.http.messages import HttpRequest, HttpResponse
from edgeseries.jobs.job import Job
from edgeseries.limits import INLINE_MAX_BLOCKS
from edgeseries.planning.canonical import RESULT_VERSION, digest_of
from edgeseries.planning.fetch_plan import FetchPlan, exact_gaps, plan_fetch
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.series.days import day_of, first_unsealed_day
from edgeseries.series.points import PointSeries
from router.assembly import Fetched, deliveries, series_of
from router.conditional import is_known
from router.index_lookup import Index, note, read_blocks
from router.live import learn, live_part_of
from router.outcome import Outcome
from router.ports import Ports

TAG_CHARS = 32
"""128 bits of the digest."""

SUFFIXES = {ResultFormat.JSON: "json", ResultFormat.NDJSON: "ndjson", ResultFormat.CSV: "csv"}


async def result_outcome(
    job: Job, query: TimeseriesQuery, chosen: ResultFormat, request: HttpRequest, ports: Ports
) -> Outcome:
    """200 with the stream, or 304 for who has it already."""
    headers = {
        "Content-Type": MEDIA_TYPES[chosen],
        "Content-Disposition": f'inline; filename="{job.job_id}.{SUFFIXES[chosen]}"',
        "Cache-Control": "private, no-cache",
        "Vary": "Accept, Accept-Encoding",
    }
    version = await stored_version(query, ports)
    if version is not None:
        headers["ETag"] = tag = tag_of(query, chosen, version)
        if is_known(tag, request):
            return Outcome(response=HttpResponse(status=304, headers=headers), route=Route.QUEUED)
    if request.method == "HEAD":
        response = HttpResponse(status=200, headers=headers)
    else:
        stream = ports.streaming.stream(pieces(query, writer_of(chosen, query), version, ports))
        response = HttpResponse(status=200, headers=headers, stream=stream)
    return Outcome(
        response=response, route=Route.QUEUED, point_count=job.point_count, sample_count=job.sample_count
    )


async def stored_version(query: TimeseriesQuery, ports: Ports) -> str | None:
    """What names all that the result is made of: objects and generations. None where the text may be made of
    something else: a live range, days that are not stored, an index that does not answer.
    """
    unsealed_day = first_unsealed_day(now_ms=ports.clock.now_ms(), settle_lag_ms=ports.settle_lag_ms)
    if day_of(query.span.end_ms - 1) >= unsealed_day:
        return None
    try:
        return await ports.blocks.fingerprint(query.site, query.points, query.span)
    except StoreUnavailable as error:
        note(ports, "a result has no tag", error)
        return None


def tag_of(query: TimeseriesQuery, chosen: ResultFormat, version: str) -> str:
    """A strong ETag: the request, the format, and all that the text is made of."""
    digest = digest_of(query, version=RESULT_VERSION, context=[chosen, version])
    return f'"{digest[:TAG_CHARS]}"'


async def pieces(
    query: TimeseriesQuery, writer: ResultWriter, version: str | None, ports: Ports
) -> AsyncIterator[bytes]:
    """The result's text, window by window. The text of a tag (`version`) is that of its objects: if any of
    them is gone, or another took its place meanwhile, the text breaks off.
    """
    yield writer.head()
    error: str | None = None
    for points in _slices(query):
        index = Index(
            stored=await ports.blocks.look_up(query.site, points, query.span), known=True, reads=True
        )
        for window in windows_of(points, query.span, index.density_per_day):
            part = replace(query, points=window.points, span=window.span, forced=Route.DIRECT)
            texts: list[bytes] = []
            for one in await read_window(part, index, ports, stored_only=version is not None):
                error = error or one.error
                texts.append(writer.part(one.point, one.samples))
                if window.ends:
                    texts.append(writer.end_point(one.point, error))
                    error = None
            yield b"".join(texts)
    if (
        version is not None
        and await ports.blocks.fingerprint(query.site, query.points, query.span) != version
    ):
        raise StoreUnavailable("what the result is made of was changed meanwhile; ask again")
    yield writer.tail()


def _slices(query: TimeseriesQuery) -> Iterator[tuple[str, ...]]:
    """The points, so many at a time that one look at the index tells all their objects."""
    size = max(1, INLINE_MAX_BLOCKS // block_count(1, query.span))
    for first in range(0, len(query.points), size):
        yield query.points[first : first + size]


async def read_window(
    part: TimeseriesQuery, index: Index, ports: Ports, *, stored_only: bool = False
) -> tuple[PointSeries, ...]:
    """A part of the result: blocks, and the upstream for what they lack.

    Raises StoreUnavailable if they lack something and only what is stored is wanted.
    """
    now_ms = ports.clock.now_ms()
    live = live_part_of(part, index, now_ms=now_ms, ports=ports)

    def plan(covered: Mapping[str, frozenset[int]]) -> FetchPlan:
        return plan_fetch(
            part.points,
            part.span,
            covered=covered,
            density_per_day={},
            now_ms=now_ms,
            settle_lag_ms=ports.settle_lag_ms,
            live_missing_ms=live.missing_ms,
        )

    stored = await read_blocks(part, plan(index.covered), index, ports)
    fetch_plan = plan({point: one.days for point, one in stored.items()})
    gaps = exact_gaps(fetch_plan, part.points, live.pieces)
    if gaps and stored_only:
        raise StoreUnavailable("something that the result is made of is gone; ask again")
    fetched = Fetched(
        gaps=tuple(
            [
                delivery
                async for delivery in deliveries(
                    part,
                    gaps,
                    density_per_day={},
                    deadline_ms=now_ms + ports.request_deadline_ms,
                    ports=ports,
                )
            ]
        )
    )
    stamps = {point: index.stamps.of(point).total for point in part.points}
    learn(part, live, fetched, stamps, ports)
    return series_of(part, stored, live.held(()), fetched)
