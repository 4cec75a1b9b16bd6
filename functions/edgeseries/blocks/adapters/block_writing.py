"""Storing days: put new objects, then move the pointers in one statement, if nobody was there first.

A new object is made of what the pointer leads to now, so it can be made again on what another writer
left: of two writers of different days of one block the second merges into what the first wrote, and
nothing is lost. Whoever finds that his points were purged or refreshed since he fetched drops what he has.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from edgeseries.blocks.adapters.block_content import CODEC, BlockContents, Content, Piece, facts_of
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
from edgeseries.blocks.header import BlockKey
from edgeseries.blocks.ports.blocks import BlockRef, StoreOutcome
from edgeseries.blocks.stamps import Refresh, Stamp, Stamps
from edgeseries.bounded_gather import bounded_gather
from edgeseries.errors import StoreUnavailable
from edgeseries.planning.empty_days import (
    NO_EMPTY_DAYS,
    EmptyDays,
    after_reading,
    empty_days_of,
    readings_text,
)
from edgeseries.ports.clock import Clock
from edgeseries.ports.streaming import Pause
from edgeseries.series.days import by_month
from edgeseries.series.samples import days_with_samples
from edgeseries.storage.bucket import Bucket, Written
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

    def stamp(self, point: str) -> Stamp:
        """What a point was fetched under."""
        return self.stamps.of(point)

    def holds(self, point: str, now: Stamp) -> bool:
        """Whether it may still be stored. Generations only grow."""
        return now.total <= self.stamp(point).total and now.site <= self.stamps.site


@dataclass(frozen=True, slots=True)
class RefreshGuard:
    """What a refresh fetched: it may be stored unless a later purge or refresh is in force."""

    begun: Refresh

    def stamp(self, point: str) -> Stamp:
        """What a point is written under."""
        return Stamp(site=self.begun.site, point=0, ticket=self.begun.tickets[point])

    def holds(self, point: str, now: Stamp) -> bool:
        """Whether it may still be stored."""
        return now.ticket <= self.begun.tickets[point] and now.site <= self.begun.site


@dataclass(slots=True)
class _Work:
    """One keep: what is left to be stored and what became of the rest."""

    site: str
    guard: FetchGuard | RefreshGuard
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
        """Store pieces, KEEP_BATCH_BLOCKS blocks at a time, the pointers of each batch in one transaction.

        Raises StoreUnavailable when a store fails, or when other writers were first KEEP_ATTEMPTS times;
        the batches before stay stored.
        """
        learning: dict[str, list[DensityObservation]] = {}
        for one in observations:
            learning.setdefault(one.point, []).append(one)
        work = _Work(site=site, guard=guard, pieces=pieces, observations=learning)
        places = sorted(pieces)
        for first in range(0, len(places), KEEP_BATCH_BLOCKS):
            await self._store_batch(work, places[first : first + KEEP_BATCH_BLOCKS])
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
        point, month = place
        key, piece, ref = BlockKey(site=work.site, point=point, month=month), work.pieces[place], pointer.ref
        old = await self._bytes_of(ref) if ref is not None and ref.days & ~piece.days else None
        content = self._contents.merged(key, old, ref.days if ref else 0, piece)
        object_key = block_key(work.site, point, month, content.digest)
        empty = _empty_after(ref, piece, month, self._clock.now_ms())
        empty_columns = empty.days, readings_text(empty.unsettled)
        if (
            ref is not None
            and (ref.object_key, ref.days) == (object_key, content.days)
            and (ref.empty_days, ref.unsettled) == empty_columns
        ):
            return None
        stamp = work.guard.stamp(point)
        written = await self._bucket.put(object_key, content.data, facts_of(content, stamp))
        self._memory.learn(object_key, content.data)
        return Move(row=_row(content, written, *empty_columns), instead_of=ref, stamp=stamp)

    async def _bytes_of(self, ref: BlockRef) -> bytes | None:
        known = self._memory.find(ref.object_key)
        if known is not None:
            return known
        found = await self._bucket.get(ref.object_key)
        return None if found is None else found.content

    async def _move(self, work: _Work, moves: Sequence[Move], points: Iterable[str]) -> Moved:
        """Move pointers, learn what these points teach (once), and raise them if this is a refresh."""
        asked = sorted(points)
        observations = [one for point in asked for one in work.observations.pop(point, ())]
        now_ms = self._clock.now_ms()
        if isinstance(work.guard, FetchGuard):
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


def _empty_after(ref: BlockRef | None, piece: Piece, month: str, now_ms: int) -> EmptyDays:
    """The empty days of a month once a piece of it is stored."""
    before = NO_EMPTY_DAYS if ref is None else empty_days_of(ref.empty_days, ref.unsettled)
    busy = by_month(days_with_samples(piece.samples.times_ms)).get(month, 0)
    return after_reading(before, read=piece.days, found_empty=piece.days & ~busy, now_ms=now_ms)


def _row(content: Content, written: Written, empty_days: int, unsettled: str) -> BlockRow:
    return BlockRow(
        point=content.key.point,
        month=content.key.month,
        digest=content.digest,
        covered_days=content.days,
        sample_count=content.sample_count,
        raw_bytes=content.raw_bytes,
        stored_bytes=len(content.data),
        codec=CODEC,
        created_ms=written.uploaded_ms,
        version=version_of(content.digest),
        empty_days=empty_days,
        unsettled=unsettled,
    )
