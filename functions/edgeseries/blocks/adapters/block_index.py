"""The index of stored objects in the database: what is held, how dense points are. It holds no samples.

The bucket is the truth; the index may lag behind it and says so nowhere. A row that says too
little costs an upstream fetch, after which merging changes nothing and the row is written again; a
row that says too much is found out by the read, which looks at the block itself.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from edgeseries.blocks.adapters import index_statements as statements
from edgeseries.series.days import by_month, days_in, days_touched
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.bucket import Written
from edgeseries.storage.database import Command, Database, json_chunks
from edgeseries.storage.limits import BUCKET_PAGE_KEYS, COVERED_MAX_ROWS, DENSITY_MEMORY_DAYS
from edgeseries.storage.object_keys import block_key, site_prefix

AFTER_SLASH = "0"
"""The character after `/`: where the keys that begin with a prefix of that end stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRow:
    """A block as it lies in the bucket."""

    point: str
    month: str
    covered_days: int
    sample_count: int
    raw_bytes: int
    stored_bytes: int
    codec: str
    version: Written


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityObservation:
    """What a delivery teaches of a point's density: samples, and how many days had any."""

    point: str
    sample_count: int
    day_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """A kept answer as it lies in the bucket."""

    key: str
    site: str
    sample_count: int
    raw_bytes: int
    stored_bytes: int
    codec: str
    created_ms: int
    expires_ms: int


class BlockIndex:
    """Rows of `cache_metadata` and `point_profiles`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def covered(
        self, site: str, points: Sequence[str], span: TimeRange
    ) -> Mapping[str, frozenset[int]]:
        """See the port. Points that hold the same days share one set."""
        wanted = by_month(days_touched(span))
        months = list(wanted)
        days: dict[str, frozenset[int]] = {}
        sets: dict[str, frozenset[int]] = {}
        size = max(1, COVERED_MAX_ROWS // len(months))
        for start in range(0, len(points), size):
            first = start
            for names, count in json_chunks(points[start : start + size]):
                command = Command(sql=statements.COVERED, parameters=(site, names, months[0], months[-1]))
                for coverage, places in await self._database.read(command):
                    held = sets.setdefault(coverage, _days_of(coverage, wanted))
                    if held:
                        days.update((points[first + place], held) for place in json.loads(places))
                first += count
        return days

    async def densities(self, site: str, points: Sequence[str]) -> Mapping[str, float]:
        """See the port."""
        found: dict[str, float] = {}
        first = 0
        for names, count in json_chunks(points):
            rows = await self._database.read(Command(sql=statements.DENSITIES, parameters=(site, names)))
            found.update((points[first + place], float(density)) for place, density in rows)
            first += count
        return found

    async def fingerprint(self, site: str, points: Sequence[str], span: TimeRange) -> str:
        """See the port."""
        months = list(by_month(days_touched(span)))
        parts = []
        for names, _ in json_chunks(points):
            command = Command(sql=statements.FINGERPRINT, parameters=(site, names, months[0], months[-1]))
            parts += [str(part) for row in await self._database.read(command) for part in row]
        return "/".join(parts)

    async def record(
        self,
        site: str,
        rows: Collection[BlockRow],
        observations: Collection[DensityObservation],
        *,
        now_ms: int,
    ) -> None:
        """Write rows of blocks and what was learned, all in one transaction."""
        commands = [
            Command(sql=statements.RECORD_BLOCKS, parameters=(site, values, now_ms))
            for values, _ in json_chunks([_values(site, row) for row in rows])
        ]
        commands += [
            Command(sql=statements.LEARN, parameters=(site, values, now_ms, DENSITY_MEMORY_DAYS))
            for values, _ in json_chunks(
                [(one.point, one.sample_count, one.day_count) for one in observations]
            )
        ]
        if commands:
            await self._database.write(commands)

    async def remove(self, keys: Collection[str]) -> None:
        """Take rows out, in one transaction."""
        commands = [
            Command(sql=statements.REMOVE_ROWS, parameters=(values,)) for values, _ in json_chunks(keys)
        ]
        if commands:
            await self._database.write(commands)

    async def block_keys_of_site(self, site: str, *, after: str = "") -> list[str]:
        """Keys that have rows, BUCKET_PAGE_KEYS at a time, in order, past a key."""
        prefix = site_prefix(site)
        parameters = (after or prefix, prefix.removesuffix("/") + AFTER_SLASH, BUCKET_PAGE_KEYS)
        command = Command(sql=statements.BLOCK_ROWS_OF_SITE, parameters=parameters)
        return [str(row[0]) for row in await self._database.read(command)]

    async def block_keys_of_points(self, site: str, points: Sequence[str]) -> list[str]:
        """Keys that have rows, of a few points."""
        found: list[str] = []
        for names, _ in json_chunks(points):
            command = Command(sql=statements.BLOCK_ROWS_OF_POINTS, parameters=(site, names))
            found += [str(row[0]) for row in await self._database.read(command)]
        return found

    async def record_answer(self, row: AnswerRow) -> None:
        """Write the row of a kept answer."""
        sizes = (row.sample_count, row.raw_bytes, row.stored_bytes, row.codec)
        parameters = (row.key, row.site, *sizes, row.created_ms, row.expires_ms)
        await self._database.write([Command(sql=statements.RECORD_ANSWER, parameters=parameters)])

    async def answers(self, site: str, *, after: str) -> list[tuple[str, int]]:
        """Keys of kept answers of a site with their stored bytes, BUCKET_PAGE_KEYS at a time, past a key."""
        parameters = (site, after, BUCKET_PAGE_KEYS)
        rows = await self._database.read(Command(sql=statements.ANSWER_ROWS, parameters=parameters))
        return [(str(key), int(stored_bytes)) for key, stored_bytes in rows]


def _values(site: str, row: BlockRow) -> tuple[str | int, ...]:
    return (
        block_key(site, row.point, row.month),
        row.point,
        row.month,
        row.covered_days,
        row.sample_count,
        row.raw_bytes,
        row.stored_bytes,
        row.codec,
        row.version.etag,
        row.version.uploaded_ms,
    )


def _days_of(coverage: str, wanted: Mapping[str, int]) -> frozenset[int]:
    """The days that a row of COVERED tells, of those wanted (bitmaps by month)."""
    pairs = (pair.split("=") for pair in coverage.split(","))
    return frozenset(day for month, held in pairs for day in days_in(month, int(held) & wanted.get(month, 0)))
