"""The KeptObjects port over the bucket and its index.

Objects go before their rows, as in a purge: what stops half-way is done by the same call again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edgeseries.blocks.adapters.answer_facts import BROTLI, facts_of
from edgeseries.blocks.adapters.block_content import told_by
from edgeseries.blocks.adapters.block_index import AFTER_SLASH, BlockIndex, BlockRow
from edgeseries.storage.bucket import Bucket, Listed
from edgeseries.storage.database import Command, Database, Row, json_chunks
from edgeseries.storage.limits import BUCKET_PAGE_KEYS
from edgeseries.storage.object_keys import ANSWERS, BLOCKS
from edgeseries.upkeep.adapters import upkeep_statements as sql
from edgeseries.upkeep.ports.stored_objects import Comparison, KeptObject

PREFIXES = (ANSWERS, BLOCKS)
"""What is compared, in order of keys."""

ADOPTED_SITES: Final = 10
"""Sites whose blocks get rows in one stretch, a transaction each: keys of one site stand together."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Objects and rows of the keys past `after` up to `upto`; `place` is where to go on."""

    objects: Mapping[str, Listed]
    rows: Mapping[str, int]
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Rows of objects that have none yet: of answers as values, of blocks by site."""

    answers: Sequence[tuple[str | int, ...]]
    blocks: Mapping[str, Sequence[BlockRow]]


class ObjectUpkeep:
    """Blocks and kept answers together."""

    def __init__(self, *, bucket: Bucket, database: Database) -> None:
        self._bucket = bucket
        self._database = database
        self._index = BlockIndex(database)

    async def stored_bytes(self) -> int:
        """See the port."""
        rows = await self._database.read(Command(sql=sql.STORED_BYTES, parameters=()))
        return int(rows[0][0])

    async def expired(self, *, now_ms: int, at_most: int) -> tuple[KeptObject, ...]:
        """See the port."""
        return _objects(await self._database.read(Command(sql=sql.EXPIRED, parameters=(now_ms, at_most))))

    async def least_used(self, *, at_most: int) -> tuple[KeptObject, ...]:
        """See the port."""
        return _objects(await self._database.read(Command(sql=sql.LEAST_USED, parameters=(at_most,))))

    async def remove(self, objects: Sequence[KeptObject]) -> None:
        """See the port."""
        for first in range(0, len(objects), BUCKET_PAGE_KEYS):
            some = objects[first : first + BUCKET_PAGE_KEYS]
            await self._bucket.delete([one.key for one in some])
            await self._database.write(
                [
                    Command(sql=sql.REMOVE_UNUSED_ROWS, parameters=(seen,))
                    for seen, _ in json_chunks([(one.key, one.used_ms) for one in some])
                ]
            )

    async def compare(self, place: str, *, before_ms: int, now_ms: int) -> Comparison:
        """See the port. The bucket is the truth; its list tells all that a row needs."""
        stretch = await self._stretch(place or PREFIXES[0])
        orphans = [
            key for key, at_ms in stretch.rows.items() if key not in stretch.objects and at_ms < before_ms
        ]
        await self._index.remove(orphans)
        unknown = [
            one
            for key, one in stretch.objects.items()
            if key not in stretch.rows and one.version.uploaded_ms < before_ms
        ]
        known, strange = _read_facts(unknown)
        return Comparison(
            adopted=await self._adopt(known, now_ms),
            dropped=len(orphans),
            strange=strange,
            place=stretch.place,
        )

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

    async def _adopt(self, known: _Known, now_ms: int) -> int:
        """Rows for objects that have none; how many. Sites past the bound wait for the next walk."""
        commands = [
            Command(sql=sql.ADOPT_ANSWERS, parameters=(values,)) for values, _ in json_chunks(known.answers)
        ]
        if commands:
            await self._database.write(commands)
        adopted = len(known.answers)
        for site, rows in list(known.blocks.items())[:ADOPTED_SITES]:
            await self._index.record(site, rows, (), now_ms=now_ms)
            adopted += len(rows)
        return adopted


def _objects(rows: Sequence[Row]) -> tuple[KeptObject, ...]:
    return tuple(
        KeptObject(key=str(key), stored_bytes=int(stored_bytes), used_ms=int(used_ms))
        for key, stored_bytes, used_ms in rows
    )


def _block_row(one: Listed) -> tuple[str, BlockRow] | None:
    """The site and the row of a block by its facts, or None if they are not of our writing."""
    told = told_by(one.facts)
    try:
        sample_count, raw_bytes = int(one.facts["samples"]), int(one.facts["raw-bytes"])
    except (KeyError, ValueError):
        return None
    if told is None:
        return None
    return told.site, BlockRow(
        point=told.point,
        month=told.month,
        covered_days=told.days,
        sample_count=sample_count,
        raw_bytes=raw_bytes,
        stored_bytes=one.stored_bytes,
        codec=one.facts.get("codec", ""),
        version=one.version,
    )


def _answer_values(one: Listed) -> tuple[str | int, ...] | None:
    """A row of ADOPT_ANSWERS, or None if the facts are not of our writing."""
    try:
        facts, expires_ms = facts_of(one.facts)
    except (KeyError, ValueError):
        return None
    sizes = (facts.sample_count, facts.body_bytes, one.stored_bytes)
    return (one.key, facts.site, *sizes, BROTLI, facts.created_ms, expires_ms)


def _read_facts(objects: Sequence[Listed]) -> tuple[_Known, int]:
    """What can be read of objects by the facts beside them, and how many are not ours to read."""
    answers: list[tuple[str | int, ...]] = []
    blocks: dict[str, list[BlockRow]] = {}
    strange = 0
    for one in objects:
        values = _answer_values(one) if one.key.startswith(ANSWERS) else None
        found = None if one.key.startswith(ANSWERS) else _block_row(one)
        if values is not None:
            answers.append(values)
        elif found is not None:
            blocks.setdefault(found[0], []).append(found[1])
        else:
            strange += 1
    return _Known(answers=answers, blocks=blocks), strange
