"""The sum of an isolate's memory: what the documents say of it, and that no share is more than there is."""

import re
from pathlib import Path

from edgeseries import memory_limits as memory
from edgeseries.jobs.limits import (
    BATCH_MEMORY_BYTES,
    MESSAGES_AT_ONCE,
    QUESTION_WINDOW_MAX_SAMPLES,
    RESULT_WINDOW_MAX_SAMPLES,
)
from edgeseries.limits import (
    CATALOGUE_MAX_NAMES,
    DIRECTORY_MAX_POINTS,
    FORCED_DIRECT_MAX_SAMPLES,
    WHOLE_MAX_SAMPLES,
)
from edgeseries.platform_limits import MEMORY_BYTES
from edgeseries.storage.limits import LIVE_CACHE_MAX_SAMPLES, MEMORY_MAX_BYTES, STAMPS_MAX_POINTS

MB = 1_000_000


def grown(needed: int) -> int:
    """What the interpreter's memory may have, if it is asked for a byte at a time up to so much: it grows by
    a fifth of what it has (Emscripten's `_emscripten_resize_heap`).
    """
    largest = 0
    for start in range(20 * MB, 40 * MB, 100_000):
        has = start
        while has < needed:
            has = has * 6 // 5
        largest = max(largest, has)
    return largest


def test_whatever_the_steps_are_the_interpreter_stays_within_the_platforms_limit() -> None:
    most = grown(memory.HEAP_BYTES)
    assert most <= memory.HEAP_BYTES * 6 // 5
    assert most + memory.OUTSIDE_BYTES <= MEMORY_BYTES.value


def test_what_is_remembered_at_its_bounds_is_what_the_sum_says() -> None:
    names = (
        CATALOGUE_MAX_NAMES * memory.CATALOGUE_NAME_BYTES
        + DIRECTORY_MAX_POINTS * (memory.DIRECTORY_POINT_BYTES + memory.LATEST_POINT_BYTES)
        + STAMPS_MAX_POINTS * memory.STAMPED_NAME_BYTES
    )
    assert names <= memory.NAMES_BYTES
    assert MEMORY_MAX_BYTES <= memory.BLOCK_MEMORY_BYTES
    assert LIVE_CACHE_MAX_SAMPLES * memory.LIVE_SAMPLE_BYTES <= memory.LIVE_MEMORY_BYTES


def test_no_share_that_is_ever_asked_is_more_than_there_is() -> None:
    assert WHOLE_MAX_SAMPLES * memory.STORED_SAMPLE_BYTES <= memory.BUDGET_BYTES
    assert FORCED_DIRECT_MAX_SAMPLES * memory.FETCHED_SAMPLE_BYTES <= memory.BUDGET_BYTES
    assert RESULT_WINDOW_MAX_SAMPLES * memory.RESULT_SAMPLE_BYTES <= memory.BUDGET_BYTES
    assert QUESTION_WINDOW_MAX_SAMPLES * memory.QUESTION_SAMPLE_BYTES <= memory.BUDGET_BYTES
    assert MESSAGES_AT_ONCE * BATCH_MEMORY_BYTES <= memory.CONSUMER_BUDGET_BYTES


def test_the_table_of_the_architecture_is_the_sum() -> None:
    text = (
        Path("docs/architecture.md").read_text(encoding="utf-8").partition("## The memory of an isolate")[2]
    )
    rows = re.findall(r"^\| .*? \| (\d+) \| (\d+) \|$", text.partition("\n## ")[0], flags=re.MULTILINE)
    *parts, needed, growth, margin = [(int(router) * MB, int(consumer) * MB) for router, consumer in rows]
    assert parts == [
        (memory.INTERPRETER_BYTES, memory.INTERPRETER_BYTES),
        (memory.ARROW_BYTES, memory.ARROW_BYTES),
        (memory.NAMES_BYTES, memory.CONSUMER_NAMES_BYTES),
        (memory.BLOCK_MEMORY_BYTES + memory.LIVE_MEMORY_BYTES, memory.CONSUMER_SEGMENTS_BYTES),
        (memory.BUDGET_BYTES, memory.CONSUMER_BUDGET_BYTES),
    ]
    assert needed == (memory.HEAP_BYTES, memory.HEAP_BYTES)
    assert [sum(column) for column in zip(*parts, strict=True)] == [memory.HEAP_BYTES] * 2
    assert growth == (memory.HEAP_BYTES // 5,) * 2
    assert margin == (memory.OUTSIDE_BYTES,) * 2
    assert needed[0] + growth[0] + margin[0] == MEMORY_BYTES.value
