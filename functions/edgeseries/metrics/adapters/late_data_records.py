"""The LateDataRecords port over the database."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from edgeseries.limits import DAY_MS
from edgeseries.metrics.adapters import late_data_statements as sql
from edgeseries.metrics.ports.late_data import LateData, summed
from edgeseries.planning.lateness import LATENESS_BUCKETS, Lateness
from edgeseries.storage.database import Command, Database, Row, json_chunks

ROWS_MAX: Final = 20_000
"""Rows of one look: 200 sites for 92 days."""


def add_commands(some: Sequence[LateData], now_ms: int) -> list[Command]:
    """The statements that add to the day that a moment lies in."""
    rows = [
        (
            one.site,
            one.lateness.buckets,
            one.lateness.highest_ms,
            one.checked_days,
            one.corrected_days,
            one.added_samples,
            one.changed_samples,
            one.removed_samples,
        )
        for one in some
    ]
    day_ms = now_ms // DAY_MS * DAY_MS
    return [Command(sql=sql.ADD, parameters=(day_ms, values)) for values, _ in json_chunks(rows)]


class DatabaseLateData:
    """Late data of one stack."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, some: Sequence[LateData], *, now_ms: int) -> None:
        """See the port."""
        if some:
            await self._database.write(add_commands(some, now_ms))

    async def since(self, from_ms: int, *, site: str | None = None) -> tuple[LateData, ...]:
        """See the port."""
        parameters = (from_ms // DAY_MS * DAY_MS, site or "", ROWS_MAX)
        rows = await self._database.read(Command(sql=sql.SINCE, parameters=parameters))
        return tuple(
            summed(name, [_late_data(row) for row in some])
            for name, some in groupby(rows, key=lambda row: str(row[0]))
        )

    async def forget(self, *, before_ms: int) -> None:
        """See the port."""
        await self._database.write([Command(sql=sql.FORGET, parameters=(before_ms // DAY_MS * DAY_MS,))])


def _late_data(row: Row) -> LateData:
    site, buckets, highest_ms, *counts = row
    checked, corrected, added, changed, removed = map(int, counts)
    # A Worker of another version may have had other buckets.
    found = [int(count) for count in json.loads(str(buckets))][:LATENESS_BUCKETS]
    found += [0] * (LATENESS_BUCKETS - len(found))
    return LateData(
        site=str(site),
        lateness=Lateness(buckets=tuple(found), highest_ms=int(highest_ms)),
        checked_days=checked,
        corrected_days=corrected,
        added_samples=added,
        changed_samples=changed,
        removed_samples=removed,
    )
