"""The page for newcomers: its files exist, and a cached answer goes through as few as it says."""

import re
import sys
from pathlib import Path
from types import FrameType

from router.flow import answer
from tests.asked_router import QUERY, START_MS, ask, make_ports
from tests.fakes import FakeClock

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reading.md").read_text()
FUNCTIONS = "/functions/"
LATER_MS = START_MS + 40 * 86_400_000
MOST_FILES = 24
"""Of a hit, over the fakes of stores and platform."""


def test_ten_files_are_named_and_exist() -> None:
    rows = re.findall(r"^\| `(functions/[^`]+)` \|", PAGE, re.MULTILINE)
    assert len(rows) == 10
    assert all((ROOT / name).is_file() for name in rows)


def test_a_hit_goes_through_few_files_and_the_page_names_them() -> None:
    ports = make_ports(clock=FakeClock(at_ms=LATER_MS))
    query = (*QUERY, ("route", "cached"))
    ask(query=query, ports=ports)
    ran: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        name = frame.f_code.co_filename.replace("\\", "/")
        if event == "call" and FUNCTIONS in name:
            ran.add(name.split(FUNCTIONS)[1])

    sys.setprofile(note)
    try:
        response = ask(query=query, ports=ports)
    finally:
        sys.setprofile(None)
    assert "; hit" in response.headers["Cache-Status"]
    assert answer.__code__.co_filename.replace("\\", "/").split(FUNCTIONS)[1] in ran
    held = {name for name in ran if name != "router/openapi_document.py" and "contract/" not in name}
    assert len(held) <= MOST_FILES, sorted(held)
    named = {Path(name).name for name in re.findall(r"`([a-z_/]+\.py)`", PAGE)}
    assert {Path(name).name for name in held} - named <= {"journal.py"}
