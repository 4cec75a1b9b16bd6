"""One command brings a site's samples into one Parquet file, however many, with little memory.

A million of them here; EDGESERIES_TEST_SAMPLES=10000000 has ten, which takes some minutes
(docs/first-contact.md says how many).
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from bench.copies import MANY, copied
from local.stack import Stack, StackOptions
from tests.guides import user_environment
from tests.runtime.conftest import SAMPLE

pytestmark = pytest.mark.runtime

SAMPLES = int(os.environ.get("EDGESERIES_TEST_SAMPLES", "1000000"))
MOST_MEMORY_MB = 160
PEAK = (
    "import resource, subprocess, sys; status = subprocess.call(sys.argv[1:]); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024); sys.exit(status)"
)


def test_a_site_becomes_one_parquet_file(tmp_path: Path) -> None:
    one = copied(tmp_path / "one", SAMPLE, 1)
    made = copied(tmp_path / "data", SAMPLE, -(-SAMPLES // len(one.rows)))
    target = tmp_path / "all.parquet"
    options = StackOptions(
        wake_all=False, state=tmp_path / "state", data=made.data, settings={"queueMaxWaitSeconds": "0"}
    )
    with Stack(options) as stack:
        words = ["edgeseries", "get", MANY, *made.points, "--start", "2015-02-28", "--end", "2015-04-01"]
        began_s = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", PEAK, *words, "-o", str(target)],
            env=user_environment(stack.url, tmp_path),
            capture_output=True,
            text=True,
            check=False,
            timeout=1800,
        )
        took_s = time.monotonic() - began_s
    assert done.returncode == 0, done.stderr
    peak_mb = int(done.stdout)
    print(f"{made.sample_count:,} samples: {target.stat().st_size:,} bytes in {took_s:.0f} s, {peak_mb} MB")
    assert peak_mb < MOST_MEMORY_MB
    with pq.ParquetFile(target) as file:
        assert file.metadata.num_rows == made.sample_count
        sums = [
            pc.sum(file.read_row_group(place, ["value"])["value"]).as_py()
            for place in range(file.num_row_groups)
        ]
    expected = sum(value for _, value in made.rows) * len(made.points)
    assert sum(sums) == pytest.approx(expected, rel=1e-9)
