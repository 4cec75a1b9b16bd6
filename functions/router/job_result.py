"""`/api/jobs/{job}/result`: what a completed job fetched, streamed window by window from blocks.

Memory is flat however large the result is: one window of samples and its text at a time. What is not
stored (the live edge, days that were purged since) is fetched meanwhile, so that a result is never
short of data; what cannot be had breaks the body off, so that it is never taken for whole.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace

from edgeseries.answers.formats import ResultWriter, writer_of
from edgeseries.answers.pieces import Piece, gathered
from edgeseries.answers.presentation import Presentation
from edgeseries.errors import StoreUnavailable
from edgeseries.http.messages import HttpRequest, HttpResponse
from edgeseries.jobs.job import Job
from edgeseries.jobs.limits import RESULT_WAIT_MS
from edgeseries.planning.memory_share import MemoryShare
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.reading.asked import AskedSeries
from edgeseries.reading.faults import note
from edgeseries.reading.windows import OF_QUESTIONS, OF_TEXT, WindowSeries, series_by_window
from edgeseries.series.days import day_of, first_unsealed_day
from edgeseries.series.points import Point
from router.memory_share import take_share
from router.outcome import Outcome
from router.point_facts import explained, facts_for
from router.ports import Ports
from router.representation import is_known

RESULT_VERSION = "result/v3"
"""Leads the digest of a job's result: with another format no old ETag fits."""

TAG_CHARS = 32
"""128 bits of the digest."""

HEAD_AND_SAMPLES = 2
"""Pieces: what stands before the first point, and the first that has samples of it."""


async def result_outcome(
    job: Job, query: TimeseriesQuery, presentation: Presentation, request: HttpRequest, ports: Ports
) -> Outcome:
    """200 with the stream, or 304 for who has it already. Raises what the stores and the upstream raise for
    its first samples; later ones break the body off.
    """
    headers = {
        "Content-Type": presentation.media_type,
        "Content-Disposition": f'inline; filename="{job.job_id}.{presentation.file_suffix}"',
        "Cache-Control": "private, no-cache",
        "Vary": "Accept, Accept-Encoding",
    }
    version = await stored_version(query, ports)
    facts = await facts_for(query, presentation, ports)
    if version is not None:
        headers["ETag"] = tag = tag_of(query, presentation, facts, version)
        if is_known(tag, request):
            return Outcome(response=HttpResponse(status=304, headers=headers), route=Route.QUEUED)
    if request.method == "HEAD":
        response = HttpResponse(status=200, headers=headers)
    else:
        writer, now_ms = writer_of(presentation, query, facts), ports.clock.now_ms()
        pieces = await begun(result_text(query, writer, version, ports, now_ms=now_ms))
        stream = ports.text_streaming.stream_text(pieces)
        response = HttpResponse(status=200, headers=headers, stream=stream)
    return Outcome(
        response=response, route=Route.QUEUED, point_count=job.point_count, sample_count=job.sample_count
    )


async def stored_version(query: TimeseriesQuery, ports: Ports) -> str | None:
    """What names all that the result is made of: objects and generations. None where the text may be made of
    something else: a live range, days that are not stored, an index that does not answer.
    """
    wanted = query.read()
    settle_lag_ms = ports.settle_lags.of(query.site, ports.settle_lag_ms)
    unsealed_day = first_unsealed_day(now_ms=ports.clock.now_ms(), settle_lag_ms=settle_lag_ms)
    if day_of(query.span.end_ms - 1) >= unsealed_day:
        return None
    try:
        return await ports.blocks.fingerprint(wanted.site, wanted.points, wanted.span)
    except StoreUnavailable as error:
        note(ports, "a result has no tag", error)
        return None


def tag_of(
    query: TimeseriesQuery, presentation: Presentation, facts: Mapping[str, Point], version: str
) -> str:
    """A strong ETag: the request, its presentation, and all that the text is made of."""
    told = [[one.name, one.unit, one.kind] for one in facts.values()]
    context = [*presentation.canonical(), *told, version]
    digest = query.digest(version=RESULT_VERSION, context=context)
    return f'"{digest[:TAG_CHARS]}"'


async def result_text(
    query: TimeseriesQuery, writer: ResultWriter, version: str | None, ports: Ports, *, now_ms: int
) -> AsyncGenerator[Piece]:
    """The result's text, window by window. The text of a tag (`version`) is that of its objects: if any of
    them is gone, or another took its place meanwhile, StoreUnavailable breaks the text off. `now_ms` (UTC
    epoch) is when it was asked.
    """
    yield writer.head()
    asked, wanted = AskedSeries(query, ports.bucketing, now_ms=now_ms), query.read()
    windows = series_by_window(
        wanted,
        ports.reader,
        take_share=lambda size: share_of_window(size, ports),
        deadline_ms=lambda: ports.clock.now_ms() + ports.request_deadline_ms,
        stored_only=version is not None,
        size=OF_TEXT if query.question is None else OF_QUESTIONS,
    )
    async with aclosing(windows):
        async for window in windows:
            series = await explained(window.series, query.site, ports)
            for piece in gathered(_pieces_of(writer, replace(window, series=series), asked), ports.encoder):
                yield piece
    if (
        version is not None
        and await ports.blocks.fingerprint(wanted.site, wanted.points, wanted.span) != version
    ):
        raise StoreUnavailable("what the result is made of was changed meanwhile; ask again")
    for piece in gathered(writer.tail(), ports.encoder):
        yield piece


def _pieces_of(writer: ResultWriter, window: WindowSeries, asked: AskedSeries) -> Iterator[Piece]:
    """The pieces of what is certain with a window."""
    for read in window.series:
        for one in asked.part(read, ends=window.ends):
            yield from writer.part(one.name, one.samples)
            if window.ends:
                yield writer.end_series(one.name, one.error, one.source_count)


async def begun(pieces: AsyncGenerator[Piece]) -> AsyncGenerator[Piece]:
    """The same pieces, the head and the first samples made already: what cannot be had at all is an error
    that a caller can read.
    """
    first = [piece async for piece in _some(pieces, HEAD_AND_SAMPLES)]
    return _resumed(first, pieces)


async def _some(pieces: AsyncGenerator[Piece], count: int) -> AsyncGenerator[Piece]:
    for _ in range(count):
        try:
            yield await anext(pieces)
        except StopAsyncIteration:
            return


async def _resumed(first: list[Piece], rest: AsyncGenerator[Piece]) -> AsyncGenerator[Piece]:
    async with aclosing(rest):
        for piece in first:
            yield piece
        first.clear()
        async for piece in rest:
            yield piece


async def share_of_window(size: int, ports: Ports) -> MemoryShare:
    """Memory for a window as expected. Raises MemoryBusy, which breaks the body off, after RESULT_WAIT_MS."""
    deadline_ms = ports.clock.now_ms() + RESULT_WAIT_MS + ports.request_deadline_ms
    return await take_share(size, ports, deadline_ms=deadline_ms, wait_ms=RESULT_WAIT_MS)
