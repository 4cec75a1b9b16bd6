"""Telemetry for the console's tests: units, states, gaps, names of attackers, ten thousand points."""

import csv
import gzip
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

HOUSE: Final = "made_up_house"
MANY: Final = "made_up_many"
MANY_POINTS: Final = 10_000

HOSTILE: Final = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    "\u202egnirts a siht\u202c",
    "' \" & `${alert(1)}` \\",
    "long " + "x" * 495,
)
"""Names of points: markup, the other direction of writing, quotes of every language, 500 characters."""

FIRST_MS: Final = 1_704_067_200_000
"""2024-01-01T00:00:00Z."""

MINUTE_MS: Final = 60_000
DAY_MINUTES: Final = 1_440

Rows = Iterable[tuple[int, str]]


def write_house(folder: Path) -> None:
    """Two days of a made-up house; its temperature is silent for six hours of the second."""
    minutes = range(0, 2 * DAY_MINUTES, 5)
    silent = range(DAY_MINUTES + 360, DAY_MINUTES + 720)
    points: list[tuple[str, str, str, Rows]] = [
        ("temperature", "°C", "sensor", [(m, str(20 + m % 97 / 10)) for m in minutes if m not in silent]),
        ("outside", "°C", "sensor", [(m, str(m % 53 / 10)) for m in minutes]),
        ("power", "kW", "meter", [(m, str(m % 211 / 20)) for m in minutes]),
        ("pump", "", "command", [(m, ("false", "true")[m // 120 % 2]) for m in minutes]),
        ("mode", "", "command", [(m, ("night", "day", "away")[m // 480 % 3]) for m in minutes]),
        ("silent", "ppm", "sensor", []),
    ]
    points += [(text, "<b>unit</b>", "<i>kind</i>", [(m, str(m % 7)) for m in minutes]) for text in HOSTILE]
    _write(folder / HOUSE, points)


def write_many(folder: Path) -> None:
    """A site of ten thousand points without samples."""
    units = ("kW", "°C", "ppm", "%")
    _write(folder / MANY, [(f"point {n:05}", units[n % 4], f"kind{n % 10}", ()) for n in range(MANY_POINTS)])


def _write(site: Path, points: Iterable[tuple[str, str, str, Rows]]) -> None:
    site.mkdir(parents=True)
    with (site / "points.csv").open("w", newline="", encoding="utf-8") as listed:
        writer = csv.writer(listed)
        writer.writerow(["file", "name", "unit", "kind"])
        for place, (name, unit, kind, rows) in enumerate(points):
            writer.writerow([f"p{place}", name, unit, kind])
            with gzip.open(
                site / f"p{place}.csv.gz", "wt", compresslevel=1, newline="", encoding="utf-8"
            ) as handle:
                lines = csv.writer(handle)
                lines.writerow(["timestamp", "value"])
                lines.writerows((_stamp(minute), value) for minute, value in rows)


def _stamp(minute: int) -> str:
    instant = datetime.fromtimestamp((FIRST_MS + minute * MINUTE_MS) / 1000, tz=UTC)
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
