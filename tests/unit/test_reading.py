"""The page for newcomers: its files exist, and a cached answer goes through as few as it says."""

import re
from pathlib import Path

from tests.opened_files import of_a_cached_request, of_a_job_batch

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reading.md").read_text()
MOST_FILES = 20
"""Of a hit, over the fakes of stores and platform."""

MOST_FILES_OF_A_BATCH = 26
"""Of a batch of a job: the columns that its samples come in are among them, leases, and what comes along."""


def test_ten_files_are_named_and_exist() -> None:
    rows = re.findall(r"^\| `(functions/[^`]+)` \|", PAGE, re.MULTILINE)
    assert len(rows) == 10
    assert all((ROOT / name).is_file() for name in rows)


def test_a_hit_goes_through_few_files_and_the_page_names_them() -> None:
    files = of_a_cached_request()
    assert "router/flow.py" in files
    assert len(files) <= MOST_FILES, sorted(files)
    named = {Path(name).name for name in re.findall(r"`([a-z_/]+\.py)`", PAGE)}
    assert {Path(name).name for name in files} <= named


def test_a_batch_of_a_job_goes_through_no_more() -> None:
    files = of_a_job_batch()
    assert {"consumer/flow.py", "consumer/batch.py"} <= files
    assert len(files) <= MOST_FILES_OF_A_BATCH, sorted(files)


def test_there_are_no_more_files_than_the_page_says() -> None:
    counts = re.findall(r"^\| (?:a cached request|a batch of a job) \| \d+ \| (\d+) \|", PAGE, re.MULTILINE)
    said_of_a_hit, said_of_a_batch = map(int, counts)
    assert len(of_a_cached_request()) <= said_of_a_hit
    assert len(of_a_job_batch()) <= said_of_a_batch
