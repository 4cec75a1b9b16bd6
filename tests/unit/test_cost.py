"""The cost model: what each number of a workload drives, and that the docs show what the command prints."""

import asyncio
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from delivery.cost import Assumptions, Workload, index_rows, main, used, warnings_of
from edgeseries.blocks.adapters.block_index import BlockIndex, BlockRow, Move
from edgeseries.blocks.directory import directory_text
from edgeseries.blocks.header import SegmentEntry
from edgeseries.blocks.stamps import Stamp
from edgeseries.limits import KERNEL_SEGMENT_DAYS, YEAR_SEGMENT_SAMPLES
from edgeseries.metrics.prices import BY_METER, bill
from edgeseries.series.days import days_text, year_days
from edgeseries.storage.object_keys import content_digest
from tests.fake_stores import SqliteDatabase
from tests.guides import blocks_of

ROOT = Path(__file__).resolve().parents[2]
PER = Assumptions()


def test_every_meter_is_billed() -> None:
    assert set(used(Workload(), PER)) <= set(BY_METER)
    assert bill(used(Workload(), PER)).total_usd > 0


def test_nothing_costs_the_plan_alone() -> None:
    """What the janitor does by itself stays within every allowance."""
    idle = Workload(cached_tb=0, reads=0, jobs=0, samples=0)
    assert bill(used(idle, PER)).total_usd == 5.0
    assert used(idle, PER)["requests"] == 30 * 24 * 4


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ({"cached_tb": 2.0}, {"r2_storage_gb", "d1_storage_gb"}),
        (
            {"samples": 5e11},
            {
                "requests",
                "cpu_ms",
                "r2_class_a",
                "r2_class_b",
                "d1_rows_read",
                "d1_rows_written",
                "queue_operations",
                "analytics_points",
                "observability_gb",
            },
        ),
        (
            {"hit_share": 1.0},
            {"cpu_ms", "r2_class_a", "r2_class_b", "d1_rows_read", "d1_rows_written"},
        ),
    ],
)
def test_each_number_drives_what_it_must(change: dict[str, float], moved: set[str]) -> None:
    before, after = used(Workload(), PER), used(replace(Workload(), **change), PER)
    assert {meter for meter in before if before[meter] != after[meter]} == moved


def test_a_hit_reads_one_object_and_writes_none() -> None:
    hits = Workload(cached_tb=0, reads=1_000, jobs=0, samples=0, hit_share=1.0)
    assert used(hits, PER)["r2_class_b"] == 1_000
    assert used(hits, PER)["r2_class_a"] == 0


def test_a_job_is_a_request_a_plan_and_batches() -> None:
    work = Workload(cached_tb=0, reads=0, jobs=1, samples=1_000_000, janitor_minutes=1e12)
    assert used(work, PER)["queue_operations"] == pytest.approx(3 * (1 + 4))
    assert used(work, PER)["requests"] == pytest.approx(1 + 5 + 5)


def test_an_index_that_no_database_holds_is_told() -> None:
    assert "split the sites over stacks" in warnings_of(used(Workload(cached_tb=2.0), PER))[0]
    assert warnings_of(used(Workload(cached_tb=1.0), PER)) == []


def test_the_index_of_the_reference_example_fits_one_database_with_room() -> None:
    assert index_rows(Workload(), PER) < 10_000_000
    assert used(Workload(), PER)["d1_storage_gb"] < 8


@pytest.mark.parametrize(("per_day", "most_bytes"), [(1440, PER.rows_bytes), (288, 790), (24, 790)])
def test_a_row_of_the_index_takes_what_is_assumed(per_day: int, most_bytes: float) -> None:
    """Rows as the store writes them, of points in no order, so that pages are as full as they get in use."""
    database, days = SqliteDatabase(), year_days("2024")
    step = min(KERNEL_SEGMENT_DAYS, YEAR_SEGMENT_SAMPLES // per_day)
    random = Random(1)  # noqa: S311 - repeatable, no secret
    entries, offset = [], 150
    for first in range(0, len(days), step):
        some = days[first : first + step]
        entry = SegmentEntry(
            first_day=some[0],
            last_day=some[-1],
            offset=offset,
            size=len(some) * per_day // 4,
            sample_count=len(some) * per_day,
            crc=random.getrandbits(32),
        )
        entries.append(entry)
        offset += entry.size
    row = BlockRow(
        point="",
        year="2024",
        digest="",
        days=days_text((1 << 366) - 1),
        empty_days="",
        unsettled="",
        month_samples=" ".join(["44640"] * 12),
        sample_count=366 * per_day,
        raw_bytes=366 * per_day * 16,
        stored_bytes=offset,
        directory=directory_text("2024", entries),
        codec="br",
        created_ms=1_790_000_000_000,
        version=2**47,
    )
    names = [f"AHU {number:04d} supply air temp" for number in range(4_000)]
    random.shuffle(names)
    pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    before = int(str(database.rows(pages)[0][0]))
    moves = [
        Move(
            row=replace(row, point=name, digest=content_digest(name.encode())),
            instead_of=None,
            months=(),
            stamp=Stamp(site=0, point=0, ticket=0),
        )
        for name in names
    ]
    index = BlockIndex(database)
    for first in range(0, len(moves), 100):
        asyncio.run(index.move("building-042", moves[first : first + 100], (), now_ms=1_790_000_000_000))
    bytes_a_row = (int(str(database.rows(pages)[0][0])) - before) / len(names)
    assert most_bytes / 2 < bytes_a_row <= most_bytes
    database.close()


def test_the_docs_show_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = [block.text for block in blocks_of(ROOT / "docs" / "cost.md")]
    assert capsys.readouterr().out.rstrip("\n") in shown


@pytest.mark.parametrize("words", [["--reads", "-1"], ["--reads", "many"], ["--hit-share", "2"]])
def test_what_is_no_amount_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert words[0] in capsys.readouterr().err
