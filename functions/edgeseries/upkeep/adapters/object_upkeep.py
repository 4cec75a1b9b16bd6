"""The StoredObjects port over the bucket and its index.

Rows go before their objects, which go a day later: what stops half-way leaves an object that nothing points
to, and the next walk over the bucket finds it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeseries.blocks.adapters.answer_facts import BROTLI, facts_of
from edgeseries.blocks.adapters.block_content import block_facts_of
from edgeseries.blocks.adapters.block_index import BlockIndex
from edgeseries.blocks.adapters.index_statements import ORPHAN, RESTORE_GENERATIONS
from edgeseries.blocks.adapters.purge_records import record_of
from edgeseries.series.days import days_text
from edgeseries.storage.bucket import Bucket, Listed
from edgeseries.storage.database import Command, Database, Row, json_chunks
from edgeseries.storage.limits import BUCKET_PAGE_KEYS, PURGE_RECORD_KEEP_MS
from edgeseries.storage.object_keys import (
    ANSWERS,
    MONTH_BLOCKS,
    PURGES,
    YEAR_BLOCKS,
    block_path,
    version_of,
)
from edgeseries.upkeep.adapters import upkeep_statements as sql
from edgeseries.upkeep.ports.stored_objects import Comparison, StoredObject

PREFIXES = (PURGES, ANSWERS, MONTH_BLOCKS, YEAR_BLOCKS)
"""What is walked through, in this order: lost generations are known again before a block is adopted."""

AFTER_SLASH = "0"
"""The character after `/`: where the keys that begin with a prefix of that end stop."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Objects and rows of the keys past `after` up to `upto`; `place` is where to go on."""

    objects: Mapping[str, Listed]
    rows: Mapping[str, int]
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Rows of objects that have none: of answers and of blocks, as values."""

    answers: Sequence[tuple[str | int, ...]]
    blocks: Sequence[tuple[str | int, ...]]


class ObjectUpkeep:
    """Blocks and cached answers together."""

    def __init__(self, *, bucket: Bucket, database: Database) -> None:
        self._bucket = bucket
        self._database = database
        self._index = BlockIndex(database)

    async def stored_bytes(self) -> int:
        """See the port."""
        rows = await self._database.read(Command(sql=sql.STORED_BYTES, parameters=()))
        return int(rows[0][0])

    async def expired(self, *, now_ms: int, at_most: int) -> tuple[StoredObject, ...]:
        """See the port."""
        return _objects(await self._database.read(Command(sql=sql.EXPIRED, parameters=(now_ms, at_most))))

    async def least_used(self, *, at_most: int) -> tuple[StoredObject, ...]:
        """See the port."""
        return _objects(await self._database.read(Command(sql=sql.LEAST_USED, parameters=(at_most,))))

    async def remove(self, objects: Sequence[StoredObject], *, now_ms: int) -> None:
        """See the port."""
        for seen, _ in json_chunks([(one.key, one.used_ms) for one in objects]):
            await self._database.write(
                [
                    Command(sql=sql.SUPERSEDE_UNUSED, parameters=(seen, now_ms)),
                    Command(sql=sql.REMOVE_UNUSED_ROWS, parameters=(seen,)),
                ]
            )

    async def superseded(self, *, before_ms: int, at_most: int) -> tuple[StoredObject, ...]:
        """See the port."""
        return _objects(
            await self._database.read(Command(sql=sql.SUPERSEDED, parameters=(before_ms, at_most)))
        )

    async def remove_superseded(self, objects: Sequence[StoredObject]) -> None:
        """See the port."""
        for first in range(0, len(objects), BUCKET_PAGE_KEYS):
            some = objects[first : first + BUCKET_PAGE_KEYS]
            pointed_to = await self._among(sql.POINTED_TO, [one.key for one in some])
            gone = [one.key for one in some if one.key not in pointed_to]
            if gone:
                await self._bucket.delete(gone)
            await self._database.write(
                [
                    Command(sql=sql.FORGET_SUPERSEDED, parameters=(seen,))
                    for seen, _ in json_chunks([(one.key, one.used_ms) for one in some])
                ]
            )

    async def compare(self, place: str, *, before_ms: int, now_ms: int) -> Comparison:
        """See the port."""
        place = place or PREFIXES[0]
        if place.startswith(PURGES):
            return await self._restore(place, now_ms=now_ms)
        stretch = await self._stretch(place)
        lost = [
            key for key, at_ms in stretch.rows.items() if key not in stretch.objects and at_ms < before_ms
        ]
        await self._index.drop(lost, now_ms=now_ms)
        rowless = [
            one
            for key, one in stretch.objects.items()
            if key not in stretch.rows and one.version.uploaded_ms < before_ms
        ]
        noted = await self._among(sql.SUPERSEDED_AMONG, [one.key for one in rowless])
        unknown = [one for one in rowless if one.key not in noted]
        known, strange = _read_facts(unknown)
        adopted = await self._adopt(known, now_ms)
        orphans = [str(one[0]) for one in known.blocks if one[0] not in adopted]
        await self._write(ORPHAN, orphans, now_ms)
        return Comparison(
            adopted=len(adopted) + len(known.answers),
            dropped=len(lost),
            orphans=len(orphans),
            strange=strange,
            place=stretch.place,
        )

    async def _restore(self, place: str, *, now_ms: int) -> Comparison:
        """Records of purges: what the index has forgotten of them is restored, old ones go."""
        page = await self._bucket.page(PURGES, None, after=place)
        old = [one.key for one in page.objects if one.version.uploaded_ms < now_ms - PURGE_RECORD_KEEP_MS]
        raised: list[tuple[str, str, int]] = []
        for one in page.objects:
            found = await self._bucket.get(one.key)
            record = None if found is None else record_of(found.content)
            if record is not None:
                points = [""] if record.points is None else record.points
                raised += [(record.site, point, record.generation) for point in points]
        await self._write(RESTORE_GENERATIONS, raised)
        if old:
            await self._bucket.delete(old)
        following = PREFIXES[1] if page.cursor is None else page.objects[-1].key
        return Comparison(adopted=0, dropped=0, orphans=0, strange=0, place=following)

    async def _stretch(self, after: str) -> _Stretch:
        prefix = next(one for one in PREFIXES if after.startswith(one))
        listed = await self._bucket.page(prefix, None, after=after)
        end = prefix.removesuffix("/") + AFTER_SLASH
        upto = end if listed.cursor is None else listed.objects[-1].key
        rows = await self._database.read(
            Command(sql=sql.ROWS_BETWEEN, parameters=(after, upto, BUCKET_PAGE_KEYS))
        )
        if len(rows) == BUCKET_PAGE_KEYS:
            upto = min(upto, str(rows[-1][0]))
        place = upto
        if upto == end:
            following = PREFIXES[PREFIXES.index(prefix) + 1 :]
            place = following[0] if following else ""
        return _Stretch(
            objects={one.key: one for one in listed.objects if one.key <= upto},
            rows={str(key): int(at_ms) for key, at_ms in rows},
            place=place,
        )

    async def _adopt(self, known: _Known, now_ms: int) -> set[str]:
        """Rows for objects that have none; which blocks got one."""
        await self._write(sql.ADOPT_ANSWERS, known.answers)
        commands = [
            Command(sql=sql.ADOPT_BLOCKS, parameters=(values, now_ms))
            for values, _ in json_chunks(known.blocks)
        ]
        results = await self._database.write(commands) if commands else []
        return {str(row[0]) for rows in results for row in rows}

    async def _write(self, statement: str, rows: Sequence[object], *further: int) -> None:
        commands = [Command(sql=statement, parameters=(values, *further)) for values, _ in json_chunks(rows)]
        if commands:
            await self._database.write(commands)

    async def _among(self, statement: str, keys: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for values, _ in json_chunks(keys):
            rows = await self._database.read(Command(sql=statement, parameters=(values,)))
            found.update(str(row[0]) for row in rows)
        return found


def _objects(rows: Sequence[Row]) -> tuple[StoredObject, ...]:
    return tuple(
        StoredObject(key=str(key), stored_bytes=int(stored_bytes), used_ms=int(used_ms))
        for key, stored_bytes, used_ms in rows
    )


def _block_values(one: Listed) -> tuple[str | int, ...] | None:
    """A row of ADOPT_BLOCKS, or None if key or facts are not of our writing."""
    facts, path = block_facts_of(one.facts), block_path(one.key)
    try:
        sample_count, raw_bytes = int(one.facts["samples"]), int(one.facts["raw-bytes"])
    except (KeyError, ValueError):
        return None
    if facts is None or path is None:
        return None
    is_year = one.key.startswith(YEAR_BLOCKS)
    return (
        one.key,
        facts.site,
        facts.point,
        facts.period,
        0 if is_year else facts.days,
        sample_count,
        raw_bytes,
        one.stored_bytes,
        one.facts.get("codec", ""),
        version_of(path.digest),
        one.version.uploaded_ms,
        facts.site_generation,
        facts.ticket,
        days_text(facts.days) if is_year else "",
        facts.month_samples,
        facts.directory,
    )


def _answer_values(one: Listed) -> tuple[str | int, ...] | None:
    """A row of ADOPT_ANSWERS, or None if the facts are not of our writing."""
    try:
        stored = facts_of(one.facts)
    except (KeyError, ValueError):
        return None
    facts = stored.facts
    sizes = (facts.sample_count, facts.body_bytes, one.stored_bytes)
    return (one.key, facts.site, *sizes, BROTLI, facts.created_ms, stored.expires_ms)


def _read_facts(objects: Sequence[Listed]) -> tuple[_Known, int]:
    """What can be read of objects by the facts beside them, the newest first, and how many are not ours to
    read.
    """
    answers: list[tuple[str | int, ...]] = []
    blocks: list[tuple[str | int, ...]] = []
    strange = 0
    for one in sorted(objects, key=lambda one: -one.version.uploaded_ms):
        is_answer = one.key.startswith(ANSWERS)
        values = _answer_values(one) if is_answer else _block_values(one)
        if values is None:
            strange += 1
        else:
            (answers if is_answer else blocks).append(values)
    return _Known(answers=answers, blocks=blocks), strange
