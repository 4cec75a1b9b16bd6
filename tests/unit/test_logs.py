"""Log lines as a person reads them: the Workers' JSON, and everything else as it came."""

import json
import re
from typing import Any

import pytest

from local.logs import LogLine, readable


def shown(text: str, *, level: str = "info", source: str = "workerd", colour: bool = False) -> str:
    """The line without its clock, which depends on where the machine stands."""
    line = readable(LogLine(time_ms=1_709_164_800_000, source=source, level=level, text=text), colour=colour)
    plain = re.sub(r"\x1b\[\d+m", "", line) if colour else line
    assert re.match(r"\d\d:\d\d:\d\d ", plain)
    return plain[len("00:00:00 ") :]


def document(**fields: Any) -> str:
    return json.dumps(fields)


LINES = [
    ("plain words", "workerd   info    plain words"),
    ("", "workerd   info    "),
    ("[1, 2]", "workerd   info    [1, 2]"),
    ("{not JSON", "workerd   info    {not JSON"),
    ('{"no": "event"}', 'workerd   info    {"no": "event"}'),
    ('{"a":' * 100_000, "workerd   info    " + '{"a":' * 100_000),
    (
        document(fn="router", level="warning", event="slow", ms=12, ok=True),
        "router    warning slow  ms=12 ok=True",
    ),
    (document(fn="router", level="info", event="bare"), "router    info    bare"),
    (
        document(level="error", event="GET /api/health", status=200),
        "workerd   error   GET /api/health  status=200",
    ),
    (document(event="gaps", cause=None, left=0, empty=""), "workerd   info    gaps  left=0 empty="),
    (
        document(event="quoted", point="AHU/1: SA T, 100 %"),
        "workerd   info    quoted  point=AHU/1: SA T, 100 %",
    ),
    (document(event=7, fn=8), "8         info    7"),
    (document(event="e", level="warn"), "workerd   warning e"),
]


@pytest.mark.parametrize(("text", "expected"), LINES)
def test_a_line_is_shown_as_its_facts_or_as_it_is(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("level", "expected"),
    [("log", "info"), ("debug", "info"), ("warn", "warning"), ("error", "error"), ("odd", "odd")],
)
def test_levels_have_one_set_of_names(level: str, expected: str) -> None:
    assert shown("words", level=level, source="simulator") == f"simulator {expected:7} words"


def test_a_traceback_keeps_its_lines() -> None:
    trace = 'Traceback (most recent call last):\n  File "entry.py", line 1\nValueError: no'
    text = shown(document(fn="router", level="error", event="unexpected", trace=trace, ms=3))
    assert text == f"router    error   unexpected  trace=\n{trace} ms=3"
    assert shown(trace, level="error").endswith(trace)


@pytest.mark.parametrize("as_document", [True, False])
def test_what_is_quoted_cannot_steer_the_terminal(*, as_document: bool) -> None:
    nasty = "clear \x1b[2J bell \a back\r\x9b1m tab\t."
    text = shown(document(event="asked", point=nasty) if as_document else nasty)
    assert text.endswith(r"clear \x1b[2J bell \x07 back\x0d\x9b1m tab" + "\t.")


def test_colour_adds_marks_and_changes_no_word() -> None:
    line = LogLine(time_ms=0, source="router", level="error", text=document(event="unexpected", ms=3))
    coloured = readable(line, colour=True)
    assert re.sub(r"\x1b\[\d+m", "", coloured) == readable(line, colour=False)
    assert "\x1b[31merror" in coloured
    assert coloured.endswith("\x1b[0m")
    assert "\x1b" not in readable(line, colour=False)


def test_the_clock_is_that_of_the_line_and_not_of_the_reader() -> None:
    early, late = (
        readable(LogLine(time_ms=time_ms, source="router", level="info", text="x"), colour=False)[:8]
        for time_ms in (1_709_164_800_000, 1_709_164_861_999)
    )
    # A minute and nearly two seconds apart: whole seconds, wherever the machine stands.
    seconds = [
        sum(int(part) * scale for part, scale in zip(clock.split(":"), (3600, 60, 1), strict=True))
        for clock in (early, late)
    ]
    assert (seconds[1] - seconds[0]) % 86_400 == 61
