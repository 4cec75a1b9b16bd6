"""The OldBlocks port: blocks of months (version 1) become blocks of years (ADR 19).

Each year is moved as a writer stores a day: the new object is put, then one statement moves the pointer if
the months and the generations are still those that were read. Whoever stops half-way leaves an object that
nothing points to, and the months as they are.
"""

import json
from collections.abc import Sequence
from typing import Final

from edgeseries.blocks.adapters.block_store import BlockStore
from edgeseries.errors import EdgeError
from edgeseries.storage.database import Command, Database, Row
from edgeseries.upkeep.adapters import upkeep_statements as sql
from edgeseries.upkeep.ports.old_blocks import MovedBlocks

STRETCH_ROWS: Final = 5_000
"""Rows of blocks that one step looks through: a walk through a million takes 200 steps."""

STEP_YEARS: Final = 50
"""Points and years of one step, of one site: some calls of the bucket each, and one transaction."""

FAILURES_MAX: Final = 5
"""Failures after which a step gives up: the store is down."""

FIRST_PLACE: Final = ("", "", "")
LAST_PLACE: Final = ("\U0010ffff", "", "")
AFTER_MONTHS: Final = "-99"
"""Sorts behind all months of its year."""


class MonthBlocks:
    """See the port."""

    def __init__(self, *, blocks: BlockStore, database: Database) -> None:
        self._blocks = blocks
        self._database = database

    async def move(self, place: str, *, samples: int) -> MovedBlocks:
        """See the port."""
        after: Sequence[str] = json.loads(place) if place else FIRST_PLACE
        ends = await self._database.read(
            Command(sql=sql.STRETCH_OF_BLOCKS, parameters=(*after, STRETCH_ROWS - 1))
        )
        upto: tuple[str, ...] = tuple(map(str, ends[0])) if ends else LAST_PLACE
        years = await self._database.read(
            Command(sql=sql.MONTHS_OF_STRETCH, parameters=(*after, *upto, STEP_YEARS + 1))
        )
        if not years:
            return MovedBlocks(moved=0, failed=0, place=json.dumps(upto) if ends else "")
        chosen = _first_of(years, samples)
        failed = await self._take_in(str(chosen[0][0]), [(str(row[1]), str(row[2])) for row in chosen])
        if len(chosen) < len(years):
            site, point, year, _ = chosen[-1]
            upto = (str(site), str(point), f"{year}{AFTER_MONTHS}")
        elif not ends:
            upto = ()
        return MovedBlocks(moved=len(chosen) - failed, failed=failed, place=json.dumps(upto) if upto else "")

    async def _take_in(self, site: str, places: Sequence[tuple[str, str]]) -> int:
        """Move years of a site; how many could not be moved. One that cannot must not hold up the others for
        ever: after a failure each goes alone, as long as few fail.
        """
        try:
            await self._blocks.take_in_months(site, places)
        except EdgeError:
            failed = 0
            for place, one in enumerate(places):
                try:
                    await self._blocks.take_in_months(site, [one])
                except EdgeError:
                    failed += 1
                    if failed == FAILURES_MAX:
                        return failed + len(places) - place - 1
            return failed
        return 0


def _first_of(years: Sequence[Row], samples: int) -> Sequence[Row]:
    """The first points and years, of one site, with so many samples together, or the first one alone."""
    total = 0
    for place, (site, _, _, count) in enumerate(years):
        total += int(count)
        if place and (total > samples or site != years[0][0] or place >= STEP_YEARS):
            return years[:place]
    return years
