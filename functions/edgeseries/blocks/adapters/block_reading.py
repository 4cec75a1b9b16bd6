"""Stored samples read: of a year the segments that are needed, of a month of version 1 the whole object.

What the index knows to be empty is not read. Bytes that are gone or damaged count as not held, and their
keys are told, so that the rows can be taken out.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edgeseries.blocks.adapters.block_content import BlockContents
from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.directory import certain_samples, entries_of, stretches
from edgeseries.blocks.header import BlockKey, SegmentEntry
from edgeseries.blocks.year_block import BytesOf, slices_of
from edgeseries.blocks.year_header import YearKey
from edgeseries.blocks.year_rows import BlockRef, YearRef
from edgeseries.limits import DAY_MS
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.series.days import YEAR_CHARS, month_days, year_days
from edgeseries.series.samples import NO_SAMPLES, Samples, within
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.bucket import Bucket
from edgeseries.storage.limits import STRETCH_MAX_BYTES


@dataclass(frozen=True, slots=True)
class PlaceToRead:
    """A block of a site, and the days of it that are meant (bitmap of its year or month)."""

    point: str
    ref: YearRef | BlockRef
    days: int

    @property
    def period(self) -> str:
        """The year or the month."""
        return self.ref.year if isinstance(self.ref, YearRef) else self.ref.month

    @property
    def busy_days(self) -> int:
        """The days that may have samples."""
        return self.days & ~self.ref.empty_days


class BlockReader:
    """Reads blocks of one bucket. `faults` counts what was not as the index says."""

    def __init__(
        self, *, bucket: Bucket, contents: BlockContents, memory: BlockMemory, faults: Counter[str]
    ) -> None:
        self._bucket = bucket
        self._contents = contents
        self._memory = memory
        self._faults = faults

    async def read(
        self, site: str, place: PlaceToRead, span: TimeRange, bound: SampleBound | None
    ) -> Samples | None:
        """The samples of the wanted days in a range; None if there is no sound object. What there certainly
        is is counted before it is decoded.
        """
        if not place.busy_days:
            return NO_SAMPLES
        if isinstance(place.ref, YearRef):
            return await self._year(site, place, place.ref, span, bound)
        return await self._month(site, place, place.ref, span, bound)

    async def _year(
        self, site: str, place: PlaceToRead, ref: YearRef, span: TimeRange, bound: SampleBound | None
    ) -> Samples | None:
        key = YearKey(site=site, point=place.point, year=ref.year)
        data = self._memory.find(ref.object_key)
        if data is None and not ref.directory:
            data = await self._whole(ref.object_key)
            if data is None:
                return None
        entries = self._contents.directory(ref, key, data)
        if entries is None:
            self._memory.forget([ref.object_key])
            return None
        wanted = entries_of(entries, ref.year, place.busy_days)
        parts = None if data is not None else await self._segments(ref.object_key, wanted)
        if data is None and parts is None:
            return None
        bytes_of: BytesOf = slices_of(data or b"") if parts is None else (lambda entry: parts[entry.offset])
        certain = certain_samples(wanted, ref.year, _days_inside(place, span)) if bound is not None else 0
        samples = self._counted(
            bound,
            certain,
            span,
            lambda: self._contents.year_samples(wanted, bytes_of, ref.year, place.busy_days),
        )
        if samples is None:
            self._memory.forget([ref.object_key, *(_segment_key(ref.object_key, one) for one in wanted)])
        elif parts is None:
            self._memory.learn(ref.object_key, data or b"")
        else:
            for one in wanted:
                self._memory.learn(_segment_key(ref.object_key, one), parts[one.offset])
        return samples

    async def _month(
        self, site: str, place: PlaceToRead, ref: BlockRef, span: TimeRange, bound: SampleBound | None
    ) -> Samples | None:
        key = BlockKey(site=site, point=place.point, month=ref.month)
        data = self._memory.find(ref.object_key) or await self._whole(ref.object_key)
        if data is None:
            return None
        whole = data
        days = _days_inside(place, span)
        certain = self._contents.certain_count(key, whole, days) if bound is not None else 0
        samples = self._counted(
            bound, certain, span, lambda: self._contents.month_samples(key, whole, place.busy_days)
        )
        if samples is None:
            self._memory.forget([ref.object_key])
        else:
            self._memory.learn(ref.object_key, whole)
        return samples

    async def _whole(self, object_key: str) -> bytes | None:
        found = await self._bucket.get(object_key)
        if found is None:
            self._faults["block_gone"] += 1
            return None
        return found.content

    async def _segments(self, object_key: str, entries: Sequence[SegmentEntry]) -> Mapping[int, bytes] | None:
        """The bytes of some segments by their offsets: those that are not remembered in as few reads as may
        be.
        """
        found: dict[int, bytes] = {}
        missing = []
        for one in entries:
            known = self._memory.find(_segment_key(object_key, one))
            if known is None:
                missing.append(one)
            else:
                found[one.offset] = known
        for stretch in stretches(missing, most_bytes=STRETCH_MAX_BYTES):
            data = await self._bucket.part(object_key, stretch.offset, stretch.size)
            if data is None:
                self._faults["block_gone"] += 1
                return None
            for one in stretch.entries:
                start = one.offset - stretch.offset
                found[one.offset] = data[start : start + one.size]
        return found

    def _counted(
        self,
        bound: SampleBound | None,
        certain: int,
        span: TimeRange,
        decode: Callable[[], Samples | None],
    ) -> Samples | None:
        if bound is not None:
            bound.add_stored(certain)
        samples = decode()
        if samples is None:
            if bound is not None:
                bound.add_stored(-certain)
            return None
        inside = within(samples, span)
        if bound is not None:
            bound.add_stored(len(inside) - certain)
        return inside


def _segment_key(object_key: str, entry: SegmentEntry) -> str:
    """What a segment is remembered by."""
    return f"{object_key}@{entry.offset}"


def _days_inside(place: PlaceToRead, span: TimeRange) -> int:
    """The wanted days of a block that a range holds whole (bitmap)."""
    first, last = -(-span.start_ms // DAY_MS), span.end_ms // DAY_MS
    of_period = year_days(place.period) if len(place.period) == YEAR_CHARS else month_days(place.period)
    low, high = max(first, of_period.start) - of_period.start, min(last, of_period.stop) - of_period.start
    return place.busy_days & (((1 << (high - low)) - 1) << low) if low < high else 0
