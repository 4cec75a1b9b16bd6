"""Storing days: put new objects, then move the pointers in one statement, if nobody was there first.

A new object is made of what the pointer leads to now, so it can be made again on what another writer
left: of two writers of different days of one block the second merges into what the first wrote, and
nothing is lost. Whoever finds that his points were purged or refreshed since he fetched drops what he has.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from edgeseries.blocks.adapters.block_content import (
    CODEC,
    BlockContents,
    Content,
    OldMonth,
    Piece,
    facts_of,
)
from edgeseries.blocks.adapters.block_index import (
    BlockIndex,
    BlockRow,
    DensityObservation,
    Move,
    Moved,
    Place,
    Pointer,
)
from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.ports.blocks import StoreOutcome
from edgeseries.blocks.stamps import Refresh, Stamp, Stamps
from edgeseries.blocks.year_header import YearKey
from edgeseries.blocks.year_rows import BlockRef, in_year_readings, year_readings_text
from edgeseries.bounded_gather import bounded_gather
from edgeseries.errors import StoreUnavailable
from edgeseries.planning.empty_days import EmptyDays, after_reading, empty_days_of, within_days
from edgeseries.ports.clock import Clock
from edgeseries.ports.streaming import Pause
from edgeseries.series.days import by_year, days_text, in_year, of_month
from edgeseries.series.samples import NO_SAMPLES, days_with_samples
from edgeseries.storage.bucket import Bucket
from edgeseries.storage.limits import (
    BUCKET_AT_ONCE,
    KEEP_ATTEMPTS,
    KEEP_BATCH_BLOCKS,
    KEEP_FIRST_WAIT_MS,
    KEEP_LONGEST_WAIT_MS,
)
from edgeseries.storage.object_keys import block_key, version_of


@dataclass(frozen=True, slots=True)
class FetchGuard:
    """What was fetched under some stamps: it may be stored while they are in force."""

    stamps: Stamps

    def stamp(self, point: str, _pointer: Pointer) -> Stamp:
        """What a point was fetched under."""
        return self.stamps.of(point)

    def holds(self, point: str, now: Stamp) -> bool:
        """Whether it may still be stored. Generations only grow."""
        return now.total <= self.stamps.of(point).total and now.site <= self.stamps.site


@dataclass(frozen=True, slots=True)
class RefreshGuard:
    """What a refresh fetched: it may be stored unless a later purge or refresh is in force."""

    begun: Refresh

    def stamp(self, point: str, _pointer: Pointer) -> Stamp:
        """What a point is written under."""
        return Stamp(site=self.begun.site, point=0, ticket=self.begun.tickets[point])

    def holds(self, point: str, now: Stamp) -> bool:
        """Whether it may still be stored."""
        return now.ticket <= self.begun.tickets[point] and now.site <= self.begun.site


@dataclass(frozen=True, slots=True)
class MoveGuard:
    """What is stored already and only moves: under the generations that its pointer was read with."""

    def stamp(self, _point: str, pointer: Pointer) -> Stamp:
        """What a point is written under."""
        return pointer.stamp

    def holds(self, _point: str, _now: Stamp) -> bool:
        """Whether it may still be stored: the pointer was read with these very generations."""
        return True


Guard = FetchGuard | RefreshGuard | MoveGuard


@dataclass(slots=True)
class _Work:
    """One keep: what is left to be stored and what became of the rest."""

    site: str
    guard: Guard
    pieces: Mapping[Place, Piece]
    observations: dict[str, list[DensityObservation]]
    superseded: set[str] = field(default_factory=set)
    raised: dict[str, Stamp] = field(default_factory=dict)


class BlockWriter:
    """Writes blocks of one bucket and their pointers. `faults` counts lost races and what was superseded."""

    def __init__(
        self,
        *,
        bucket: Bucket,
        index: BlockIndex,
        contents: BlockContents,
        memory: BlockMemory,
        clock: Clock,
        faults: Counter[str],
        pause: Pause,
    ) -> None:
        self._bucket = bucket
        self._index = index
        self._contents = contents
        self._memory = memory
        self._clock = clock
        self._faults = faults
        self._pause = pause

    async def store(
        self,
        site: str,
        pieces: Mapping[Place, Piece],
        observations: Iterable[DensityObservation],
        guard: FetchGuard | RefreshGuard,
    ) -> StoreOutcome:
        """Store pieces, KEEP_BATCH_BLOCKS blocks at a time, the pointers of each batch in one transaction,
        the batches in any order.

        Raises StoreUnavailable when a store fails, or when other writers were first KEEP_ATTEMPTS times;
        the batches before stay stored.
        """
        learning: dict[str, list[DensityObservation]] = {}
        for one in observations:
            learning.setdefault(one.point, []).append(one)
        work = _Work(site=site, guard=guard, pieces=pieces, observations=learning)
        places = sorted(pieces)
        batches = [
            places[first : first + KEEP_BATCH_BLOCKS] for first in range(0, len(places), KEEP_BATCH_BLOCKS)
        ]
        # Who stores other months of the same years at the same time is at another batch, most likely.
        random.shuffle(batches)
        for batch in batches:
            await self._store_batch(work, batch)
        if isinstance(guard, RefreshGuard):
            rest = sorted(guard.begun.tickets.keys() - {point for point, _ in places})
            if rest:
                await self._move(work, [], rest)
        return StoreOutcome(
            superseded=frozenset(work.superseded),
            stamps=Stamps(
                site=guard.begun.site if isinstance(guard, RefreshGuard) else guard.stamps.site,
                points=work.raised if isinstance(guard, RefreshGuard) else guard.stamps.points,
            ),
        )

    async def take_in(self, site: str, places: Sequence[Place]) -> None:
        """Move months of version 1 of these points and years into their year. Raises StoreUnavailable."""
        nothing = Piece(days=0, samples=NO_SAMPLES)
        work = _Work(site=site, guard=MoveGuard(), pieces=dict.fromkeys(places, nothing), observations={})
        await self._store_batch(work, places)

    async def _store_batch(self, work: _Work, places: Sequence[Place]) -> None:
        left = [place for place in places if place[0] not in work.superseded]
        for attempt in range(KEEP_ATTEMPTS):
            pointers = await self._index.pointers(work.site, left)
            lost = [place for place in left if not work.guard.holds(place[0], pointers[place].stamp)]
            self._note_superseded(work, lost)
            left = [place for place in left if place[0] not in work.superseded]
            if not left:
                return

            async def made(place: Place) -> Move | None:
                return await self._made(work, place, pointers[place])  # noqa: B023 - awaited in this round

            moves, error = await bounded_gather(left, made, at_once=BUCKET_AT_ONCE)
            moved = await self._move(
                work, [move for move in moves.values() if move is not None], {point for point, _ in moves}
            )
            if error is not None:
                raise error
            left = [place for place, move in moves.items() if move is not None and place not in moved.places]
            if not left:
                return
            self._faults["block_race_lost"] += len(left)
            await self._pause(_wait_ms(attempt))
        raise StoreUnavailable("other writers were first every time; try again", retry_after_s=1)

    async def _made(self, work: _Work, place: Place, pointer: Pointer) -> Move | None:
        """The object of a place with its piece in it, in the bucket; None if it is there as it is."""
        point, year = place
        key, piece, ref = YearKey(site=work.site, point=point, year=year), work.pieces[place], pointer.ref
        needed = ref is not None and ref.stored_bytes > 0 and ref.days & ~piece.days & ~ref.empty_days
        old = await self._bytes_of(ref.object_key) if ref is not None and needed else None
        held = 0 if ref is None else ref.days if old is not None else ref.days & ref.empty_days
        months = [await self._old_month(one, piece) for one in pointer.months]
        content = self._contents.merged(key, old, held, months, piece)
        empty = _empty_after(pointer, piece, content, self._clock.now_ms())
        texts = days_text(empty.days), year_readings_text(empty.unsettled)
        if not content.days:
            # Months of which nothing can be read.
            await self._index.drop(
                [month.object_key for month in pointer.months], now_ms=self._clock.now_ms()
            )
            return None
        digest = content.digest(*texts)
        object_key = block_key(work.site, point, year, digest)
        if ref is not None and not pointer.months:
            before = (ref.object_key, ref.days, ref.empty_days, ref.unsettled)
            if before == (object_key, content.days, empty.days, empty.unsettled):
                return None
        stamp = work.guard.stamp(point, pointer)
        written_ms = self._clock.now_ms()
        if content.block is not None:
            written = await self._bucket.put(object_key, content.data, facts_of(content, stamp))
            written_ms = written.uploaded_ms
            self._memory.learn(object_key, content.data)
        row = _row(content, digest, *texts, created_ms=written_ms)
        return Move(row=row, instead_of=ref, months=pointer.months, stamp=stamp)

    async def _old_month(self, ref: BlockRef, piece: Piece) -> OldMonth:
        """A month of version 1, with its bytes if any of its days has samples that the piece does not
        bring.
        """
        needed = ref.days & ~ref.empty_days & ~of_month(ref.month, piece.days)
        return OldMonth(ref=ref, data=await self._bytes_of(ref.object_key) if needed else None)

    async def _bytes_of(self, object_key: str) -> bytes | None:
        known = self._memory.find(object_key)
        if known is not None:
            return known
        found = await self._bucket.get(object_key)
        return None if found is None else found.content

    async def _move(self, work: _Work, moves: Sequence[Move], points: Iterable[str]) -> Moved:
        """Move pointers, learn what these points teach (once), and raise them if this is a refresh."""
        asked = sorted(points)
        observations = [one for point in asked for one in work.observations.pop(point, ())]
        now_ms = self._clock.now_ms()
        if not isinstance(work.guard, RefreshGuard):
            return await self._index.move(work.site, moves, observations, now_ms=now_ms)
        moved = await self._index.move_refreshed(
            work.site, moves, observations, asked, work.guard.begun, now_ms=now_ms
        )
        for point in asked:
            if point in moved.raised:
                stamp = moved.raised[point]
                work.raised[point] = Stamp(site=work.guard.begun.site, point=stamp.point, ticket=stamp.ticket)
            else:
                self._note_superseded(work, [(point, "")])
        return moved

    def _note_superseded(self, work: _Work, places: Sequence[Place]) -> None:
        for point, _ in places:
            if point not in work.superseded:
                self._faults["store_superseded"] += 1
                work.superseded.add(point)
                work.raised.pop(point, None)


def _wait_ms(attempt: int) -> int:
    longest_ms = min(KEEP_FIRST_WAIT_MS << attempt, KEEP_LONGEST_WAIT_MS)
    return random.randint(0, longest_ms)  # noqa: S311 - writers keep out of each other's way, no secret


def _empty_after(pointer: Pointer, piece: Piece, content: Content, now_ms: int) -> EmptyDays:
    """The empty days of a year once a piece of it is stored, and its months of version 1 are in it."""
    year, ref = content.key.year, pointer.ref
    days, readings = (0, []) if ref is None else (ref.empty_days, list(ref.unsettled))
    for month in pointer.months:
        taken = month.empty_days & ~of_month(month.month, 0 if ref is None else ref.days)
        days |= in_year(month.month, taken)
        readings += in_year_readings(month.month, empty_days_of(taken, month.unsettled).unsettled)
    before = EmptyDays(days=days, unsettled=tuple(sorted(readings, key=lambda one: one.read_ms)))
    busy = by_year(days_with_samples(piece.samples.times_ms)).get(year, 0)
    after = after_reading(before, read=piece.days, found_empty=piece.days & ~busy, now_ms=now_ms)
    return within_days(after, content.days)


def _row(content: Content, digest: str, empty_days: str, unsettled: str, *, created_ms: int) -> BlockRow:
    return BlockRow(
        point=content.key.point,
        year=content.key.year,
        digest=digest,
        days=days_text(content.days),
        empty_days=empty_days,
        unsettled=unsettled,
        month_samples=content.month_samples,
        sample_count=content.sample_count,
        raw_bytes=content.raw_bytes,
        stored_bytes=len(content.data),
        directory=content.directory,
        codec=CODEC,
        created_ms=created_ms,
        version=version_of(digest),
    )
