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
from edgeseries.series.days import by_month, days_touched
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.bucket import Bucket
from edgeseries.storage.database import Command, Database, json_chunks
from edgeseries.storage.limits import PURGE_MAX_STRETCHES, PURGE_STRETCH_BLOCKS, PURGE_STRETCH_POINTS

EVERY_DAY: Final = (1 << 31) - 1
"""Bitmap of a whole month, and of what lies past a shorter one."""

WHOLE_SITE: Final = ""
"""The point whose generation is the site's."""

FIRST_PLACE: Final = ("", "")
LAST_PLACE: Final = ("\U0010ffff", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Some blocks of a purge: what counts them, what takes them away, and whose generations rise."""

    count: Command
    take: tuple[Command, ...]
    raised: str


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
        months: Mapping[str, int] = {"": EVERY_DAY} if span is None else by_month(days_touched(span))
        days = json.dumps(list(months.items()))
        blocks = stored_bytes = 0
        generation = self._clock.now_ms()
        stretches = self._of_site(site, days) if points is None else self._of_points(site, points, days)
        async for stretch in stretches:
            raising = Command(sql=RAISE_PURGED, parameters=(site, stretch.raised, self._clock.now_ms()))
            if dry_run:
                ((count, size_bytes),) = await self._database.read(stretch.count)
            else:
                results = await self._database.write([stretch.count, *stretch.take, raising])
                ((count, size_bytes),) = results[0]
                generation = max(generation, *(int(row[0]) for row in results[-1]))
            blocks, stored_bytes = blocks + int(count), stored_bytes + int(size_bytes)
        if not dry_run:
            record = PurgeRecord(site=site, points=points, generation=generation)
            await put_record(self._bucket, record)
        return PurgeOutcome(blocks=blocks, stored_bytes=stored_bytes)

    async def _of_site(self, site: str, days: str) -> AsyncIterator[_Stretch]:
        after, raised = FIRST_PLACE, json.dumps([WHOLE_SITE])
        for _ in range(PURGE_MAX_STRETCHES):
            ends = await self._database.read(
                Command(sql=sql.STRETCH_OF_SITE, parameters=(site, *after, self._blocks_at_once - 1))
            )
            upto = (str(ends[0][0]), str(ends[0][1])) if ends else LAST_PLACE
            scope = (site, days, *after, *upto)
            yield _Stretch(
                count=Command(sql=sql.COUNT_OF_SITE, parameters=scope),
                take=(
                    Command(sql=sql.SUPERSEDE_OF_SITE, parameters=(*scope, self._clock.now_ms())),
                    Command(sql=sql.TAKE_OF_SITE, parameters=scope),
                    Command(sql=sql.CUT_OF_SITE, parameters=scope),
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
                    count=Command(sql=sql.COUNT_OF_POINTS, parameters=scope),
                    take=(
                        Command(sql=sql.SUPERSEDE_OF_POINTS, parameters=(*scope, self._clock.now_ms())),
                        Command(sql=sql.TAKE_OF_POINTS, parameters=scope),
                        Command(sql=sql.CUT_OF_POINTS, parameters=scope),
                    ),
                    raised=names,
                )
