"""The index over real SQL: what is covered, of more points and years than one statement looks through."""

import asyncio
from collections.abc import Iterator

import pytest

from edgeseries.blocks.adapters.block_index import BlockIndex, BlockRow, Move
from edgeseries.blocks.stamps import Stamp
from edgeseries.series.days import by_year, day_span, days_text, month_of
from edgeseries.storage.limits import COVERED_MAX_ROWS
from edgeseries.storage.object_keys import content_digest
from tests.fake_stores import SqliteDatabase

FIRST_DAY = 16_000
DAYS = range(FIRST_DAY, FIRST_DAY + 3_650)
POINTS = [f"made up {number:05d}" for number in range(COVERED_MAX_ROWS // len(by_year(DAYS)) + 50)]


@pytest.fixture
def database() -> Iterator[SqliteDatabase]:
    database = SqliteDatabase()
    yield database
    database.close()


async def record(index: BlockIndex, site: str, point: str, days: frozenset[int]) -> None:
    moves = [
        Move(
            row=BlockRow(
                point=point,
                year=year,
                digest=content_digest(f"{point} {year}".encode()),
                days=days_text(bitmap),
                empty_days="",
                unsettled="",
                month_samples="1 0 0 0 0 0 0 0 0 0 0 0",
                directory="",
                sample_count=1,
                raw_bytes=16,
                stored_bytes=10,
                codec="br",
                created_ms=1,
                version=1,
            ),
            instead_of=None,
            months=(),
            stamp=Stamp(site=0, point=0, ticket=0),
        )
        for year, bitmap in by_year(days).items()
    ]
    moved = await index.move(site, moves, (), now_ms=1)
    assert len(moved.places) == len(moves)


def test_every_point_gets_its_own_days_and_who_has_the_same_shares_them(database: SqliteDatabase) -> None:
    some, other = frozenset(DAYS[3:1_000:2]), frozenset([DAYS[-1]])
    outside = frozenset([FIRST_DAY - 40, DAYS[-1] + 40])
    held = {POINTS[0]: some, POINTS[-51]: other, POINTS[-50]: some, POINTS[-1]: other | outside}
    alone = {POINTS[1]: outside}

    async def covered() -> dict[str, frozenset[int]]:
        index = BlockIndex(database)
        for point, days in {**held, **alone}.items():
            await record(index, "hq", point, days)
            await record(index, "elsewhere", point, frozenset(DAYS))
        return dict((await index.look_up("hq", POINTS, day_span(DAYS[0], DAYS[-1]), now_ms=0)).covered)

    found = asyncio.run(covered())
    assert found == {point: days - outside for point, days in held.items()}
    assert month_of(DAYS[0]) < month_of(DAYS[-1])
    assert found[POINTS[0]] is found[POINTS[-50]]
