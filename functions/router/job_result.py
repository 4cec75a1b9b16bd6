"""`/api/jobs/{job}/result`: what a completed job fetched, streamed window by window from blocks.

Memory is flat however large the result is: one window of samples and its text at a time. What a block
does not hold (the live edge, days that were purged since) is fetched meanwhile, so that a result is
never short of data; what cannot be had breaks the body off, so that it is never taken for whole.
"""

from collections.abc import AsyncIterator
from dataclasses import replace

from edgeseries.answers.formats import MEDIA_TYPES, ResultFormat, ResultWriter, writer_of
from edgeseries.answers.windows import windows_of
from edgeseries.errors import StoreUnavailable
from edgeseries.http.messages import HttpRequest, HttpResponse
from edgeseries.jobs.job import Job
from edgeseries.planning.canonical import RESULT_VERSION, digest_of
from edgeseries.planning.fetch_plan import exact_gaps, plan_fetch
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.series.days import day_of, first_unsealed_day
from edgeseries.series.points import PointSeries
from router.assembly import Fetched, deliveries, series_of
from router.conditional import is_known
from router.index_lookup import note, read_blocks
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
    tag = await result_tag(query, chosen, ports)
    if tag is not None:
        headers["ETag"] = tag
        if is_known(tag, request):
            return Outcome(response=HttpResponse(status=304, headers=headers), route=Route.QUEUED)
    if request.method == "HEAD":
        response = HttpResponse(status=200, headers=headers)
    else:
        stream = ports.streaming.stream(pieces(query, writer_of(chosen, query), ports))
        response = HttpResponse(status=200, headers=headers, stream=stream)
    return Outcome(
        response=response, route=Route.QUEUED, point_count=job.point_count, sample_count=job.sample_count
    )


async def result_tag(query: TimeseriesQuery, chosen: ResultFormat, ports: Ports) -> str | None:
    """A strong ETag: the request, the format, and the versions of all blocks that the text is made of.

    None where the text may change without them: a live range, or an index that does not answer.
    """
    unsealed_day = first_unsealed_day(now_ms=ports.clock.now_ms(), settle_lag_ms=ports.settle_lag_ms)
    if day_of(query.span.end_ms - 1) >= unsealed_day:
        return None
    try:
        versions = await ports.blocks.fingerprint(query.site, query.points, query.span)
    except StoreUnavailable as error:
        note(ports, "a result has no tag", error)
        return None
    digest = digest_of(query, version=RESULT_VERSION, context=[chosen, versions])
    return f'"{digest[:TAG_CHARS]}"'


async def pieces(query: TimeseriesQuery, writer: ResultWriter, ports: Ports) -> AsyncIterator[bytes]:
    """The result's text, window by window."""
    yield writer.head()
    densities = await ports.blocks.densities(query.site, query.points)
    error: str | None = None
    for window in windows_of(query.points, query.span, densities):
        part = replace(query, points=window.points, span=window.span, forced=Route.DIRECT)
        texts: list[bytes] = []
        for one in await read_window(part, ports):
            error = error or one.error
            texts.append(writer.part(one.point, one.samples))
            if window.ends:
                texts.append(writer.end_point(one.point, error))
                error = None
        yield b"".join(texts)
    yield writer.tail()


async def read_window(part: TimeseriesQuery, ports: Ports) -> tuple[PointSeries, ...]:
    """A part of the result: blocks, and the upstream for what they lack."""
    now_ms = ports.clock.now_ms()
    unsealed_day = first_unsealed_day(now_ms=now_ms, settle_lag_ms=ports.settle_lag_ms)
    all_days = frozenset(range(unsealed_day))
    live = live_part_of(part, now_ms=now_ms, reads=True, ports=ports)
    hoped = plan_fetch(
        part.points,
        part.span,
        covered=dict.fromkeys(part.points, all_days),
        density_per_day={},
        now_ms=now_ms,
        settle_lag_ms=ports.settle_lag_ms,
    )
    stored = await read_blocks(part, hoped, ports)
    fetch_plan = plan_fetch(
        part.points,
        part.span,
        covered={point: one.days for point, one in stored.items()},
        density_per_day={},
        now_ms=now_ms,
        settle_lag_ms=ports.settle_lag_ms,
        live_missing_ms=live.missing_ms,
    )
    fetched = Fetched(
        gaps=tuple(
            [
                delivery
                async for delivery in deliveries(
                    part,
                    exact_gaps(fetch_plan, part.points, live.pieces),
                    density_per_day={},
                    deadline_ms=now_ms + ports.request_deadline_ms,
                    ports=ports,
                )
            ]
        )
    )
    learn(part, live, fetched, ports)
    return series_of(part, stored, live.held(()), fetched)
