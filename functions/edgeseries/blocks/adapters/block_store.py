"""The Blocks port: blocks in a bucket, their index in a database, raw bytes in the isolate's memory.

An object is put before its pointer moves, and never changes. What no pointer leads to is not held: when the
database is down, nothing is found, and a `keep` that could not write its pointers stored nothing.
Why it is built so: `docs/adr/0014-immutable-objects.md`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from edgeseries.blocks.adapters.block_content import BlockContents, Piece, overlaid_pieces
from edgeseries.blocks.adapters.block_index import BlockIndex, DensityObservation
from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.adapters.block_writing import BlockWriter, FetchGuard, RefreshGuard
from edgeseries.blocks.adapters.purge import Purge
from edgeseries.blocks.adapters.purge_records import PurgeRecord, put_record
from edgeseries.blocks.adapters.silence import SilenceWatch
from edgeseries.blocks.header import BlockKey
from edgeseries.blocks.ports.block_codec import BlockCodec
from edgeseries.blocks.ports.blocks import (
    BlockRef,
    DaysToStore,
    PurgeOutcome,
    StoredIndex,
    StoredSamples,
    StoreOutcome,
)
from edgeseries.blocks.stamps import Refresh, Stamps
from edgeseries.bounded_gather import bounded_gather
from edgeseries.errors import StoreUnavailable
from edgeseries.limits import DAY_MS, INLINE_MAX_BLOCKS
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.ports.clock import Clock
from edgeseries.ports.streaming import Pause
from edgeseries.series.days import by_month, day_span, days_in, days_touched, month_days
from edgeseries.series.samples import NO_SAMPLES, Samples, appended, days_with_samples, within
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.bucket import Bucket
from edgeseries.storage.database import Database
from edgeseries.storage.limits import BUCKET_AT_ONCE
from edgeseries.storage.object_keys import Used, nobody_counts


@dataclass(frozen=True, slots=True)
class _Place:
    """One block of a site, and the days of it that are meant (bitmap)."""

    point: str
    ref: BlockRef
    days: int


class BlockStore:
    """Blocks of all sites. `faults` counts what was found wrong, by name; `used` is called with the keys that
    were read.

    `memory` belongs to the isolate, all else to one event.
    """

    def __init__(
        self,
        *,
        bucket: Bucket,
        database: Database,
        codec: BlockCodec,
        memory: BlockMemory,
        clock: Clock,
        pause: Pause,
        faults: Counter[str] | None = None,
        used: Used = nobody_counts,
    ) -> None:
        self.faults: Counter[str] = Counter() if faults is None else faults
        self._bucket = bucket
        self._index = BlockIndex(database)
        self._contents = BlockContents(codec, self.faults)
        self._memory = memory
        self._clock = clock
        self._used = used
        self._writer = BlockWriter(
            bucket=bucket,
            index=self._index,
            contents=self._contents,
            memory=memory,
            clock=clock,
            faults=self.faults,
            pause=pause,
        )
        self._silence = SilenceWatch(database)
        self._purge = Purge(bucket=bucket, database=database, clock=clock)

    async def look_up(self, site: str, points: Sequence[str], span: TimeRange) -> StoredIndex:
        """See the port."""
        return await self._index.look_up(site, points, span, now_ms=self._clock.now_ms())

    async def fingerprint(self, site: str, points: Sequence[str], span: TimeRange) -> str | None:
        """See the port."""
        return await self._index.fingerprint(site, points, span)

    async def read(
        self,
        site: str,
        points: Sequence[str],
        span: TimeRange,
        index: StoredIndex,
        *,
        bound: SampleBound | None = None,
    ) -> Mapping[str, StoredSamples]:
        """See the port. Every point that was asked for is in the mapping."""
        wanted = by_month(days_touched(span))
        refs = await self._refs(site, [point for point in points if point in index.covered], wanted, index)
        places = [
            _Place(point, ref, ref.days & wanted[ref.month])
            for point, some in refs.items()
            for ref in some
            if ref.days & wanted.get(ref.month, 0)
        ]

        async def held(place: _Place) -> tuple[int, Samples] | None:
            return await self._held(site, place, span, bound)

        found, error = await bounded_gather(places, held, at_once=BUCKET_AT_ONCE)
        if error is not None:
            raise error
        self._used(
            [place.ref.object_key for place, one in found.items() if one is not None], self._clock.now_ms()
        )
        lost = [place.ref.object_key for place, one in found.items() if one is None]
        if lost:
            await self._drop(lost)
        months: dict[str, list[tuple[str, int, Samples]]] = {point: [] for point in points}
        for place in places:
            days, samples = found[place] or (0, NO_SAMPLES)
            months[place.point].append((place.ref.month, days, samples))
        return {point: _stored(some, span) for point, some in months.items()}

    async def store(self, site: str, days: Sequence[DaysToStore], stamps: Stamps) -> StoreOutcome:
        """See the port."""
        believed = await self._silence.believed(site, days, now_ms=self._clock.now_ms())
        return await self._writer.store(site, _pieces(believed), _observations(believed), FetchGuard(stamps))

    async def begin_refresh(self, site: str, points: Sequence[str]) -> Refresh:
        """See the port."""
        return await self._index.draw_tickets(site, points, now_ms=self._clock.now_ms())

    async def refresh(self, site: str, days: Sequence[DaysToStore], begun: Refresh) -> StoreOutcome:
        """See the port."""
        done = await self._writer.store(site, _pieces(days), _observations(days), RefreshGuard(begun))
        raised = [stamp.point for stamp in done.stamps.points.values()]
        if raised:
            record = PurgeRecord(site=site, points=sorted(done.stamps.points), generation=max(raised))
            await put_record(self._bucket, record)
        return done

    async def forget(
        self, site: str, *, points: Sequence[str] | None, span: TimeRange | None, dry_run: bool
    ) -> PurgeOutcome:
        """See the port."""
        return await self._purge.run(site, points=points, span=span, dry_run=dry_run)

    async def _refs(
        self, site: str, points: Sequence[str], wanted: Mapping[str, int], index: StoredIndex
    ) -> Mapping[str, Sequence[BlockRef]]:
        if index.refs is not None:
            return {point: index.refs.get(point, ()) for point in points}
        found: dict[str, list[BlockRef]] = {}
        places = [(point, month) for point in points for month in wanted]
        for first in range(0, len(places), INLINE_MAX_BLOCKS):
            pointers = await self._index.pointers(site, places[first : first + INLINE_MAX_BLOCKS])
            for (point, _), pointer in pointers.items():
                if pointer.ref is not None:
                    found.setdefault(point, []).append(pointer.ref)
        return found

    async def _held(
        self, site: str, place: _Place, span: TimeRange, bound: SampleBound | None
    ) -> tuple[int, Samples] | None:
        """Which of the wanted days the object holds, and their samples in the range; None if there is no
        sound object. What it certainly has is counted before it is decoded.
        """
        key = BlockKey(site=site, point=place.point, month=place.ref.month)
        object_key = place.ref.object_key
        data = self._memory.find(object_key)
        remembered = data is not None
        if data is None:
            found = await self._bucket.get(object_key)
            if found is None:
                self.faults["block_gone"] += 1
                return None
            data = found.content
        content = self._contents.held(key, data)
        certain, samples = 0, None
        if content is not None:
            if bound is not None:
                certain = self._contents.certain_count(content, _days_inside(place, span))
                bound.add_stored(certain)
            samples = self._contents.samples(content, content.days & place.days)
        if content is None or samples is None:
            if bound is not None:
                bound.add_stored(-certain)
            self._memory.forget([object_key])
            return None
        samples = within(samples, span)
        if bound is not None:
            bound.add_stored(len(samples) - certain)
        if not remembered:
            self._memory.learn(object_key, content.data)
        return content.days & place.days, samples

    async def _drop(self, keys: Sequence[str]) -> None:
        """Take out pointers to what is gone or damaged: what they led to is fetched again."""
        try:
            await self._index.drop(keys, now_ms=self._clock.now_ms())
        except StoreUnavailable:
            self.faults["pointer_not_dropped"] += 1


def _days_inside(place: _Place, span: TimeRange) -> int:
    """The wanted days of a block that a range holds whole (bitmap)."""
    first, last = -(-span.start_ms // DAY_MS), span.end_ms // DAY_MS
    return sum(
        1 << number
        for number, day in enumerate(month_days(place.ref.month))
        if place.days >> number & 1 and first <= day < last
    )


def _stored(months: Iterable[tuple[str, int, Samples]], span: TimeRange) -> StoredSamples:
    some = list(months)
    days = frozenset(day for month, bitmap, _ in some for day in days_in(month, bitmap))
    whole = appended(samples for _, _, samples in some)
    return StoredSamples(samples=within(whole, span), days=days)


def _pieces(fetched: Iterable[DaysToStore]) -> dict[tuple[str, str], Piece]:
    """What is to be kept, cut into blocks; a day that comes twice is as it came last."""
    pieces: dict[tuple[str, str], Piece] = {}
    for one in fetched:
        for month, days in by_month(one.days).items():
            month_range = month_days(month)
            span = day_span(month_range[0], month_range[-1])
            piece = Piece(days=days, samples=within(one.samples, span))
            earlier = pieces.get((one.point, month))
            pieces[one.point, month] = piece if earlier is None else overlaid_pieces(earlier, piece, month)
    return pieces


def _observations(fetched: Collection[DaysToStore]) -> list[DensityObservation]:
    """Samples a day, of days that have any: an empty day teaches nothing.

    Were empty days learned, a point that was off for a while would be taken for empty, its
    requests would go straight through, and nothing would ever be stored or learned of it again.
    """
    observations = []
    for one in fetched:
        day_count = len(days_with_samples(one.samples.times_ms))
        if day_count:
            observations.append(
                DensityObservation(point=one.point, sample_count=len(one.samples), day_count=day_count)
            )
    return observations
