"""Blocks of years that were written once must be read for ever; and what is written today, byte for byte.

Each golden is a block in hex, with what it holds beside it in this file.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block import same_samples
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.directory import directory_of_text, directory_text
from edgeseries.blocks.year_block import decode_year_days
from edgeseries.blocks.year_encoding import YearBlock, merged_year
from edgeseries.blocks.year_header import YearKey, read_year_header
from edgeseries.limits import DAY_MS, HOUR_MS, MINUTE_MS
from edgeseries.series.days import year_days
from edgeseries.series.samples import Samples
from edgeseries.series.values import Value
from tests.host_kernel import HostBlockCodec, HostKernel

GOLDEN_DIR = Path(__file__).resolve().parents[1] / "golden"
KEY = YearKey(site="site", point="Zone 1 · temp", year="2024")
START = year_days(KEY.year).start
BYTES_PER_LINE = 48
PYTHON = PythonBlockCodec(compressor=PackageCompression())
CODECS: list[PythonBlockCodec | HostBlockCodec] = [PYTHON, HostBlockCodec(HostKernel(), PackageCompression())]

Step = tuple[int, Samples]
"""Days that are put in (bitmap), and their samples."""


def at(first_day: int, step_ms: int, values: Sequence[Value]) -> Samples:
    times_ms = [(START + first_day) * DAY_MS + place * step_ms for place in range(len(values))]
    return Samples(times_ms=times_ms, values=values)


def days(first: int, count: int = 1) -> int:
    return ((1 << count) - 1) << first


CASES: dict[str, list[Step]] = {
    "quiet": [(days(0, 366), at(3, 31 * DAY_MS, ["on", "off"] * 5))],
    "hourly": [(days(58, 40), at(58, HOUR_MS, [20 + place * place % 17 / 10 for place in range(960)]))],
    "appended": [
        (days(364), at(364, MINUTE_MS, [float(place // 40) for place in range(1440)])),
        (days(365), at(365, MINUTE_MS, [float(place // 30) for place in range(1440)])),
        (days(10), at(10, 6 * HOUR_MS, [1.5, None, -0.0, 2**60 + 1])),
    ],
}


def built(steps: Sequence[Step], codec: PythonBlockCodec | HostBlockCodec) -> YearBlock:
    block, held = None, 0
    for some, samples in steps:
        block = merged_year(block, KEY, held, some, samples, codec)
        held |= some
    assert block is not None
    return block


@pytest.mark.parametrize("name", CASES)
def test_a_block_is_written_in_these_bytes_and_read_for_ever(name: str) -> None:
    steps = CASES[name]
    written = [built(steps, codec).data for codec in CODECS]
    assert written[0] == written[1]
    path = GOLDEN_DIR / f"year.{name}.hex"
    if os.environ.get("UPDATE_GOLDEN"):
        lines = [
            written[0][at : at + BYTES_PER_LINE].hex() for at in range(0, len(written[0]), BYTES_PER_LINE)
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    golden = bytes.fromhex(path.read_text(encoding="utf-8"))
    assert golden == written[0]
    header = read_year_header(golden, KEY)
    assert directory_of_text(KEY.year, directory_text(KEY.year, header.segments)) == header.segments
    for some, samples in steps:
        for codec in CODECS:
            assert same_samples(decode_year_days(golden, KEY, some, codec), samples)
