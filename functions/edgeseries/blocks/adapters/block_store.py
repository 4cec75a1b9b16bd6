"""The Blocks port: blocks in a bucket, their index in a database, raw bytes in the isolate's memory.

An object is put before its pointer moves, and never changes. What no pointer leads to is not held: when the
database is down, nothing is found, and a `keep` that could not write its pointers stored nothing.
Why it is built so: `docs/adr/0014-immutable-objects.md`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from edgeseries.blocks.adapters.block_content import BlockContents, Piece, overlaid_pieces
from edgeseries.blocks.adapters.block_index import BlockIndex, DensityObservation, Pointer
from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.adapters.block_reading import BlockReader, PlaceToRead
from edgeseries.blocks.adapters.block_writing import BlockWriter, FetchGuard, RefreshGuard
from edgeseries.blocks.adapters.purge import Purge
from edgeseries.blocks.adapters.purge_records import PurgeRecord, put_record
from edgeseries.blocks.adapters.silence import SilenceWatch
from edgeseries.blocks.adapters.written_segments import WrittenSegments
from edgeseries.blocks.ports.block_codec import BlockCodec
from edgeseries.blocks.ports.blocks import (
    DaysToStore,
    PurgeOutcome,
    StoredIndex,
    StoredSamples,
    StoreOutcome,
)
from edgeseries.blocks.stamps import Refresh, Stamps
from edgeseries.blocks.year_rows import PointRefs, YearRef, point_refs
from edgeseries.bounded_gather import bounded_gather
from edgeseries.errors import StoreUnavailable
from edgeseries.limits import INLINE_MAX_BLOCKS
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.ports.clock import Clock
from edgeseries.ports.streaming import Pause
from edgeseries.series.days import (
    by_month,
    by_year,
    day_span,
    days_in,
    days_in_year,
    days_touched,
    year_days,
)
from edgeseries.series.samples import Samples, days_with_samples, joined, within
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.bucket import Bucket
from edgeseries.storage.database import Database
from edgeseries.storage.limits import BUCKET_AT_ONCE
from edgeseries.storage.object_keys import Used, nobody_counts


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
        self._contents = BlockContents(WrittenSegments(codec), self.faults)
        self._memory = memory
        self._clock = clock
        self._used = used
        self._reader = BlockReader(bucket=bucket, contents=self._contents, memory=memory, faults=self.faults)
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
        touched = days_touched(span)
        years, months = by_year(touched), by_month(touched)
        refs = await self._refs(site, [point for point in points if point in index.covered], years, index)
        places: list[PlaceToRead] = []
        for point, some in refs.items():
            places += [PlaceToRead(point, one, one.days & years.get(one.year, 0)) for one in some.years]
            places += [PlaceToRead(point, one, one.days & months.get(one.month, 0)) for one in some.months]
        places = [place for place in places if place.days]

        async def held(place: PlaceToRead) -> Samples | None:
            return await self._reader.read(site, place, span, bound)

        found, error = await bounded_gather(places, held, at_once=BUCKET_AT_ONCE)
        if error is not None:
            raise error
        read = [place.ref.object_key for place, one in found.items() if one is not None and place.busy_days]
        self._used(read, self._clock.now_ms())
        lost = [place.ref.object_key for place, one in found.items() if one is None]
        if lost:
            await self._drop(lost)
        parts: dict[str, list[tuple[PlaceToRead, Samples]]] = {point: [] for point in points}
        for place in places:
            samples = found[place]
            if samples is not None:
                parts[place.point].append((place, samples))
        return {point: _stored(some) for point, some in parts.items()}

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

    async def take_in_months(self, site: str, places: Sequence[tuple[str, str]]) -> None:
        """Move what blocks of months (version 1) hold of some points and years into blocks of years. What was
        read before stays readable for a day. Raises StoreUnavailable.
        """
        await self._writer.take_in(site, places)

    async def _refs(
        self, site: str, points: Sequence[str], years: Mapping[str, int], index: StoredIndex
    ) -> Mapping[str, PointRefs]:
        if index.refs is not None:
            return {point: index.refs[point] for point in points if point in index.refs}
        found: dict[str, list[Pointer]] = {}
        places = [(point, year) for point in points for year in years]
        for first in range(0, len(places), INLINE_MAX_BLOCKS):
            pointers = await self._index.pointers(site, places[first : first + INLINE_MAX_BLOCKS])
            for (point, _), pointer in pointers.items():
                found.setdefault(point, []).append(pointer)
        return {
            point: point_refs(
                [one.ref for one in some if one.ref is not None],
                [month for one in some for month in one.months],
            )
            for point, some in found.items()
        }

    async def _drop(self, keys: Sequence[str]) -> None:
        """Take out pointers to what is gone or damaged: what they led to is fetched again."""
        try:
            await self._index.drop(keys, now_ms=self._clock.now_ms())
        except StoreUnavailable:
            self.faults["pointer_not_dropped"] += 1


def _stored(places: Sequence[tuple[PlaceToRead, Samples]]) -> StoredSamples:
    days: set[int] = set()
    for place, _ in places:
        if isinstance(place.ref, YearRef):
            days.update(days_in_year(place.period, place.days))
        else:
            days.update(days_in(place.period, place.days))
    return StoredSamples(samples=joined([samples for _, samples in places]), days=frozenset(days))


def _pieces(fetched: Iterable[DaysToStore]) -> dict[tuple[str, str], Piece]:
    """What is to be kept, cut into blocks; a day that comes twice is as it came last."""
    pieces: dict[tuple[str, str], Piece] = {}
    for one in fetched:
        for year, days in by_year(one.days).items():
            of_year = year_days(year)
            piece = Piece(days=days, samples=within(one.samples, day_span(of_year[0], of_year[-1])))
            earlier = pieces.get((one.point, year))
            pieces[one.point, year] = piece if earlier is None else overlaid_pieces(earlier, piece, year)
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
