"""The cost model: what each number of a workload drives, and that the docs show what the command prints."""

from dataclasses import replace
from pathlib import Path

import pytest

from delivery.cost import Assumptions, Workload, main, used, warnings_of
from edgeseries.metrics.prices import BY_METER, bill
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
    assert "split the sites over stacks" in warnings_of(used(Workload(cached_tb=1.0), PER))[0]
    assert warnings_of(used(Workload(cached_tb=0.1), PER)) == []


def test_the_docs_show_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = [block.text for block in blocks_of(ROOT / "docs" / "cost.md")]
    assert capsys.readouterr().out.rstrip("\n") in shown


@pytest.mark.parametrize("words", [["--reads", "-1"], ["--reads", "many"], ["--hit-share", "2"]])
def test_what_is_no_amount_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert words[0] in capsys.readouterr().err
