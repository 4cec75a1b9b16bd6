"""Counting questions in an isolate: bounded, written rarely, put back when it could not be."""

import json
from dataclasses import replace

from edgeseries.limits import DAY_MS, HOUR_MS, MINUTE_MS
from edgeseries.warming.adapters import ask_statements as sql
from edgeseries.warming.adapters.ask_buffer import AskBuffer
from edgeseries.warming.asks import Ask, PointSet, Window

NOW_MS = 20_000 * DAY_MS + 7 * HOUR_MS
ASK = Ask(
    of=PointSet(site="hq", points=("a", "b")),
    window=Window(first_back=7, last_back=1),
    point_days=14,
    missing_point_days=4,
    origin_ms=300,
)


def written(buffer: AskBuffer, now_ms: int) -> tuple[list[int], int]:
    """Asks of each row, and how many sets."""
    taken = buffer.take(now_ms)
    commands = [] if taken is None else taken[0]
    rows = [json.loads(str(one.parameters[0])) for one in commands if one.sql == sql.RECORD_ASKED]
    sets = [json.loads(str(one.parameters[0])) for one in commands if one.sql == sql.RECORD_SETS]
    return [row[4] for some in rows for row in some], sum(map(len, sets))


def test_the_first_ask_of_an_hour_is_written_at_once_and_the_others_together() -> None:
    buffer = AskBuffer()
    buffer.count(ASK, NOW_MS)
    assert written(buffer, NOW_MS) == ([1], 1)
    for second in range(5):
        buffer.count(ASK, NOW_MS + second)
    assert buffer.take(NOW_MS + 5_000) is None
    assert written(buffer, NOW_MS + 10 * MINUTE_MS) == ([5], 0)
    buffer.count(ASK, NOW_MS + 11 * MINUTE_MS)
    assert written(buffer, NOW_MS + HOUR_MS) == ([1], 0), "an hour that is over is written"
    assert buffer.take(NOW_MS + 2 * HOUR_MS) is None


def test_names_of_a_set_are_written_once_a_day() -> None:
    buffer = AskBuffer()
    buffer.count(ASK, NOW_MS)
    buffer.count(replace(ASK, window=Window(first_back=1, last_back=1)), NOW_MS)
    assert written(buffer, NOW_MS) == ([1, 1], 1)
    buffer.count(ASK, NOW_MS + HOUR_MS)
    assert written(buffer, NOW_MS + HOUR_MS) == ([1], 0)
    buffer.count(ASK, NOW_MS + DAY_MS)
    assert written(buffer, NOW_MS + DAY_MS) == ([1], 1)


def test_what_could_not_be_written_is_counted_on() -> None:
    buffer = AskBuffer()
    buffer.count(ASK, NOW_MS)
    taken = buffer.take(NOW_MS)
    assert taken is not None
    buffer.count(ASK, NOW_MS)
    taken[1]()
    assert written(buffer, NOW_MS) == ([2], 1)


def test_what_finds_no_room_is_not_counted() -> None:
    buffer = AskBuffer(max_keys=1)
    buffer.count(ASK, NOW_MS)
    buffer.count(replace(ASK, of=PointSet(site="lab", points=("a",))), NOW_MS)
    assert written(buffer, NOW_MS) == ([1], 1)
    small = AskBuffer(max_set_bytes=9)
    small.count(ASK, NOW_MS)
    small.count(replace(ASK, of=PointSet(site="lab", points=("a",))), NOW_MS)
    assert written(small, NOW_MS) == ([1], 1)
