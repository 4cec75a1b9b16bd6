"""Taking away what is held: of a site, of some points, of the days of a range.

Pointers go, and days of pointers, and generations rise, stretch by stretch, each stretch in one
transaction: what is read between two stretches is worth nothing after the last. Nothing is listed and
no object is touched; the janitor removes what no pointer leads to.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edgeseries.blocks.adapters import purge_statements as sql
from edgeseries.blocks.adapters.index_statements import RAISE_PURGED
from edgeseries.blocks.adapters.purge_records import PurgeRecord, put_record
from edgeseries.blocks.ports.blocks import PurgeOutcome
from edgeseries.errors import StoreUnavailable
from edgeseries.ports.clock import Clock
from edgeseries.series.days import (
    by_month,
    by_year,
    days_of_text,
    days_text,
    days_touched,
    month_days,
    year_days,
)
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.bucket import Bucket
from edgeseries.storage.database import Command, Database, Row, json_chunks
from edgeseries.storage.limits import PURGE_MAX_STRETCHES, PURGE_STRETCH_BLOCKS, PURGE_STRETCH_POINTS

EVERY_DAY: Final = (1 << 31) - 1
"""Bitmap of a whole month, and of what lies past a shorter one."""

WHOLE_SITE: Final = ""
"""The point whose generation is the site's."""

FIRST_PLACE: Final = ("", "")
LAST_PLACE: Final = ("\U0010ffff", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Some blocks of a purge: what tells them, what takes them away, and whose generations rise."""

    rows: Command
    take: tuple[Command, ...]
    raised: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loss:
    """What a block loses: whether any of its days, and whether none is left then."""

    object_key: str
    stored_bytes: int
    loses: bool
    goes: bool


class Purge:
    """Purges of one database, each recorded in the bucket. A transaction takes so many blocks or points."""

    def __init__(
        self,
        *,
        bucket: Bucket,
        database: Database,
        clock: Clock,
        blocks_at_once: int = PURGE_STRETCH_BLOCKS,
        points_at_once: int = PURGE_STRETCH_POINTS,
    ) -> None:
        self._bucket = bucket
        self._database = database
        self._clock = clock
        self._blocks_at_once = blocks_at_once
        self._points_at_once = points_at_once

    async def run(
        self, site: str, *, points: Sequence[str] | None, span: TimeRange | None, dry_run: bool
    ) -> PurgeOutcome:
        """See the port. Raises StoreUnavailable if one call is not enough; the same call again goes on."""
        meant = [("", EVERY_DAY, 1)] if span is None else _meant(days_touched(span))
        days = json.dumps(meant)
        sets = {period: some for period, some, _ in meant}
        blocks = stored_bytes = 0
        generation = self._clock.now_ms()
        stretches = self._of_site(site, days) if points is None else self._of_points(site, points, days)
        async for stretch in stretches:
            raising = Command(sql=RAISE_PURGED, parameters=(site, stretch.raised, self._clock.now_ms()))
            if dry_run:
                rows = await self._database.read(stretch.rows)
            else:
                results = await self._database.write([stretch.rows, *stretch.take, raising])
                rows = results[0]
                generation = max(generation, *(int(row[0]) for row in results[-1]))
            losses = [_loss(row, sets) for row in rows]
            blocks += sum(one.loses for one in losses)
            stored_bytes += sum(one.stored_bytes for one in losses if one.loses and one.goes)
            if not dry_run:
                await self._take_rest([one.object_key for one in losses if one.goes])
        if not dry_run:
            record = PurgeRecord(site=site, points=points, generation=generation)
            await put_record(self._bucket, record)
        return PurgeOutcome(blocks=blocks, stored_bytes=stored_bytes)

    async def _take_rest(self, keys: Sequence[str]) -> None:
        """Take out years of which no day is left, those that are still there. A purge is done without it."""
        commands = [
            command
            for values, _ in json_chunks(keys)
            for command in (
                Command(sql=sql.SUPERSEDE_PURGED, parameters=(values, self._clock.now_ms())),
                Command(sql=sql.TAKE_PURGED, parameters=(values,)),
            )
        ]
        if commands:
            await self._database.write(commands)

    async def _of_site(self, site: str, days: str) -> AsyncIterator[_Stretch]:
        after, raised = FIRST_PLACE, json.dumps([WHOLE_SITE])
        for _ in range(PURGE_MAX_STRETCHES):
            ends = await self._database.read(
                Command(sql=sql.STRETCH_OF_SITE, parameters=(site, *after, self._blocks_at_once - 1))
            )
            upto = (str(ends[0][0]), str(ends[0][1])) if ends else LAST_PLACE
            scope = (site, days, *after, *upto)
            yield _Stretch(
                rows=Command(sql=sql.ROWS_OF_SITE, parameters=scope),
                take=(
                    Command(sql=sql.SUPERSEDE_OF_SITE, parameters=(*scope, self._clock.now_ms())),
                    Command(sql=sql.TAKE_OF_SITE, parameters=scope),
                    Command(sql=sql.CUT_OF_SITE, parameters=scope),
                    Command(sql=sql.CUT_YEARS_OF_SITE, parameters=scope),
                ),
                raised=raised,
            )
            if not ends:
                return
            after = upto
        raise StoreUnavailable("more is left; send the same request again", retry_after_s=1)

    async def _of_points(self, site: str, points: Sequence[str], days: str) -> AsyncIterator[_Stretch]:
        for first in range(0, len(points), self._points_at_once):
            for names, _ in json_chunks(points[first : first + self._points_at_once]):
                scope = (site, days, names)
                yield _Stretch(
                    rows=Command(sql=sql.ROWS_OF_POINTS, parameters=scope),
                    take=(
                        Command(sql=sql.SUPERSEDE_OF_POINTS, parameters=(*scope, self._clock.now_ms())),
                        Command(sql=sql.TAKE_OF_POINTS, parameters=scope),
                        Command(sql=sql.CUT_OF_POINTS, parameters=scope),
                        Command(sql=sql.CUT_YEARS_OF_POINTS, parameters=scope),
                    ),
                    raised=names,
                )


def _meant(days: range) -> list[tuple[str, str | int, int]]:
    """The days of a purge as the statements take them: by year as a run, by month as bitmaps."""
    years = by_year(days)
    found: list[tuple[str, str | int, int]] = [
        (year, days_text(some), int(some + 1 == 1 << len(year_days(year)))) for year, some in years.items()
    ]
    found += [
        (month, some, int(some + 1 == 1 << len(month_days(month)))) for month, some in by_month(days).items()
    ]
    return found


def _loss(row: Row, meant: Mapping[str, str | int]) -> _Loss:
    key, period, covered, object_days, purged_days, stored_bytes = row
    some = meant.get(period, meant.get(WHOLE_SITE, 0))
    if object_days:
        held = days_of_text(object_days) & ~days_of_text(purged_days)
        gone = days_of_text(some) if isinstance(some, str) else -1
    else:
        held, gone = covered, some if isinstance(some, int) else 0
    return _Loss(object_key=key, stored_bytes=stored_bytes, loses=bool(held & gone), goes=not held & ~gone)
