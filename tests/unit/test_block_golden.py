"""Blocks that were written once must be read for ever; and what is written today, byte for byte.

Each golden is a block in hex, with what it holds beside it in this file. `block.*` are the first writer's and
never change; `written.*` are those of the writer that stands, whose choice of shapes may become another.
"""

import os
from array import array
from collections.abc import Sequence
from math import inf
from pathlib import Path

import pytest

from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block import decode_days, same_samples
from edgeseries.blocks.header import BlockKey, read_header
from edgeseries.limits import DAY_MS, HOUR_MS, MINUTE_MS
from edgeseries.series.days import month_days
from edgeseries.series.samples import NO_SAMPLES, Samples
from edgeseries.series.values import Value
from tests import month_blocks
from tests.host_kernel import HostBlockCodec, HostKernel
from tests.python_blocks import encode_block

GOLDEN_DIR = Path(__file__).resolve().parents[1] / "golden"
KEY = BlockKey(site="site", point="Zone 1 · temp", month="2024-02")
START_MS = month_days(KEY.month).start * DAY_MS
BYTES_PER_LINE = 48
SMALL_BLOCK_BYTES = 8
"""By so much may a small block be larger than the first writer's, who compressed every shape to choose."""
KERNEL = HostBlockCodec(HostKernel(), PackageCompression())


def at(step_ms: int, values: Sequence[Value], *, jitter_ms: int = 0) -> Samples:
    times_ms = [START_MS + place * step_ms + place % 3 * jitter_ms for place in range(len(values))]
    return Samples(times_ms=times_ms, values=values)


CASES: dict[str, tuple[int, Samples]] = {
    "empty": ((1 << 29) - 1, NO_SAMPLES),
    "regular": (0b11, at(HOUR_MS, [20 + place * place % 17 / 10 for place in range(48)])),
    "jittering": (0b1, at(MINUTE_MS, [float(place // 40) for place in range(300)], jitter_ms=7)),
    "mixed": (0b1001, at(DAY_MS * 3, [1.5, -0.0])),
    "kinds": (
        0b1,
        at(HOUR_MS, [72.0, 1, True, None, "on", "\ud800", 2**64, -(2**80), 1e22, -inf, 5e-324, False, 0.1]),
    ),
    "singles": (0b1, at(MINUTE_MS, array("f", [66.38 + place % 9 / 50 for place in range(40)]).tolist())),
    "binary": (0b1, at(MINUTE_MS, [3 + place * place * 2.0**-31 for place in range(40)])),
    "means": (0b1, at(MINUTE_MS, [place * place * 2.0**-31 / 60 for place in range(40)])),
    "ratios": (
        0b1,
        at(
            MINUTE_MS,
            [
                (place * place * 2**31 // (1 + place % 37) + place % 3 - 1) / 2**31 - (place % 11 == 7)
                for place in range(40)
            ],
        ),
    ),
    "runs": (0b1, at(MINUTE_MS, ["off"] * 60 + ["on"] * 90 + [None] * 3 + ["off"] * 60)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_block_that_was_written_once_is_read_for_ever(name: str) -> None:
    days, samples = CASES[name]
    golden = golden_block(f"block.{name}.hex")
    assert read_header(golden, KEY).days == days
    assert same_samples(decode_days(golden, KEY, days, PackageCompression()), samples)


def golden_block(name: str) -> bytes:
    return bytes.fromhex((GOLDEN_DIR / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_a_block_is_written_in_the_same_bytes_by_python_and_by_the_kernel(name: str) -> None:
    days, samples = CASES[name]
    written = encode_block(KEY, days, samples, PackageCompression())
    path = GOLDEN_DIR / f"written.{name}.hex"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        lines = [
            written[place : place + BYTES_PER_LINE].hex() for place in range(0, len(written), BYTES_PER_LINE)
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert path.is_file(), f"no {path.name} yet: UPDATE_GOLDEN=1 make check"
    assert written == golden_block(path.name), f"{path.name} differs; if it should: UPDATE_GOLDEN=1"
    assert month_blocks.encode_block(KEY, days, samples, KERNEL) == written
    assert len(written) <= len(golden_block(f"block.{name}.hex")) + SMALL_BLOCK_BYTES
