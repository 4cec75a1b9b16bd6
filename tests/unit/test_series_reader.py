"""The reader of series: what is stored, what is missing, read, fetch, join."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from edgeseries.errors import AnswerTooLarge, OriginOversize, OriginUnreachable, StoreUnavailable
from edgeseries.jobs.batching import halved
from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.planning.adapters.live_memory import LiveMemory
from edgeseries.planning.fetch_plan import Gap
from edgeseries.planning.live_edge import RecentSamples
from edgeseries.planning.memory_share import MemoryShare, Waiting, wait_for_share
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.planning.sample_budget import SampleBudget
from edgeseries.reading.fetched import Delivery
from edgeseries.reading.fetching import fetch_gaps
from edgeseries.reading.series_reader import ReadOptions, SeriesReader
from edgeseries.reading.survey import Survey
from edgeseries.reading.windows import series_by_window
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import in_order
from edgeseries.series.timerange import TimeRange
from tests.fake_stores import FakeBlocks
from tests.fakes import FakeClock, FakeOrigin, FakeTimer, ListJournal

SITE = "hq"
DAY = 19_700
NOW_MS = (DAY + 10) * DAY_MS
MOST = 1_000_000

Held = dict[int, Sequence[tuple[int, Any]]]
"""Samples by day."""


def pairs_of(day: int, count: int = 4) -> list[tuple[int, float]]:
    return [(day * DAY_MS + place * (DAY_MS // count), float(place)) for place in range(count)]


def reader_with(held: dict[str, Held], upstream: dict[str, list[tuple[int, Any]]]) -> SeriesReader:
    clock = FakeClock(at_ms=NOW_MS)
    blocks = FakeBlocks(clock=clock)
    for point, days in held.items():
        blocks.held[SITE, point] = {day: tuple(pairs) for day, pairs in days.items()}
    return SeriesReader(
        blocks=blocks,
        origin=FakeOrigin({SITE: dict(upstream)}),
        clock=clock,
        journal=ListJournal(),
        settle_lag_ms=HOUR_MS,
        live_cache=LiveMemory(),
        live_ttl_ms=10_000,
        faults=Counter(),
    )


def wanted(*points: str, first: int = 0, days: int = 1) -> TimeseriesQuery:
    span = TimeRange(start_ms=(DAY + first) * DAY_MS, end_ms=(DAY + first + days) * DAY_MS)
    return TimeseriesQuery(site=SITE, points=points, span=span)


async def survey_of(reader: SeriesReader, query: TimeseriesQuery) -> Survey:
    return reader.survey(query, await reader.look_up(query), now_ms=reader.clock.now_ms())


def options(**changes: bool) -> ReadOptions:
    return ReadOptions(deadline_ms=NOW_MS + 30_000, **changes)


def rows(series: PointSeries) -> list[tuple[int, Any]]:
    return list(zip(series.samples.times_ms, series.samples.values, strict=True))


def test_stored_days_come_from_blocks_and_the_rest_from_upstream() -> None:
    stored, upstream = pairs_of(DAY), pairs_of(DAY + 1)
    reader = reader_with({"a": {DAY: stored}}, {"a": upstream, "b": upstream})

    async def read() -> None:
        reading = await reader.read(
            await survey_of(reader, wanted("a", "b", days=2)), options(), bound=SampleBound(MOST)
        )
        assert [one.point for one in reading.series] == ["a", "b"]
        assert rows(reading.series[0]) == [*stored, *upstream]
        assert rows(reading.series[1]) == upstream
        assert (reading.from_store, reading.from_origin) == (True, True)
        assert reading.fetched.sample_count == 2 * len(upstream)

    asyncio.run(read())


def test_nothing_is_fetched_where_only_what_is_stored_is_wanted() -> None:
    reader = reader_with({"a": {DAY: pairs_of(DAY)}}, {"a": pairs_of(DAY + 1)})

    async def read(days: int) -> int:
        survey = await survey_of(reader, wanted("a", days=days))
        reading = await reader.read(survey, options(stored_only=True), bound=SampleBound(MOST))
        return len(reading.series[0].samples)

    assert asyncio.run(read(1)) == len(pairs_of(DAY))
    with pytest.raises(StoreUnavailable, match="is gone"):
        asyncio.run(read(2))
    assert isinstance(reader.origin, FakeOrigin)
    assert not reader.origin.spans


def test_what_came_before_a_bound_was_passed_is_handed_over() -> None:
    reader = reader_with({}, {"a": pairs_of(DAY)})
    delivered: list[Delivery] = []

    async def read() -> None:
        survey = await survey_of(reader, wanted("a"))
        await reader.read(survey, options(whole_days=True), bound=SampleBound(1), delivered=delivered)

    with pytest.raises(AnswerTooLarge):
        asyncio.run(read())
    assert [(gap.points, len(series[0].samples)) for gap, series in delivered] == [(("a",), 4)]


def test_a_reread_that_fails_leaves_the_days_that_were_sealed_while_they_were_watched() -> None:
    """One day is stored as empty and due; the next was sealed meanwhile, and the isolate knows all of it."""
    reader = reader_with({"a": {DAY: ()}}, {"a": []})
    assert isinstance(reader.origin, FakeOrigin)
    reader.origin.failure = OriginUnreachable("gone")
    watched = pairs_of(DAY + 1)

    async def read() -> None:
        index = await due_index(reader)
        assert reader.live_cache is not None
        recent = RecentSamples(
            from_ms=(DAY + 1) * DAY_MS,
            known_until_ms=(DAY + 2) * DAY_MS + HOUR_MS,
            settled_until_ms=(DAY + 2) * DAY_MS,
            read_ms=(DAY + 2) * DAY_MS + HOUR_MS,
            samples=in_order(
                [*(at for at, _ in watched), (DAY + 2) * DAY_MS], [*(one for _, one in watched), 9.0]
            ),
            stamp=index.stamps.of("a").total,
        )
        reader.live_cache.learn(SITE, {"a": recent}, instead_of={})
        survey = reader.survey(wanted("a", days=2), index, now_ms=NOW_MS)
        assert survey.fetch_plan.rereads
        reading = await reader.read(survey, options(), bound=SampleBound(MOST))
        assert rows(reading.series[0]) == watched
        assert reader.faults["empty_days_not_reread"] == 1

    asyncio.run(read())


async def due_index(reader: SeriesReader) -> Any:
    """What is stored, when the empty day is to be read again."""
    index = await reader.look_up(wanted("a", days=2))
    point = index.points["a"]
    days = replace(point.days, empty=frozenset({DAY}), due=frozenset({DAY}))
    stored = replace(index.stored, covered={}, stored={"a": replace(point, days=days)})
    return replace(index, stored=stored)


def test_pieces_that_are_too_large_are_halved_and_come_in_order() -> None:
    origin = FakeOrigin({SITE: {"a": [pair for day in range(8) for pair in pairs_of(DAY + day)]}})
    asked: list[TimeRange] = []

    class Small(FakeOrigin):
        async def fetch(self, site: str, points: Sequence[str], span: TimeRange, **more: Any) -> Any:
            asked.append(span)
            if span.duration_ms > 2 * DAY_MS:
                raise OriginOversize("too much")
            return await origin.fetch(site, points, span, **more)

    gap = Gap(points=("a",), span=TimeRange(start_ms=DAY * DAY_MS, end_ms=(DAY + 8) * DAY_MS))

    async def fetch(**more: Any) -> list[Delivery]:
        return [
            one async for one in fetch_gaps(SITE, [gap], origin=Small({}), deadline_ms=lambda: NOW_MS, **more)
        ]

    found = asyncio.run(fetch(halve=halved))
    assert [piece.span.start_ms // DAY_MS - DAY for piece, _ in found] == [0, 2, 4, 6]
    assert sum(len(series[0].samples) for _, series in found) == 32
    with pytest.raises(OriginOversize):
        asyncio.run(fetch())


@pytest.mark.parametrize("taken", [1, 1_000], ids=["a reader who leaves", "all of it"])
def test_a_stream_of_windows_is_whole_and_gives_its_memory_back(taken: int) -> None:
    days: Held = {DAY + day: pairs_of(DAY + day, 1_440) for day in range(9)}
    reader = reader_with({"a": days, "b": days}, {"a": [], "b": []})
    budget, clock = SampleBudget(), FakeClock(at_ms=NOW_MS)

    async def share(size: int) -> MemoryShare:
        waiting = Waiting(budget=budget, clock=clock, pause=FakeTimer(clock).pause)
        return await wait_for_share(size, waiting, deadline_ms=NOW_MS + 1_000, wait_ms=1_000)

    async def read() -> dict[str, list[tuple[int, Any]]]:
        found: dict[str, list[tuple[int, Any]]] = {}
        windows = series_by_window(
            wanted("a", "b", days=9),
            reader,
            take_share=share,
            deadline_ms=lambda: NOW_MS + 1_000,
            stored_only=True,
        )
        async with aclosing(windows):
            count = 0
            async for window in windows:
                assert budget.held_bytes
                for one in window.series:
                    found.setdefault(one.point, []).extend(rows(one))
                count += 1
                if count == taken:
                    break
        return found

    found = asyncio.run(read())
    assert budget.held_bytes == 0
    if taken > 1:
        every = [pair for day in sorted(days) for pair in days[day]]
        assert found == {"a": every, "b": every}


def test_points_that_are_quiet_at_the_live_edge_are_asked_together_and_what_else_is_missing_as_ever() -> None:
    """The live part is ten days after DAY, at noon; 120 points have no sample there."""
    names = tuple(f"p{number:03d}" for number in range(120))
    reader = reader_with({}, {name: [] for name in names})
    assert isinstance(reader.origin, FakeOrigin)
    assert isinstance(reader.clock, FakeClock)
    reader.clock.at_ms = NOW_MS + 12 * HOUR_MS

    async def fetches(first: int) -> int:
        assert isinstance(reader.origin, FakeOrigin)
        before = len(reader.origin.spans)
        span = TimeRange(start_ms=(DAY + first) * DAY_MS, end_ms=reader.clock.now_ms())
        query = TimeseriesQuery(site=SITE, points=names, span=span)
        survey = await survey_of(reader, query)
        reading = await reader.read(survey, options(), bound=SampleBound(MOST))
        reader.learn(survey, reading.fetched, dict.fromkeys(names, 0))
        return len(reader.origin.spans) - before

    assert asyncio.run(fetches(10)) > 1, "nothing is known of them"
    reader.clock.at_ms += 11_000
    assert asyncio.run(fetches(10)) == 1
    reader.clock.at_ms += 11_000
    assert asyncio.run(fetches(9)) > 1, "the day before may be dense"
