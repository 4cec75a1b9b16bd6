"""Points of Analytics Engine: the docs name every column, and no point is over the platform's limits."""

import re
from pathlib import Path

import pytest

from edgeseries.metrics.adapters.data_points import (
    BATCH,
    BY_RECORD,
    MAX_BLOB_BYTES,
    MAX_INDEX_BYTES,
    REQUEST,
    SWEEP,
    Columns,
)
from edgeseries.metrics.ports.journal import BatchRecord, RequestRecord, SweepRecord

PAGE = (Path(__file__).parents[2] / "docs" / "formats" / "analytics.md").read_text()


def documented(kind: str) -> dict[str, str]:
    """Columns of a kind as the page has them: `blob2` to its name."""
    section = PAGE.split(f"## `{kind}`")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `((?:blob|double)\d+)` \| `(\w+)` \|", section, re.MULTILINE))


@pytest.mark.parametrize("columns", BY_RECORD.values(), ids=lambda one: one.kind)
def test_the_page_names_every_column_in_its_place(columns: Columns) -> None:
    blobs = ["kind", *(name for name, _ in columns.blobs)]
    expected = {f"blob{place}": name for place, name in enumerate(blobs, 1)}
    expected |= {f"double{place}": name for place, (name, _) in enumerate(columns.doubles, 1)}
    assert documented(columns.kind) == expected


def request(**changes: object) -> RequestRecord:
    fields: dict[str, object] = {
        "endpoint": "/api/timeseries",
        "method": "GET",
        "route": "cached",
        "status": 200,
        "duration_ms": 12,
        "origin_ms": 7,
        "point_count": 3,
        "sample_count": 40,
        "body_bytes": 900,
        "cache_verdict": "partial",
        "origin_samples": 25,
        "store_faults": 1,
        "dropped_rows": 2,
    }
    return RequestRecord(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_request_is_a_point() -> None:
    assert REQUEST.point_of(request()) == {
        "indexes": ["/api/timeseries"],
        "blobs": ["request", "/api/timeseries", "GET", "cached", "partial"],
        "doubles": [200, 12, 7, 3, 40, 900, 25, 1, 2],
    }


def test_a_batch_and_a_sweep_are_points() -> None:
    batch = BatchRecord(
        outcome="done",
        priority="low",
        duration_ms=1,
        origin_ms=2,
        point_count=3,
        sample_count=4,
        block_count=5,
        attempt=6,
        dropped_rows=7,
    )
    assert BATCH.point_of(batch) == {
        "indexes": ["batch"],
        "blobs": ["batch", "done", "low"],
        "doubles": [1, 2, 3, 4, 5, 6, 7],
    }
    sweep = SweepRecord(duration_ms=1, late_ms=2, duty_count=3, failed_count=4, held_count=5, changed_count=6)
    assert SWEEP.point_of(sweep)["doubles"] == [1, 2, 3, 4, 5, 6]


def test_texts_are_cut_to_the_limits_between_characters() -> None:
    point = REQUEST.point_of(request(endpoint="é" * 20_000, method="M" * 20_000, route="r" * 20_000))
    assert len(point["indexes"][0].encode()) <= MAX_INDEX_BYTES
    assert sum(len(text.encode()) for text in point["blobs"]) <= MAX_BLOB_BYTES
