"""The Blocks port: blocks in a bucket, their index in a database, raw bytes in the isolate's memory.

The bucket is the truth and is written first. When the index cannot be written after it, `keep`
raises StoreUnavailable so that the caller can count it, and nothing is lost: a read looks at the
block, whatever the index says, and the next `keep` of those days writes the row.
"""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from edgeseries.blocks.adapters.block_content import BlockContents, Content, Piece, laid_over
from edgeseries.blocks.adapters.block_index import BlockIndex, BlockRow, DensityObservation
from edgeseries.blocks.adapters.block_memory import BlockMemory, Remembered
from edgeseries.blocks.adapters.block_writing import BlockWriter, Pause, pause
from edgeseries.blocks.adapters.purge import Purge, PurgeAnswers
from edgeseries.blocks.header import BlockKey
from edgeseries.blocks.ports.blocks import Forgotten, KeptDays, StoredSamples
from edgeseries.blocks.ports.compression import Compression
from edgeseries.bounded_gather import bounded_gather
from edgeseries.limits import DAY_MS
from edgeseries.ports.clock import Clock
from edgeseries.series.days import by_month, day_span, days_in, days_touched, month_days
from edgeseries.series.samples import NO_SAMPLES, Samples, Value, within
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.bucket import Bucket, Found
from edgeseries.storage.database import Database
from edgeseries.storage.limits import BUCKET_AT_ONCE
from edgeseries.storage.object_keys import Used, block_key, nobody_counts


@dataclass(frozen=True, slots=True)
class _Place:
    """One block of a site, and the days of it that are meant (bitmap)."""

    point: str
    month: str
    days: int


class BlockStore:
    """Blocks of all sites. `faults` counts what was found wrong, by name; `used` is told what was read.

    `memory` belongs to the isolate, all else to one event.
    """

    def __init__(
        self,
        *,
        bucket: Bucket,
        database: Database,
        compression: Compression,
        memory: BlockMemory,
        clock: Clock,
        answers: PurgeAnswers,
        pause: Pause = pause,
        faults: Counter[str] | None = None,
        used: Used = nobody_counts,
    ) -> None:
        self.faults: Counter[str] = Counter() if faults is None else faults
        self._bucket = bucket
        self._index = BlockIndex(database)
        self._contents = BlockContents(compression, self.faults)
        self._memory = memory
        self._clock = clock
        self._used = used
        self._writer = BlockWriter(bucket=bucket, memory=memory, clock=clock, faults=self.faults, pause=pause)
        self._answers = answers

    async def covered(
        self, site: str, points: Sequence[str], span: TimeRange
    ) -> Mapping[str, frozenset[int]]:
        """See the port."""
        return await self._index.covered(site, points, span)

    async def densities(self, site: str, points: Sequence[str]) -> Mapping[str, float]:
        """See the port."""
        return await self._index.densities(site, points)

    async def fingerprint(self, site: str, points: Sequence[str], span: TimeRange) -> str:
        """See the port."""
        return await self._index.fingerprint(site, points, span)

    async def read(self, site: str, points: Sequence[str], span: TimeRange) -> Mapping[str, StoredSamples]:
        """See the port. Every point that was asked for is in the mapping."""
        wanted = by_month(days_touched(span))

        async def held(place: _Place) -> tuple[int, Samples]:
            return await self._held(site, place)

        places = [_Place(point, month, days) for point in points for month, days in wanted.items()]
        found, error = await bounded_gather(places, held, at_once=BUCKET_AT_ONCE)
        if error is not None:
            raise error
        self._used(
            [block_key(site, place.point, place.month) for place, (days, _) in found.items() if days],
            self._clock.now_ms(),
        )
        return {
            point: _stored(
                [(month, *found[_Place(point, month, days)]) for month, days in wanted.items()], span
            )
            for point in points
        }

    async def keep(self, site: str, kept: Sequence[KeptDays]) -> None:
        """See the port."""
        pieces = _pieces(kept)

        async def write(place: tuple[str, str]) -> BlockRow | None:
            key = BlockKey(site=site, point=place[0], month=place[1])

            def change(found: Found | None) -> Content:
                return self._contents.merged(key, found.content if found else None, pieces[place])

            return await self._writer.write(key, change)

        written, error = await bounded_gather(pieces, write, at_once=BUCKET_AT_ONCE)
        rows = [row for row in written.values() if row is not None]
        await self._index.record(site, rows, _observations(kept), now_ms=self._clock.now_ms())
        if error is not None:
            raise error

    async def forget(
        self, site: str, *, points: Sequence[str] | None, span: TimeRange | None, dry_run: bool
    ) -> Forgotten:
        """See the port."""
        purge = Purge(bucket=self._bucket, index=self._index, contents=self._contents, writer=self._writer)
        blocks = await purge.run(site, points=points, span=span, dry_run=dry_run)
        # Answers go last: one that is made from old blocks meanwhile goes with them.
        answers = await self._answers.forget_site(site, dry_run=dry_run)
        return Forgotten(
            blocks=blocks.blocks,
            answers=answers.answers,
            stored_bytes=blocks.stored_bytes + answers.stored_bytes,
        )

    async def _held(self, site: str, place: _Place) -> tuple[int, Samples]:
        """Which of the wanted days the block holds, and their samples; none if there is no sound block."""
        key = BlockKey(site=site, point=place.point, month=place.month)
        object_key = block_key(key.site, key.point, key.month)
        now_ms = self._clock.now_ms()
        data = self._memory.find(object_key, place.days, now_ms)
        remembered = data is not None
        if data is None:
            found = await self._bucket.get(object_key)
            data = found.content if found is not None else None
        content = self._contents.held(key, data) if data is not None else None
        if content is None:
            self._memory.forget([object_key])
            return 0, NO_SAMPLES
        days = content.days & place.days
        samples = self._contents.samples(content, days)
        if samples is None:
            self._memory.forget([object_key])
            return 0, NO_SAMPLES
        if not remembered:
            self._memory.learn(
                object_key, Remembered(content=content.data, covered_days=content.days, read_ms=now_ms)
            )
        return days, samples


def _stored(months: Iterable[tuple[str, int, Samples]], span: TimeRange) -> StoredSamples:
    times_ms = array("q")
    values: list[Value] = []
    days: list[int] = []
    for month, bitmap, samples in months:
        times_ms.extend(samples.times_ms)
        values.extend(samples.values)
        days.extend(days_in(month, bitmap))
    whole = Samples(times_ms=times_ms, values=tuple(values))
    return StoredSamples(samples=within(whole, span), days=frozenset(days))


def _pieces(kept: Iterable[KeptDays]) -> dict[tuple[str, str], Piece]:
    """What is to be kept, cut into blocks; a day that comes twice is as it came last."""
    pieces: dict[tuple[str, str], Piece] = {}
    for one in kept:
        for month, days in by_month(one.days).items():
            month_range = month_days(month)
            span = day_span(month_range[0], month_range[-1])
            piece = Piece(days=days, samples=within(one.samples, span))
            earlier = pieces.get((one.point, month))
            pieces[one.point, month] = piece if earlier is None else laid_over(earlier, piece, month)
    return pieces


def _observations(kept: Collection[KeptDays]) -> list[DensityObservation]:
    """Samples a day, of days that have any: an empty day teaches nothing.

    Were empty days learned, a point that was off for a while would be taken for empty, its
    requests would go straight through, and nothing would ever be stored or learned of it again.
    """
    observations = []
    for one in kept:
        day_count = len({at_ms // DAY_MS for at_ms in one.samples.times_ms})
        if day_count:
            observations.append(
                DensityObservation(point=one.point, sample_count=len(one.samples), day_count=day_count)
            )
    return observations
