"""What reading stored years costs, in calls and bytes of the bucket, over the real store."""

from array import array
from collections.abc import Iterator

import pytest

from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.adapters.block_store import BlockStore
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.limits import DAY_MS, HOUR_MS, KERNEL_SEGMENT_DAYS
from edgeseries.series.days import day_span, year_days
from edgeseries.series.samples import NO_SAMPLES, Samples
from edgeseries.series.timerange import TimeRange
from tests.fake_stores import MemoryBucket, SqliteDatabase
from tests.fakes import FakeClock
from tests.host_kernel import HostBlockCodec, HostKernel
from tests.made_days import NOW_MS, read, run
from tests.store_rig import SITE, turns

YEAR = year_days("2023")
WHOLE = day_span(YEAR[0], YEAR[-1])
FIVE_MINUTES_MS = 300_000
POINTS = [f"made_up_{number}" for number in range(3)]
CODEC = HostBlockCodec(HostKernel(), PackageCompression())


class Stored:
    """A bucket and a database, and stores of new isolates over them."""

    def __init__(self) -> None:
        self.bucket, self.database = MemoryBucket(), SqliteDatabase()

    def store(self) -> BlockStore:
        self.bucket.gets = self.bucket.part_bytes = 0
        return BlockStore(
            bucket=self.bucket,
            database=self.database,
            codec=CODEC,
            memory=BlockMemory(),
            clock=FakeClock(at_ms=NOW_MS),
            pause=turns,
        )

    def put(self, *kept: DaysToStore) -> None:
        store = self.store()
        stamps = run(store.look_up(SITE, [one.point for one in kept], WHOLE)).stamps
        run(store.store(SITE, kept, stamps))


def every_five_minutes(point: str, days: range) -> DaysToStore:
    times_ms = array("q", range(days.start * DAY_MS, days.stop * DAY_MS, FIVE_MINUTES_MS))
    values = array("d", [20 + place * place % 41 / 10 for place in range(len(times_ms))])
    return DaysToStore(
        point=point, days=tuple(days), samples=Samples(times_ms=times_ms, values=values.tolist())
    )


@pytest.fixture(scope="module")
def stored() -> Iterator[Stored]:
    made = Stored()
    for first in range(0, len(YEAR), 30):
        made.put(*(every_five_minutes(point, YEAR[first : first + 30]) for point in POINTS))
    yield made
    made.database.close()


def test_a_year_of_a_point_is_one_read(stored: Stored) -> None:
    store = stored.store()
    found = run(read(store, SITE, POINTS, WHOLE))
    assert [len(found[point].samples) for point in POINTS] == [288 * 365] * len(POINTS)
    assert stored.bucket.gets == len(POINTS)
    run(read(store, SITE, POINTS, WHOLE))
    assert stored.bucket.gets == len(POINTS), "the isolate remembers the segments"


@pytest.mark.parametrize("place", [0, 100, 364])
def test_a_day_is_one_read_of_one_segment(stored: Stored, place: int) -> None:
    day = YEAR[place]
    found = run(read(stored.store(), SITE, POINTS[:1], day_span(day, day)))[POINTS[0]]
    assert (len(found.samples), sorted(found.days)) == (288, [day])
    assert stored.bucket.gets == 1
    sizes = [len(content) for key, (content, _, _) in stored.bucket.objects.items() if "/2023/" in key]
    assert stored.bucket.part_bytes < max(sizes) / 9


def test_an_hour_and_a_month_are_one_read(stored: Stored) -> None:
    hour = TimeRange(start_ms=YEAR[50] * DAY_MS + HOUR_MS, end_ms=YEAR[50] * DAY_MS + 2 * HOUR_MS)
    assert len(run(read(stored.store(), SITE, POINTS[:1], hour))[POINTS[0]].samples) == 12
    assert stored.bucket.gets == 1
    month = day_span(YEAR[40], YEAR[70])
    assert len(run(read(stored.store(), SITE, POINTS[:1], month))[POINTS[0]].samples) == 31 * 288
    assert stored.bucket.gets == 1


def test_what_the_index_knows_to_be_empty_is_not_read() -> None:
    stored = Stored()
    noon = array("q", [YEAR[10] * DAY_MS + DAY_MS // 2, YEAR[300] * DAY_MS + 1])
    quiet = DaysToStore(
        point="quiet", days=tuple(YEAR), samples=Samples(times_ms=noon, values=["opened", "closed"])
    )
    silent = DaysToStore(point="silent", days=tuple(YEAR), samples=NO_SAMPLES)
    stored.put(quiet, silent)
    assert len(stored.bucket.objects) == 1
    found = run(read(stored.store(), SITE, ["quiet", "silent"], WHOLE))
    assert found["silent"].days == found["quiet"].days == frozenset(YEAR)
    assert list(found["quiet"].samples.values) == ["opened", "closed"]
    assert stored.bucket.gets == 1
    summer = day_span(YEAR[100], YEAR[200])
    found = run(read(stored.store(), SITE, ["quiet", "silent"], summer))
    assert found["quiet"].days == frozenset(YEAR[100:201])
    assert stored.bucket.gets == 0
    index = run(stored.store().look_up(SITE, ["quiet", "silent"], WHOLE))
    assert index.objects == {"quiet": 1}
    ((content, _, _),) = stored.bucket.objects.values()
    assert len(content) < 150
    stored.database.close()


def test_a_wide_segment_of_a_quiet_point_is_read_whole_and_cut() -> None:
    stored = Stored()
    weekly = array("q", [day * DAY_MS for day in YEAR[::7]])
    values = [float(place) for place in range(len(weekly))]
    stored.put(DaysToStore(point="weekly", days=tuple(YEAR), samples=Samples(times_ms=weekly, values=values)))
    span = day_span(YEAR[7 * 20], YEAR[7 * 22])
    found = run(read(stored.store(), SITE, ["weekly"], span))["weekly"]
    assert list(found.samples.values) == [20.0, 21.0, 22.0]
    assert stored.bucket.gets == 1
    assert len(YEAR) > KERNEL_SEGMENT_DAYS
    stored.database.close()
