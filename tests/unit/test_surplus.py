"""Samples that pages of a site bring and nobody asked for: what is gathered, what is stored, what is not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from edgeseries.blocks.ports.blocks import DaysToStore, StoredIndex
from edgeseries.blocks.stamps import Stamps
from edgeseries.errors import MemoryBusy
from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.origins.ports.origin import Bulk
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.reading.series_reader import ReadOptions
from edgeseries.reading.surplus import store_surplus, surplus_days
from edgeseries.series.days import day_span
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import Samples, in_order
from edgeseries.series.timerange import TimeRange
from tests.asked_router import ask, make_ports, told
from tests.fake_stores import FakeBlocks, MemoryBucket, SqliteDatabase
from tests.fakes import FakeClock, FakeOrigin
from tests.job_system import JobSystem
from tests.store_rig import Rig
from tests.unit.test_ace_quiet import LOUD, NOW_MS, QUIET, Building, Isolate

TODAY = NOW_MS // DAY_MS
SITE = "hq"
DAY = day_span(TODAY - 2, TODAY - 2)


def fetched(
    building: Building, points: Sequence[str], surplus: Surplus, *, bulk: bool = False
) -> dict[str, int]:
    async def before_call() -> None:
        pass

    origin = Isolate(building).origin()
    fetch = origin.fetch(
        *(SITE, points, DAY),
        deadline_ms=NOW_MS + 30_000,
        bulk=Bulk(before_call=before_call, max_samples=100_000) if bulk else None,
        surplus=surplus,
    )
    return {one.point: len(one.samples) for one in asyncio.run(fetch)}


@pytest.mark.parametrize("bulk", [False, True], ids=["for quiet points", "for most of the site"])
def test_pages_that_were_read_to_their_end_bring_whole_days_of_other_points(*, bulk: bool) -> None:
    building = Building([*QUIET[:20], *LOUD[:15]], LOUD[:15])
    surplus = Surplus(besides=frozenset(LOUD[:1]))
    asked = QUIET[:20] if not bulk else [*QUIET[:20], *LOUD[1:3]]
    fetched(building, asked, surplus, bulk=bulk)
    assert building.calls["pages"] == 1
    assert {one.point for _, one in surplus.series} == set(LOUD[1:15]) - set(asked)
    assert {(span, len(one.samples)) for span, one in surplus.series} == {(DAY, 288)}
    assert [one.days for one in surplus_days(surplus, TODAY)] == [(TODAY - 2,)] * len(surplus.series)
    assert not surplus_days(surplus, TODAY - 2), "not sealed"


def test_of_more_than_the_budget_the_points_with_the_most_samples_go() -> None:
    for bulk in (False, True):
        building = Building([*QUIET[:20], *LOUD[:15]], LOUD[:15])
        surplus = Surplus(max_samples=1_000)
        fetched(building, QUIET[:20], surplus, bulk=bulk)
        assert (len(surplus.series), surplus.sample_count) == (3, 3 * 288)
    sizes = Surplus(max_samples=10, max_points=2)
    sizes.add(DAY, [series_of("a", 6), series_of("b", 5), series_of("c", 4), series_of("d", 0)])
    assert [one.point for _, one in sizes.series] == ["c", "b"]
    sizes.add(DAY, [series_of("e", 1)])
    assert len(sizes.series) == 2


class Spoilt(Building):
    """Its last point's rows have an instant that is none."""

    def samples(self, names: Any, start_ms: int, end_ms: int) -> list[dict[str, str]]:
        found = super().samples(names, start_ms, end_ms)
        return [{**row, "time": "yesterday"} if row["name"] == LOUD[14] else row for row in found]


def test_rows_of_others_that_are_none_spoil_nothing() -> None:
    surplus = Surplus()
    found = fetched(
        Spoilt([*QUIET[:15], *LOUD[:15]], LOUD[:15]), [*QUIET[:15], *LOUD[:5]], surplus, bulk=True
    )
    assert found == dict.fromkeys(QUIET[:15], 0) | dict.fromkeys(LOUD[:5], 288)
    assert not surplus.series


def test_pages_that_were_cut_short_bring_nothing() -> None:
    loud = [f"loud_{number:04d}" for number in range(600)]
    surplus = Surplus()
    fetched(Building([*QUIET, *loud], loud), QUIET, surplus)
    assert not surplus.series


def series_of(point: str, count: int) -> PointSeries:
    return PointSeries(point=point, samples=samples_of(count))


def samples_of(count: int, day: int = TODAY - 2) -> Samples:
    return in_order(
        [day * DAY_MS + place for place in range(count)], [float(place) for place in range(count)]
    )


def days_of(point: str, *days: int) -> DaysToStore:
    one = samples_of(3, days[0])
    return DaysToStore(point=point, days=days, samples=one)


def test_only_parts_that_lie_on_whole_days_are_days_and_a_day_counts_once() -> None:
    surplus = Surplus()
    surplus.add(TimeRange(start_ms=DAY.start_ms, end_ms=DAY.end_ms - HOUR_MS), [series_of("a", 3)])
    surplus.add(DAY, [series_of("b", 3)])
    surplus.add(DAY, [series_of("b", 3)])
    later = day_span(TODAY - 1, TODAY - 1)
    surplus.add(later, [PointSeries(point="b", samples=samples_of(2, TODAY - 1))])
    (found,) = surplus_days(surplus, TODAY)
    assert (found.point, found.days, len(found.samples)) == ("b", (TODAY - 2, TODAY - 1), 5)


@dataclass
class Purged(FakeBlocks):
    """Something is purged between the look at the index and the write."""

    points: tuple[str, ...] | None = ()

    async def look_up(self, site: str, points: Sequence[str], span: TimeRange) -> StoredIndex:
        found = await super().look_up(site, points, span)
        await self.forget(site, points=self.points, span=None, dry_run=False)
        return found


def test_what_is_held_or_was_purged_is_left_as_it_is() -> None:
    blocks = FakeBlocks()
    blocks.held[SITE, "held"] = {TODAY - 2: ((DAY.start_ms, 7.0),)}
    blocks.generations[SITE, "purged"] = 1
    days = [days_of("held", TODAY - 3, TODAY - 2), days_of("purged", TODAY - 2), days_of("new", TODAY - 2)]
    assert asyncio.run(store_surplus(SITE, days, Stamps(), blocks)) == 3
    assert set(blocks.held) == {(SITE, "held"), (SITE, "new")}
    assert blocks.held[SITE, "held"] == {TODAY - 2: ((DAY.start_ms, 7.0),)}


@pytest.mark.parametrize("points", [None, ("a",)], ids=["the site", "the point"])
def test_what_is_purged_meanwhile_is_not_stored(points: tuple[str, ...] | None) -> None:
    blocks = Purged(points=points)
    stored = asyncio.run(store_surplus(SITE, [days_of("a", TODAY - 2)], Stamps(), blocks))
    assert not stored
    assert not any(blocks.held.values())


@pytest.mark.parametrize("what", ["purge the point", "purge the site", "refresh"])
def test_the_real_store_refuses_what_was_overtaken_after_the_fetch(what: str) -> None:
    """The generation of the site is that of before the fetch; that of the point is not known."""
    clock, database = FakeClock(at_ms=NOW_MS), SqliteDatabase()
    rig = Rig(bucket=MemoryBucket(), database=database, clock=clock, store=None)  # type: ignore[arg-type]
    store = rig.another()

    async def overtaken() -> int:
        before = (await store.look_up(SITE, ["asked"], DAY)).stamps
        if what == "refresh":
            begun = await store.begin_refresh(SITE, ["a"])
            await store.refresh(SITE, [days_of("a", TODAY - 3)], begun)
        else:
            points = ["a"] if what == "purge the point" else None
            await store.forget(SITE, points=points, span=None, dry_run=False)
        return await store_surplus(SITE, [days_of("a", TODAY - 2), days_of("b", TODAY - 2)], before, store)

    stored = asyncio.run(overtaken())
    held = {point for point, _ in rig.pointers()}
    assert stored == (0 if what == "purge the site" else 3)
    assert held == {"purge the point": {"b"}, "purge the site": set(), "refresh": {"a", "b"}}[what]
    days = asyncio.run(store.look_up(SITE, ["a"], DAY)).covered
    assert not days, "nothing of the day that was overtaken"
    database.close()


class Paged(FakeOrigin):
    """An upstream whose every fetch brings all of the site. `asked` are the points of each."""

    def __init__(self, deliveries: Any) -> None:
        super().__init__(deliveries)
        self.asked: list[tuple[str, ...]] = []

    async def fetch(self, site: str, points: Sequence[str], span: TimeRange, **more: Any) -> Any:
        self.asked.append(tuple(points))
        surplus = more.pop("surplus", None)
        if surplus is not None:
            others = sorted(set(self.deliveries[site]) - set(points))
            surplus.add(span, await super().fetch(site, others, span, **more))
        return await super().fetch(site, points, span, **more)


@pytest.mark.parametrize("room", [True, False])
def test_what_came_along_is_dropped_where_there_is_no_memory_for_it(*, room: bool) -> None:
    rows = [(DAY.start_ms + minute * 60_000, 1.0) for minute in range(1_440)]
    ports = make_ports(origin=Paged({SITE: {"a": rows, "b": rows}}), clock=FakeClock(at_ms=NOW_MS))
    held: list[int] = []

    def reserve(stored: int, fetched: int) -> None:
        held.append(stored + fetched)
        if not room and stored + fetched > 1_500:
            raise MemoryBusy("full")

    async def read() -> Any:
        query = TimeseriesQuery(site=SITE, points=("a",), span=DAY)
        survey = ports.reader.survey(query, await ports.reader.look_up(query), now_ms=NOW_MS)
        options = ReadOptions(deadline_ms=NOW_MS + 30_000, whole_days=True)
        return await ports.reader.read(survey, options, bound=SampleBound(10_000, reserve=reserve))

    reading = asyncio.run(read())
    assert len(reading.series[0].samples) == 1_440
    assert reading.surplus.sample_count == (1_440 if room else 0)
    assert max(held) == 2_880


def test_a_question_about_points_that_came_along_is_a_hit() -> None:
    first_ms = (TODAY - 20) * DAY_MS
    rows = {
        name: [(first_ms + minute * 60_000, float(minute + place)) for minute in range(2_880)]
        for place, name in enumerate(("a", "b", "c"))
    }
    origin = Paged({SITE: rows})
    ports = make_ports(origin=origin, clock=FakeClock(at_ms=NOW_MS))

    def question(point: str, *more: tuple[str, str]) -> Any:
        query = (
            *more,
            ("site", SITE),
            ("points", point),
            ("start_time", str(first_ms + HOUR_MS)),
            ("end_time", str(first_ms + 2 * DAY_MS)),
        )
        return ask(query=query, ports=ports)

    assert question("a", ("route", "cached")).headers["X-Cache-Hit"] == "false"
    assert ports.operations["surplus_samples"] == 2 * 2_880
    asked = len(origin.asked)
    answered = question("b")
    assert answered.headers["X-Cache-Hit"] == "true"
    assert told(answered)["data"]["b"]["samples"] == [
        [at, value] for at, value in rows["b"] if at >= first_ms + HOUR_MS
    ]
    assert len(origin.asked) == asked


def test_a_batch_of_a_job_finds_what_another_one_brought_along() -> None:
    """Six points, two a batch: what the first batch reads holds all of them."""
    system = JobSystem()
    origin = Paged(system.origin.deliveries)
    system.ports = replace(system.ports, origin=origin)
    started = system.start()
    system.drain()
    assert system.job(started.job.job_id).status == "completed"
    held = {
        point: {day: len(pairs) for day, pairs in system.blocks.held[SITE, point].items()}
        for point in system.rows
    }
    assert held == system.expected_held()
    first, *others = sorted(system.rows)[1:]
    # One point has no sample on the first day, which is asked alone: nobody was told that it is quiet then.
    assert set(origin.asked) == {(min(system.rows), first), ("p002",)}
    assert system.ports.operations["surplus_samples"] == sum(sum(held[point].values()) for point in others)
    system.close()
