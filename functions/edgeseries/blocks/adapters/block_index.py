"""The index of stored objects in the database: pointers, generations, how dense points are; no samples.

What the index does not point to is not held. A pointer to an object that is gone is found out by the read
and taken out.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from edgeseries.blocks.adapters import index_statements as statements
from edgeseries.blocks.ports.blocks import BlockRef, StoredIndex
from edgeseries.blocks.stamps import Refresh, Stamp, Stamps
from edgeseries.limits import INLINE_MAX_BLOCKS
from edgeseries.planning.stored import (
    StoredCount,
    StoredDays,
    StoredMonth,
    StoredPoint,
    counted,
    stored_days,
    stored_points,
)
from edgeseries.series.days import by_month, days_touched
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.database import Command, Database, Row, json_chunks
from edgeseries.storage.limits import COVERED_MAX_ROWS, DENSITY_MEMORY_DAYS
from edgeseries.storage.object_keys import block_key

Place = tuple[str, str]
"""A point and a month."""

_CUT_COLUMNS: Final = ("month", "busy_days", "held_days", "sample_count")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRow:
    """A block as its row says. `digest` is that of the object's bytes."""

    point: str
    month: str
    digest: str
    covered_days: int
    sample_count: int
    raw_bytes: int
    stored_bytes: int
    codec: str
    created_ms: int
    version: int
    empty_days: int = 0
    unsettled: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """What the index says of a place now: the object that it points to, if any, and the generations."""

    ref: BlockRef | None
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A pointer that is to move: from what was read (None: there was none) to a new row, under a stamp."""

    row: BlockRow
    instead_of: BlockRef | None
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Which pointers moved, and the generations that a refresh made."""

    places: frozenset[Place]
    raised: Mapping[str, Stamp]


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityObservation:
    """What a delivery teaches of a point's density: samples, and how many days had any."""

    point: str
    sample_count: int
    day_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """A cached answer as it lies in the bucket."""

    key: str
    site: str
    sample_count: int
    raw_bytes: int
    stored_bytes: int
    codec: str
    created_ms: int
    expires_ms: int


class BlockIndex:
    """Rows of `cache_metadata`, `store_generations` and `point_profiles`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look_up(self, site: str, points: Sequence[str], span: TimeRange, *, now_ms: int) -> StoredIndex:
        """See the port. Points that hold the same days share one set; blocks are listed if they are few."""
        wanted = by_month(days_touched(span))
        few = len(points) * len(wanted) <= INLINE_MAX_BLOCKS
        size = len(points) if few else max(1, COVERED_MAX_ROWS // len(wanted))
        found = _Found(site=site, points=points, span=span, now_ms=now_ms)
        for start in range(0, len(points), max(1, size)):
            first = start
            for names, count in json_chunks(points[start : start + size]):
                sql = statements.LOOK_UP if few else statements.LOOK_UP_MANY
                months = list(wanted)
                command = Command(sql=sql, parameters=(site, names, months[0], months[-1]))
                rows = await self._database.read(command)
                if few:
                    found.take(rows, first)
                else:
                    found.take_many(rows, first)
                first += count
        return found.index(few=few)

    async def pointers(self, site: str, places: Sequence[Place]) -> dict[Place, Pointer]:
        """What the index says of some places, and the generations of their points."""
        found: dict[Place, Pointer] = {}
        first = 0
        for values, count in json_chunks(places):
            for row in await self._database.read(Command(sql=statements.REFS, parameters=(site, values))):
                place = places[first + row[0]]
                found[place] = Pointer(ref=_ref(place[1], row[1:7]), stamp=_stamp(row[9], row[7], row[8]))
            first += count
        return found

    async def fingerprint(self, site: str, points: Sequence[str], span: TimeRange) -> str | None:
        """See the port."""
        wanted = by_month(days_touched(span))
        months = json.dumps(list(wanted.items()))
        parts: list[str] = []
        for names, count in json_chunks(points):
            command = Command(sql=statements.FINGERPRINT, parameters=(site, names, months))
            rows = await self._database.read(command)
            complete = {month for month, held, *_ in rows if held == count}
            if not complete >= wanted.keys():
                return None
            parts += ["/".join(str(part) for part in row) for row in sorted(rows, key=str)]
        return ",".join(parts)

    async def draw_tickets(self, site: str, points: Sequence[str], *, now_ms: int) -> Refresh:
        """A ticket for each point, later than all that were drawn before."""
        commands = [
            Command(sql=statements.DRAW_TICKETS, parameters=(site, names, now_ms))
            for names, _ in json_chunks(points)
        ]
        rows = [row for drawn in await self._database.write(commands) for row in drawn]
        return Refresh(
            site=min(int(row[2]) for row in rows),
            tickets={str(point): int(ticket) for point, ticket, _ in rows},
        )

    async def move(
        self, site: str, moves: Sequence[Move], observations: Collection[DensityObservation], *, now_ms: int
    ) -> Moved:
        """Move the pointers of what was fetched, those that still may, and learn: one transaction."""
        values = [_values(site, move, move.stamp.point) for move in moves]
        return await self._move(
            site, statements.MOVE_FETCHED, values, self._learning(site, observations, now_ms), now_ms=now_ms
        )

    async def move_refreshed(
        self,
        site: str,
        moves: Sequence[Move],
        observations: Collection[DensityObservation],
        points: Sequence[str],
        begun: Refresh,
        *,
        now_ms: int,
    ) -> Moved:
        """The same for a refresh, and raise the generations of some of its points."""
        values = [_values(site, move, begun.tickets[move.row.point]) for move in moves]
        raises = [
            Command(sql=statements.RAISE_REFRESHED, parameters=(site, asked, now_ms))
            for asked, _ in json_chunks([(point, begun.tickets[point], begun.site) for point in points])
        ]
        further = [*raises, *self._learning(site, observations, now_ms)]
        return await self._move(site, statements.MOVE_REFRESHED, values, further, now_ms=now_ms)

    async def drop(self, keys: Collection[str], *, now_ms: int) -> None:
        """Take out rows of objects that are gone or damaged; the objects go a day later."""
        commands = [
            command
            for values, _ in json_chunks(keys)
            for command in (
                Command(sql=statements.ORPHAN, parameters=(values, now_ms)),
                Command(sql=statements.REMOVE_ROWS, parameters=(values,)),
            )
        ]
        if commands:
            await self._database.write(commands)

    async def record_answer(self, row: AnswerRow) -> None:
        """Write the row of a cached answer."""
        sizes = (row.sample_count, row.raw_bytes, row.stored_bytes, row.codec)
        parameters = (row.key, row.site, *sizes, row.created_ms, row.expires_ms)
        await self._database.write([Command(sql=statements.RECORD_ANSWER, parameters=parameters)])

    async def _move(
        self,
        site: str,
        sql: str,
        values: Sequence[tuple[str | int, ...]],
        further: Iterable[Command],
        *,
        now_ms: int,
    ) -> Moved:
        chunks = [chunk for chunk, _ in json_chunks(values)]
        commands = [Command(sql=sql, parameters=(site, chunk, now_ms)) for chunk in chunks]
        commands += [Command(sql=statements.SUPERSEDE, parameters=(chunk, now_ms)) for chunk in chunks]
        commands += further
        if not commands:
            return Moved(places=frozenset(), raised={})
        results = await self._database.write(commands)
        places = frozenset((str(row[0]), str(row[1])) for rows in results[: len(chunks)] for row in rows)
        raised = {
            str(row[0]): Stamp(site=0, point=int(row[1]), ticket=int(row[2]))
            for command, rows in zip(commands, results, strict=True)
            if command.sql == statements.RAISE_REFRESHED
            for row in rows
        }
        return Moved(places=places, raised=raised)

    def _learning(
        self, site: str, observations: Collection[DensityObservation], now_ms: int
    ) -> Iterator[Command]:
        rows = [(one.point, one.sample_count, one.day_count) for one in observations]
        for values, _ in json_chunks(rows):
            yield Command(sql=statements.LEARN, parameters=(site, values, now_ms, DENSITY_MEMORY_DAYS))


class _Found:
    """What the rows of a look-up say, put together."""

    def __init__(self, *, site: str, points: Sequence[str], span: TimeRange, now_ms: int) -> None:
        self._site = site
        self._points = points
        self._span = span
        self._now_ms = now_ms
        self._touched = frozenset(days_touched(span))
        self._by_coverage: dict[str, StoredDays] = {}
        self._days: dict[str, StoredDays] = {}
        self._counts: dict[str, StoredCount] = {}
        self._densities: dict[str, float] = {}
        self._refs: dict[str, tuple[BlockRef, ...]] = {}
        self._stamps: dict[str, Stamp] = {}
        self._site_generations: list[int] = []

    def take(self, rows: Sequence[Row], first: int) -> None:
        """Rows of LOOK_UP, of points from a place on."""
        for place, density, generation, ticket, site_generation, months in rows:
            point = self._points[first + place]
            self._site_generations.append(int(site_generation))
            if density is not None:
                self._densities[point] = float(density)
            if generation is not None:
                self._stamps[point] = _stamp(site_generation, generation, ticket)
            refs = tuple(
                BlockRef(
                    month=month,
                    object_key=block_key(self._site, point, month, digest),
                    days=days,
                    empty_days=empty_days,
                    sample_count=sample_count,
                    object_days=object_days,
                    unsettled=unsettled,
                )
                for month, digest, days, empty_days, sample_count, object_days, unsettled in sorted(
                    json.loads(months)
                )
            )
            if refs:
                self._refs[point] = refs

    def take_many(self, rows: Sequence[Row], first: int) -> None:
        """Rows of LOOK_UP_MANY."""
        for kind, key, value in rows:
            match kind:
                case "site":
                    self._site_generations.append(int(key))
                case "density":
                    self._densities[self._points[first + int(key)]] = float(value)
                case "generation":
                    generation, ticket = json.loads(value)
                    self._stamps[self._points[first + int(key)]] = _stamp(0, generation, ticket)
                case "count":
                    whole, cut = json.loads(value)
                    months = (StoredMonth(**dict(zip(_CUT_COLUMNS, row, strict=True))) for row in cut)
                    count = counted(months, self._span)
                    self._counts[self._points[first + int(key)]] = StoredCount(
                        whole=whole + count.whole, cut=count.cut
                    )
                case _:
                    days = self._by_coverage.get(key)
                    if days is None:
                        days = self._by_coverage[key] = _stored_days(key, self._touched, self._now_ms)
                    self._days.update((self._points[first + place], days) for place in json.loads(value))

    def index(self, *, few: bool) -> StoredIndex:
        """All of it. Of several statements the earliest generation of the site counts."""
        site = min(self._site_generations, default=0)
        if few:
            stored = stored_points(self._refs, self._span, now_ms=self._now_ms)
        else:
            stored = {
                point: StoredPoint(days=days, count=self._counts[point])
                for point, days in self._days.items()
                if days.held
            }
        return StoredIndex(
            covered={point: one.days.usable for point, one in stored.items() if one.days.usable},
            stored=stored,
            density_per_day=self._densities,
            stamps=Stamps(
                site=site, points={point: replace(stamp, site=site) for point, stamp in self._stamps.items()}
            ),
            refs=self._refs if few else None,
        )


def _stored_days(coverage: str, touched: frozenset[int], now_ms: int) -> StoredDays:
    """The days that a row of LOOK_UP_MANY says."""
    months = (month.split("=") for month in coverage.split(","))
    values = tuple((month, int(days), int(empty), unsettled) for month, days, empty, unsettled in months)
    return stored_days(values, touched, now_ms=now_ms)


def _stamp(site: object, point: object, ticket: object) -> Stamp:
    return Stamp(site=_number(site), point=_number(point), ticket=_number(ticket))


def _number(value: object) -> int:
    return int(value) if isinstance(value, int) else 0


def _ref(month: str, row: Sequence[object]) -> BlockRef | None:
    if row[0] is None:
        return None
    return BlockRef(
        month=month,
        object_key=str(row[0]),
        days=_number(row[1]),
        empty_days=_number(row[2]),
        sample_count=_number(row[3]),
        object_days=_number(row[4]),
        unsettled=str(row[5]),
    )


def _values(site: str, move: Move, bound: int) -> tuple[str | int, ...]:
    row = move.row
    return (
        block_key(site, row.point, row.month, row.digest),
        row.point,
        row.month,
        move.instead_of.object_key if move.instead_of else "",
        move.stamp.site,
        bound,
        row.covered_days,
        row.empty_days,
        row.sample_count,
        row.raw_bytes,
        row.stored_bytes,
        row.codec,
        row.version,
        row.created_ms,
        row.unsettled,
    )
