"""The real block store with everything that it stands on, on the host."""

import asyncio
from dataclasses import dataclass

from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.adapters.block_store import BlockStore
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.ports.blocks import Blocks, DaysToStore, StoreOutcome
from edgeseries.series.days import day_span, days_of_text
from edgeseries.storage.object_keys import (
    block_path,
    content_digest,
)
from tests.fake_stores import MemoryBucket, SqliteDatabase
from tests.fakes import FakeClock
from tests.made_days import (
    FEB_29,
    MARCH,
    POINT,
    keep,
    read,
    run,
)

SITE = "made up site"
LEAP_DAY = day_span(FEB_29, FEB_29)
WHOLE_MARCH = day_span(MARCH[0], MARCH[-1])
EVERYTHING = day_span(FEB_29 - 400, MARCH[-1] + 400)


@dataclass
class Rig:
    """The real store with everything that it stands on."""

    bucket: MemoryBucket
    database: SqliteDatabase
    clock: FakeClock
    store: BlockStore

    def another(self) -> BlockStore:
        """The store of another isolate: the same bucket and database, another memory."""
        return BlockStore(
            bucket=self.bucket,
            database=self.database,
            codec=PythonBlockCodec(compressor=PackageCompression()),
            memory=BlockMemory(),
            clock=self.clock,
            pause=turns,
        )

    def pointers(self) -> dict[tuple[str, str], tuple[str, int]]:
        """Object and days that count (bitmap), by point and year."""
        found = self.database.rows(
            "SELECT point, month, object_key, year_days, purged_days FROM cache_metadata"
        )
        return {
            (str(point), str(year)): (str(key), days_of_text(str(days)) & ~days_of_text(str(purged)))
            for point, year, key, days, purged in found
        }

    def key_of(self, point: str, year: str = "2024") -> str:
        return self.pointers()[point, year][0]

    def agrees(self) -> None:
        """Every pointer leads to an object that is what its key says, and holds the days of the row; a year
        without a sample has none.
        """
        sizes = dict(self.database.connection.execute("SELECT object_key, stored_bytes FROM cache_metadata"))
        for key, days in self.pointers().values():
            if not sizes[key]:
                assert key not in self.bucket.objects
                continue
            content, facts, _ = self.bucket.objects[key]
            path = block_path(key)
            assert path is not None
            assert path.digest == content_digest(content)
            assert not days & ~days_of_text(facts["days"])

    def damage(self, key: str, where: int) -> None:
        content, facts, at = self.bucket.objects[key]
        damaged = bytearray(content)
        damaged[where] ^= 1
        self.bucket.objects[key] = (bytes(damaged), facts, at)


async def turns(wait_ms: int) -> None:
    """A turn of the loop for a millisecond: the order of waits counts, not their length."""
    for _ in range(wait_ms):
        await asyncio.sleep(0)


def put(store: Blocks, *kept: DaysToStore) -> StoreOutcome:
    return run(keep(store, SITE, kept))


def days_of(store: Blocks, point: str = POINT) -> list[int]:
    return sorted(run(read(store, SITE, [point], EVERYTHING))[point].days)
