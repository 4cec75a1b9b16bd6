"""The index of stored objects in the database: pointers, generations, how dense points are; no samples.

What the index does not point to is not held. A pointer to an object that is gone is found out by the read
and taken out.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from edgeseries.blocks.adapters import index_statements as statements
from edgeseries.blocks.adapters.index_look_up import Found, month_row, stamp_of, year_row
from edgeseries.blocks.ports.blocks import StoredIndex
from edgeseries.blocks.stamps import Refresh, Stamp
from edgeseries.blocks.year_rows import BlockRef, PointRefs, YearRef
from edgeseries.limits import INLINE_MAX_BLOCKS
from edgeseries.series.days import (
    by_year,
    days_of_text,
    days_touched,
    month_of,
)
from edgeseries.series.json_text import json_text
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.database import Command, Database, json_chunks
from edgeseries.storage.limits import COVERED_MAX_POINTS, COVERED_MAX_ROWS, DENSITY_MEMORY_DAYS
from edgeseries.storage.object_keys import block_key, content_digest

Place = tuple[str, str]
"""A point and a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRow:
    """A point's year as its row says. `digest` is that of the object's bytes, or of what the row says where
    there is no object. Sets of days, samples by month and the directory are texts.
    """

    point: str
    year: str
    digest: str
    days: str
    empty_days: str
    unsettled: str
    month_samples: str
    sample_count: int
    raw_bytes: int
    stored_bytes: int
    directory: str
    codec: str
    created_ms: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """What the index says of a place now: the object that it points to, if any; months of version 1 in that
    year, all of them; and the generations.
    """

    ref: YearRef | None
    months: tuple[BlockRef, ...]
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A pointer that is to move: from what was read (None: there was none) to a new row, under a stamp.
    `months` of version 1 are in it, and go.
    """

    row: BlockRow
    instead_of: YearRef | None
    months: tuple[BlockRef, ...]
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
        days = days_touched(span)
        years = list(by_year(days))
        few = len(points) * len(years) <= INLINE_MAX_BLOCKS
        size = len(points) if few else max(1, min(COVERED_MAX_POINTS, COVERED_MAX_ROWS // len(years)))
        found = Found(site=site, points=points, span=span, now_ms=now_ms)
        for start in range(0, len(points), max(1, size)):
            first = start
            for names, count in json_chunks(points[start : start + size]):
                scope = (site, names, years[0], month_of(days[-1]))
                if few:
                    found.take(
                        await self._database.read(Command(sql=statements.LOOK_UP, parameters=scope)), first
                    )
                else:
                    command = Command(sql=statements.LOOK_UP_MANY, parameters=(*scope, month_of(days[0])))
                    found.take_many(await self._database.read(command), first)
                first += count
        return found.index(few=few)

    async def pointers(self, site: str, places: Sequence[Place]) -> dict[Place, Pointer]:
        """What the index says of some places, and the generations of their points."""
        found: dict[Place, Pointer] = {}
        first = 0
        for values, count in json_chunks(places):
            command = Command(sql=statements.POINTERS, parameters=(site, values))
            for number, generation, ticket, site_generation, year, months in await self._database.read(
                command
            ):
                place = places[first + number]
                key, *row = json.loads(year) if year is not None else ("",)
                found[place] = Pointer(
                    ref=year_row(place[1], key, row) if row else None,
                    months=tuple(month_row(one[0], one[1], one[2:]) for one in sorted(json.loads(months))),
                    stamp=stamp_of(site_generation, generation, ticket),
                )
            first += count
        return found

    async def fingerprint(self, site: str, points: Sequence[str], span: TimeRange) -> str | None:
        """See the port."""
        wanted = by_year(days_touched(span))
        held, parts, has_months = dict.fromkeys(wanted, 0), [], False
        for names, _ in json_chunks(points):
            command = Command(sql=statements.FINGERPRINT, parameters=(site, names, json.dumps(list(wanted))))
            for year, sets, count, *sums in await self._database.read(command):
                if year == "months":
                    has_months = has_months or bool(count)
                    continue
                if year:
                    days, purged = map(days_of_text, sets.split("="))
                    if wanted[year] & ~(days & ~purged):
                        continue
                    held[year] += count
                parts.append("/".join(str(part) for part in (year, count, *sums)))
        if all(count == len(points) for count in held.values()):
            return ",".join(sorted(parts))
        return await self._mixed_fingerprint(site, points, span) if has_months else None

    async def _mixed_fingerprint(self, site: str, points: Sequence[str], span: TimeRange) -> str | None:
        """The same where some months are still of version 1: by every object."""
        years, told = list(by_year(days_touched(span))), []
        touched = frozenset(days_touched(span))
        size = max(1, INLINE_MAX_BLOCKS // len(years))
        for first in range(0, len(points), size):
            some = points[first : first + size]
            index = await self.look_up(site, some, span, now_ms=0)
            for point in some:
                stored = index.stored.get(point)
                if stored is None or not touched <= stored.days.held or index.refs is None:
                    return None
                refs = index.refs.get(point, PointRefs())
                keys = [one.object_key for one in refs.years] + [one.object_key for one in refs.months]
                told.append(content_digest(json_text([keys, index.stamps.of(point).total]).encode()))
        return content_digest("".join(told).encode())

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
        if any(value[-1] for value in values):
            for chunk in chunks:
                commands += [
                    Command(sql=statements.SUPERSEDE_MONTHS, parameters=(site, chunk, now_ms)),
                    Command(sql=statements.REMOVE_MONTHS, parameters=(site, chunk)),
                ]
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


def _values(site: str, move: Move, bound: int) -> tuple[str | int, ...]:
    """A row of MOVE_FETCHED and MOVE_REFRESHED."""
    row = move.row
    return (
        block_key(site, row.point, row.year, row.digest),
        row.point,
        row.year,
        move.instead_of.object_key if move.instead_of else "",
        move.stamp.site,
        bound,
        row.days,
        row.empty_days,
        row.sample_count,
        row.raw_bytes,
        row.stored_bytes,
        row.codec,
        row.version,
        row.created_ms,
        row.unsettled,
        row.month_samples,
        row.directory,
        ",".join(month.object_key for month in move.months),
    )
