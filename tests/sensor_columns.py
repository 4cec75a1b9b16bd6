"""Real telemetry of the repository's sample sites, as blocks and samples."""

import csv
import gzip
from array import array
from datetime import datetime
from functools import cache
from pathlib import Path

from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.header import BlockKey
from edgeseries.series.days import day_of, month_days, month_of
from edgeseries.series.samples import Samples
from edgeseries.series.timerange import instant_ms
from tests.python_blocks import encode_block

SITES = Path(__file__).parents[1] / "local" / "sample"


@cache
def real_month(
    site: str = "opengrid_minute", point: str = "water_2923", month: str = "2015-03"
) -> tuple[BlockKey, bytes, Samples]:
    """A month of a point: its key, its block, its samples."""
    times_ms, values = array("q"), []
    with gzip.open(SITES / site / f"{point}.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            at_ms = instant_ms(datetime.fromisoformat(row["timestamp"]))
            if month_of(day_of(at_ms)) != month:
                continue
            times_ms.append(at_ms)
            values.append(float(row["value"]))
    key = BlockKey(site=site, point=point, month=month)
    samples = Samples(times_ms=times_ms, values=tuple(values))
    return (
        key,
        encode_block(key, (1 << len(month_days(month))) - 1, samples, PackageCompression()),
        samples,
    )
