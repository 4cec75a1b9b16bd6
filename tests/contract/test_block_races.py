"""Writers that meet at one year: who loses a race copies what it wrote before."""

from collections.abc import Sequence

from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.adapters.written_segments import WrittenSegments
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.blocks.segments import Cut
from edgeseries.limits import DAY_MS, YEAR_SEGMENT_SAMPLES
from edgeseries.series.samples import Samples
from edgeseries.storage.bucket import Facts, Written
from tests.fake_stores import MemoryBucket
from tests.made_days import FEB_29, MARCH, POINT, keep
from tests.store_rig import SITE, Rig, days_of, put


def test_who_loses_a_race_writes_little_anew(rig: Rig) -> None:
    """Two jobs' batches of two months of one year: segments that nobody else touched are remembered."""

    class Counting(PythonBlockCodec):
        written = 0

        def segments(self, samples: Samples, cuts: Sequence[Cut]) -> list[bytes]:
            type(self).written += sum(cut.stop - cut.start for cut in cuts)
            return super().segments(samples, cuts)

    class Slow(MemoryBucket):
        async def put(self, key: str, content: bytes, facts: Facts) -> Written:
            written = await super().put(key, content, facts)
            if len(self.objects) == 1:
                rig.bucket = self
                await keep(rig.another(), SITE, [minutes(range(FEB_29 - 30, FEB_29))])
            return written

    rig.bucket = Slow()
    slow = rig.another()
    slow._contents._codec._inner = Counting(compressor=PackageCompression())  # type: ignore[attr-defined]
    put(slow, minutes(MARCH))
    assert slow.faults == {"block_race_lost": 1}
    assert Counting.written <= 31 * 288 + YEAR_SEGMENT_SAMPLES
    assert days_of(rig.another()) == [*range(FEB_29 - 30, FEB_29), *MARCH]
    rig.agrees()


def minutes(days: range) -> DaysToStore:
    """A sample every five minutes."""
    times_ms = range(days.start * DAY_MS, days.stop * DAY_MS, 300_000)
    values = [20 + place % 31 / 10 for place in range(len(times_ms))]
    return DaysToStore(point=POINT, days=tuple(days), samples=Samples(times_ms=times_ms, values=values))


def test_what_was_written_is_remembered_within_bounds() -> None:
    codec = WrittenSegments(PythonBlockCodec(compressor=PackageCompression()), most_bytes=400)
    samples = minutes(MARCH).samples
    cuts = [
        Cut(first_day=day, last_day=day, start=place * 288, stop=place * 288 + 288)
        for place, day in enumerate(MARCH)
    ]
    plain = PythonBlockCodec(compressor=PackageCompression()).segments(samples, cuts)
    assert codec.segments(samples, cuts) == plain
    assert codec.segments(samples, cuts[-3:]) == plain[-3:]
    assert codec.segments(samples, [*cuts[:1], *cuts[-1:]]) == [plain[0], plain[-1]]
    assert codec._bytes <= 400
    assert sum(map(len, codec._known.values())) == codec._bytes
