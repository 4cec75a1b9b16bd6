"""No Python step a sample on the data path: ten times the samples take no more steps of the interpreter.

Counted by tracing lines, in which every turn of a loop or a comprehension is one. What runs in C (copies,
comparisons of whole columns) and in the kernel takes none.
"""

import sys
from array import array
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from edgeseries.answers.pieces import gathered, rendered, texts_of
from edgeseries.answers.text_form import TextForm
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.year_block import decode_year_days
from edgeseries.blocks.year_encoding import merged_year
from edgeseries.blocks.year_header import YearKey
from edgeseries.limits import DAY_MS
from edgeseries.series.days import in_year, month_days
from edgeseries.series.samples import Samples, joined, overlaid, within
from edgeseries.series.timerange import TimeRange
from tests.host_kernel import HostBlockCodec, HostKernel, HostResultEncoder

KEY = YearKey(site="s", point="p", year="2024")
START_MS = month_days("2024-02").start * DAY_MS
DAYS = in_year("2024-02", (1 << 29) - 1)
FIRST = in_year("2024-02", 1)
FEW, MANY = 29 * 60, 29 * 600
"""Samples of the month; both are cut into segments, of the many a day is one."""

SEGMENTS_STEPS = 6_000
"""What the 29 segments of the many may take more than the few: some hundred lines each, none a sample."""

CODEC = HostBlockCodec(HostKernel(), PackageCompression())
ENCODER = HostResultEncoder(HostKernel())


def samples_of(count: int, first_ms: int = START_MS) -> Samples:
    step_ms = 29 * DAY_MS // count
    times_ms = array("q", range(first_ms, first_ms + count * step_ms, step_ms))
    return Samples(times_ms=times_ms, values=array("d", [place / 8 for place in range(count)]))


def steps_of(work: Callable[[], object]) -> int:
    """Lines of our own code that the interpreter goes through."""
    count = 0

    def traced(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if "edgeseries" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def written(count: int) -> Callable[[], object]:
    samples = samples_of(count)
    return lambda: merged_year(None, KEY, 0, DAYS, samples, CODEC)


def read(count: int) -> Callable[[], object]:
    block = merged_year(None, KEY, 0, DAYS, samples_of(count), CODEC)
    return lambda: decode_year_days(block.data, KEY, DAYS, CODEC) if block else None


def merged(count: int) -> Callable[[], object]:
    samples = samples_of(count)
    block = merged_year(None, KEY, 0, DAYS & ~FIRST, within(samples, after_first_day()), CODEC)
    first = within(samples, TimeRange(start_ms=START_MS, end_ms=START_MS + DAY_MS))
    return lambda: merged_year(block, KEY, DAYS & ~FIRST, FIRST, first, CODEC)


def after_first_day() -> TimeRange:
    return TimeRange(start_ms=START_MS + DAY_MS, end_ms=START_MS + 29 * DAY_MS)


def put_together(count: int) -> Callable[[], object]:
    samples = samples_of(count)
    later = samples_of(count, START_MS + 29 * DAY_MS)
    span = TimeRange(start_ms=START_MS + 5_000, end_ms=START_MS + 40 * DAY_MS)
    return lambda: overlaid(within(joined([later, samples]), span), after_first_day(), samples)


def as_text(form: TextForm) -> Callable[[int], Callable[[], object]]:
    def of(count: int) -> Callable[[], object]:
        samples = samples_of(count)
        return lambda: rendered(gathered(texts_of(form, samples, b"p,"), ENCODER), ENCODER)

    return of


PATHS = {
    "written": written,
    "read": read,
    "merged": merged,
    "put together": put_together,
    **{f"as {form}": as_text(form) for form in TextForm},
}


@pytest.mark.parametrize("path", PATHS)
def test_ten_times_the_samples_take_no_more_steps(path: str) -> None:
    few, many = (steps_of(PATHS[path](count)) for count in (FEW, MANY))
    assert few > 0
    assert many - few < SEGMENTS_STEPS < MANY - FEW


def test_a_step_a_sample_would_be_seen() -> None:
    python, samples = PythonBlockCodec(compressor=PackageCompression()), samples_of(MANY)
    assert steps_of(lambda: merged_year(None, KEY, 0, DAYS, samples, python)) > MANY - FEW
