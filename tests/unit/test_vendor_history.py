"""The judge of the vendor oracle notices what is wrong: a stale day, a mixture, a sample too many."""

from pathlib import Path
from typing import Any

import pytest

from local.upstream.truth import Truth
from tests import made_up
from tests.made_up import write_made_up
from tests.vendor_history import DAY_MS, VendorHistory

SITE, POINT = "opengrid_minute", "water_2923"
SAMPLE = Path(__file__).parents[2] / "local" / "sample"
START_MS = 1_425_340_800_000
DAY = START_MS // DAY_MS


@pytest.fixture
def history() -> VendorHistory:
    return VendorHistory(Truth(SAMPLE))


def rows_of(history: VendorHistory, days: int = 2) -> list[list[Any]]:
    return [row for day in range(DAY, DAY + days) for row in history.versions(SITE, POINT, day)[-1].rows]


def judge(history: VendorHistory, rows: list[list[Any]], days: int = 2) -> str | None:
    end_ms = START_MS + days * DAY_MS
    return history.fault_of(
        SITE, POINT, START_MS, end_ms, rows=rows, floors=history.floors(SITE, POINT, START_MS, end_ms)
    )


def test_what_the_vendor_says_is_right(history: VendorHistory) -> None:
    assert rows_of(history)
    assert judge(history, rows_of(history)) is None


def test_a_correction_leaves_both_versions_right_until_a_purge(history: VendorHistory) -> None:
    before = rows_of(history)
    history.correct(SITE, POINT, [(START_MS + 60_000, "17.25")])
    after = rows_of(history)
    assert before != after
    assert judge(history, before) is None
    assert judge(history, after) is None
    history.forget(SITE, [POINT], START_MS, START_MS + DAY_MS, since=history.step)
    assert judge(history, before) is not None
    assert judge(history, after) is None


def test_days_may_be_of_different_versions_and_one_day_may_not_be_a_mixture(history: VendorHistory) -> None:
    before = rows_of(history)
    history.correct(SITE, POINT, [(START_MS + 60_000, "17.25"), (START_MS + 120_000, "18.25")])
    history.correct(SITE, POINT, [(START_MS + DAY_MS + 60_000, "19.25")])
    after = rows_of(history)
    second_day_ms = START_MS + DAY_MS
    old_then_new = [row for row in before if row[0] < second_day_ms] + [
        row for row in after if row[0] >= second_day_ms
    ]
    assert judge(history, old_then_new) is None
    mixture = [after[0], *before[1:]] if after[0] != before[0] else [before[0], after[1], *before[2:]]
    assert judge(history, mixture) is not None


def test_a_missing_or_foreign_sample_is_noticed(history: VendorHistory) -> None:
    rows = rows_of(history)
    assert judge(history, rows[1:]) is not None
    assert judge(history, [*rows, [START_MS + 2 * DAY_MS, 1.0]]) is not None
    assert judge(history, []) is not None


def test_a_purge_before_a_correction_hides_nothing(history: VendorHistory) -> None:
    before = rows_of(history)
    history.forget(SITE, [POINT], START_MS, START_MS + 2 * DAY_MS, since=history.step)
    history.correct(SITE, POINT, [(START_MS + 60_000, "17.25")])
    assert judge(history, before) is None, "it was said after the purge, before the correction"


def test_types_are_told_apart(tmp_path: Path) -> None:
    write_made_up(tmp_path)
    history = VendorHistory(Truth(tmp_path))
    start_ms = 1_709_164_800_000
    end_ms = start_ms + 2 * DAY_MS
    floors = history.floors(made_up.ODD_SITE, made_up.SWITCH, start_ms, end_ms)
    rows = [
        row
        for day in floors
        for version in history.versions(made_up.ODD_SITE, made_up.SWITCH, day)
        for row in version.rows
    ]
    assert {type(value) for _, value in rows} >= {bool}
    assert (
        history.fault_of(made_up.ODD_SITE, made_up.SWITCH, start_ms, end_ms, rows=rows, floors=floors) is None
    )
    numbers = [[at_ms, float(value) if isinstance(value, bool) else value] for at_ms, value in rows]
    assert (
        history.fault_of(made_up.ODD_SITE, made_up.SWITCH, start_ms, end_ms, rows=numbers, floors=floors)
        is not None
    )
