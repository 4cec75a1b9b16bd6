"""A folder of made-up telemetry for tests: every kind of value, name and disorder, small.

It does not pretend to be real: sites and points say that they are made up.
"""

import csv
import gzip
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

ODD_SITE: Final = "made_up site"
PLAIN_SITE: Final = "made_up_plain"

SLASHES: Final = "made_up/AHU-1/SA T"
COLONS: Final = "made_up:7:AI%1"
HUNDRED: Final = "made_up " + "x" * 92
COMMA: Final = "made_up, with a comma"
UNICODE: Final = "made_up température ±°C"
EMPTY: Final = "made_up_empty"
TEXTS: Final = "made_up_texts"
SWITCH: Final = "made_up_switch"
MESSY: Final = "made_up_messy"
GAPS: Final = "made_up_gaps"
ODD_TEXTS: Final = "made_up_odd_texts"

SAME_SITES: Final = ("made_up_east", "made_up_west")
SAME_NAME: Final = "made_up_same"

LIVE_SITE: Final = "made_up_live"
LIVE_POINTS: Final = tuple(f"made_up_live_{n}" for n in range(8))
STOPPED: Final = "made_up_live_stopped"
"""A point whose gateway was cut off three hours ago."""

FIRST_DAY: Final = "2024-02-29"
"""A leap day, so that ranges cross the end of a February."""

ODD_VALUES: Final = (
    " true ",
    "  ",
    " null ",
    "None",
    "1_000",
    "\u0661\u0662",
    " 5 ",
    "-0",
    "9007199254740992",
    "9007199254740993",
    "123456789012345678901234567890",
    "1e999",
    "-Infinity",
    "+nan",
    "0x1F",
    "1e5",
    ".5",
    "5.",
    "12 %",
    "TRUE",
)
"""Texts on the border between numbers, words and text."""

Rows = Iterable[tuple[str, str]]


def write_made_up(folder: Path) -> Path:
    """Write both sites under `folder` and return it."""
    odd = {
        "slashes": (SLASHES, [(_stamp(minute), str(20 + minute % 7 / 10)) for minute in range(0, 2880, 5)]),
        "colons": (COLONS, [(_stamp(minute), str(minute)) for minute in range(0, 2880, 60)]),
        "hundred": (HUNDRED, [(_stamp(minute), repr(minute / 7)) for minute in range(0, 1440, 15)]),
        "comma": (COMMA, [(_stamp(0), "1"), (_stamp(1), "2")]),
        "unicode": (UNICODE, [(_stamp(minute), "-0.0") for minute in range(3)]),
        "empty": (EMPTY, []),
        "texts": (
            TEXTS,
            [(_stamp(0), "Occupied"), (_stamp(1), " spaces "), (_stamp(2), '"quoted", ü'), (_stamp(3), "7")],
        ),
        "switch": (SWITCH, [(_stamp(0), "true"), (_stamp(1), "FALSE"), (_stamp(2), "NaN"), (_stamp(3), "1")]),
        "messy": (
            MESSY,
            [
                (_stamp(3), "3"),
                (_stamp(1), "1"),
                (_stamp(1), "one again"),
                (_stamp(2), "2"),
                (_stamp(3), "NaN"),
                (_stamp(1), "1.5"),
            ],
        ),
        "odd_texts": (ODD_TEXTS, [(_stamp(minute), text) for minute, text in enumerate(ODD_VALUES)]),
        "gaps": (GAPS, [(_stamp(0), "1"), (_stamp(1439), "2"), (_stamp(2879), "3")]),
    }
    _write_site(folder / ODD_SITE, {file: rows for file, (_, rows) in odd.items()})
    with (folder / ODD_SITE / "points.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["file", "name", "unit", "kind"])
        writer.writerows([[file, name, "made_up_unit", "made_up_kind"] for file, (name, _) in odd.items()])
    plain = {
        f"made_up_{n}": [(_stamp(minute), str(n * minute)) for minute in range(n, 300, 10)]
        for n in range(1, 9)
    }
    _write_site(folder / PLAIN_SITE, plain)
    return folder


def write_same_names(folder: Path) -> None:
    """Two sites that both have a point of one name, with other samples at the same instants."""
    for place, site in enumerate(SAME_SITES):
        rows = [(_stamp(minute), str(1_000 * (place + 1) + minute)) for minute in range(0, 1_440, 10)]
        _write_site(folder / site, {SAME_NAME: rows, f"only_{site}": rows})


def write_live(folder: Path, now_ms: int) -> None:
    """A site whose samples go from a day and a half ago to an hour from now, on the minute."""
    first = now_ms // 60_000 - 36 * 60
    points = {
        name: [(_instant(minute), str(n + minute % 60 / 10)) for minute in range(first, first + 37 * 60)]
        for n, name in enumerate(LIVE_POINTS)
    }
    points[STOPPED] = [(_instant(minute), str(minute % 7)) for minute in range(first, first + 33 * 60)]
    _write_site(folder / LIVE_SITE, points)


def _instant(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _stamp(minute: int) -> str:
    hours, minutes = divmod(minute, 60)
    days, hours = divmod(hours, 24)
    day = [FIRST_DAY, "2024-03-01", "2024-03-02"][days]
    return f"{day}T{hours:02d}:{minutes:02d}:00Z"


def _write_site(folder: Path, points: dict[str, list[tuple[str, str]]]) -> None:
    folder.mkdir(parents=True)
    for name, rows in points.items():
        with gzip.open(folder / f"{name}.csv.gz", "wt", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle)
            writer.writerow(["timestamp", "value"])
            writer.writerows(rows)
