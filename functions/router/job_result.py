"""`/api/jobs/{job}/result`: what a completed job fetched, streamed window by window from blocks.

Memory is flat however large the result is: one window of samples and its text at a time. What is not
stored (the live edge, days that were purged since) is fetched meanwhile, so that a result is never
short of data; what cannot be had breaks the body off, so that it is never taken for whole.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import replace

from edgeseries.answers.formats import MEDIA_TYPES, ResultFormat, ResultWriter, writer_of
from edgeseries.answers.parts import block_count
from edgeseries.answers.windows import Window, cut_window, halved_window, windows_of
from edgeseries.errors import AnswerTooLarge, MemoryBusy, StoreUnavailable
from edgeseries.http.messages import HttpRequest, HttpResponse
from edgeseries.jobs.job import Job
from edgeseries.jobs.limits import RESULT_WAIT_MS, RESULT_WINDOW_MAX_SAMPLES, RESULT_WINDOW_SAMPLES
from edgeseries.limits import INLINE_MAX_BLOCKS, RESULT_SAMPLE_BYTES
from edgeseries.planning.canonical import RESULT_VERSION, digest_of
from edgeseries.planning.fetch_plan import FetchPlan, exact_gaps, plan_fetch
from edgeseries.planning.memory_share import MemoryShare
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.series.days import day_of, first_unsealed_day
from edgeseries.series.points import PointSeries
from router.assembly import Fetched, deliveries, series_of
from router.conditional import is_known
from router.index_lookup import Index, note, read_blocks
from router.live import learn, live_part_of
from router.memory_share import take_share
from router.outcome import Outcome
from router.ports import Ports
from router.result_sizes import sizes_by_month, sizes_by_point

TAG_CHARS = 32
"""128 bits of the digest."""


async def result_outcome(
    job: Job, query: TimeseriesQuery, chosen: ResultFormat, request: HttpRequest, ports: Ports
) -> Outcome:
    """200 with the stream, or 304 for who has it already."""
    headers = {
        "Content-Type": MEDIA_TYPES[chosen],
        "Content-Disposition": f'inline; filename="{job.job_id}.{chosen}"',
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
) -> AsyncGenerator[bytes]:
    """The result's text, window by window; one that holds more than was expected is read in halves. The
    text of a tag (`version`) is that of its objects: if any of them is gone, or another took its place
    meanwhile, the text breaks off.
    """
    yield writer.head()
    error: str | None = None
    for points in _slices(query):
        index = await index_of(replace(query, points=points), ports)
        waiting = first_windows(query, points, index)[::-1]
        while waiting:
            window = waiting.pop()
            share = await share_of_window(ports)
            try:
                series = await read_window(
                    query, window, index, share, ports, stored_only=version is not None
                )
                texts: list[bytes] = []
                for one in series:
                    error = error or one.error
                    texts.append(writer.part(one.point, one.samples))
                    if window.ends:
                        texts.append(writer.end_point(one.point, error))
                        error = None
                text = b"".join(texts)
                del series, texts
                share.shrink(len(text))
                yield text
            except (AnswerTooLarge, MemoryBusy):
                halves = halved_window(window)
                if halves is None:
                    raise
                waiting += halves[::-1]
            finally:
                share.give_back()
    if (
        version is not None
        and await ports.blocks.fingerprint(query.site, query.points, query.span) != version
    ):
        raise StoreUnavailable("what the result is made of was changed meanwhile; ask again")
    yield writer.tail()


def _slices(query: TimeseriesQuery) -> Iterator[tuple[str, ...]]:
    """The points, so many at a time that one look at the index says all their objects."""
    size = max(1, INLINE_MAX_BLOCKS // block_count(1, query.span))
    for first in range(0, len(query.points), size):
        yield query.points[first : first + size]


async def index_of(query: TimeseriesQuery, ports: Ports) -> Index:
    """What is stored, empty days too, whether or not they are to be read again: the job has seen to that."""
    found = await ports.blocks.look_up(query.site, query.points, query.span)
    held = {point: one.days.held for point, one in found.stored.items()}
    return Index(stored=replace(found, covered=held), known=True, reads=True)


def first_windows(query: TimeseriesQuery, points: Sequence[str], index: Index) -> list[Window]:
    """The windows of some points, dense ones cut by months and days."""
    sizes = sizes_by_point(replace(query, points=tuple(points)), index)
    found: list[Window] = []
    for window in windows_of(points, query.span, sizes):
        point = window.points[0]
        if len(window.points) > 1 or sizes[point] <= RESULT_WINDOW_SAMPLES:
            found.append(window)
        else:
            months = sizes_by_month(query, point, index)
            found += cut_window(window, months, samples=RESULT_WINDOW_SAMPLES)
    return found


async def share_of_window(ports: Ports) -> MemoryShare:
    """Memory for a window as expected. Raises MemoryBusy, which breaks the body off, after RESULT_WAIT_MS."""
    deadline_ms = ports.clock.now_ms() + RESULT_WAIT_MS + ports.request_deadline_ms
    size = RESULT_WINDOW_SAMPLES * RESULT_SAMPLE_BYTES
    return await take_share(size, ports, deadline_ms=deadline_ms, wait_ms=RESULT_WAIT_MS)


async def read_window(
    query: TimeseriesQuery,
    window: Window,
    index: Index,
    share: MemoryShare,
    ports: Ports,
    *,
    stored_only: bool = False,
) -> tuple[PointSeries, ...]:
    """A part of the result: blocks, and the upstream for what they lack.

    Raises StoreUnavailable if they lack something and only what is stored is wanted, AnswerTooLarge for
    more samples than a window may really have, MemoryBusy where there is no memory for them.
    """
    part = replace(query, points=window.points, span=window.span, forced=Route.DIRECT)

    def reserve(stored: int, fetched: int) -> None:
        share.grow((stored + fetched) * RESULT_SAMPLE_BYTES)

    bound = SampleBound(RESULT_WINDOW_MAX_SAMPLES, reserve=reserve)
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

    stored = await read_blocks(part, plan(index.covered), index, bound, ports)
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
                    bound=bound,
                    ports=ports,
                )
            ]
        )
    )
    stamps = {point: index.stamps.of(point).total for point in part.points}
    learn(part, live, fetched, stamps, ports)
    return series_of(part, stored, live.held(()), fetched)
