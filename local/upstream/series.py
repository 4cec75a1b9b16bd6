"""One point's samples in the order in which upstream delivers them.

Owns reading a data file, the delivery order (by instant; where instants are equal, by place in the file, so
that the later row is delivered later), and adding samples that arrive late. Must not know of sites or HTTP.
"""

import csv
import gzip
import statistics
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import le, sub
from pathlib import Path
from typing import Final

from local.upstream.catalogue import DataFault
from local.upstream.instants import MICROSECONDS_PER_SECOND, stamp_us, usual_stamps_us

HEADER: Final = ["timestamp", "value"]
_QUOTES: Final = ('"', "\r", "\0")
"""What means something to a reader of CSV."""

INSTANT_CODE: Final = "q"  # signed 64 bits: microseconds of any year that ISO-8601 writes with four digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Instants (UTC epoch microseconds, never decreasing) and, place by place, the source's value text."""

    times_us: "array[int]"
    texts: Sequence[str]


def read_series(path: Path) -> Series:
    """Read one `timestamp,value` file. DataFault, with the line, when a row cannot be understood."""
    return _read_plain(path) or _read_by_line(path)


def _read_plain(path: Path) -> Series | None:
    """A file of usual stamps and no quotes, read as columns; None for any other, and for one with a fault."""
    try:
        head, _, rest = gzip.decompress(path.read_bytes()).decode("utf-8").partition("\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        return None
    if head != ",".join(HEADER) or any(sign in rest for sign in _QUOTES):
        return None
    *cells, end = rest.replace("\n", ",").split(",")
    # As many commas as lines, and a stamp in front of each second one: a comma a line.
    times_us = usual_stamps_us(cells[::2]) if not end and rest.count(",") == rest.count("\n") else None
    if times_us is None:
        return None
    same: dict[str, str] = {}
    texts = cells[1::2]
    return _in_delivery_order(array(INSTANT_CODE, times_us), list(map(same.setdefault, texts, texts)))


def _read_by_line(path: Path) -> Series:
    times_us = array(INSTANT_CODE)
    texts: list[str] = []
    same: dict[str, str] = {}  # telemetry repeats itself: one string object a distinct value
    try:
        with gzip.open(path, "rt", newline="", encoding="utf-8") as lines:
            rows = csv.reader(lines)
            if next(rows, None) != HEADER:
                raise DataFault(f"{path}: the first line must be {','.join(HEADER)}")
            for row in rows:
                try:
                    stamp, text = row
                    times_us.append(stamp_us(stamp))
                except ValueError as fault:
                    raise DataFault(f"{path} line {rows.line_num}: {fault}") from fault
                texts.append(same.setdefault(text, text))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as fault:
        raise DataFault(f"{path}: {fault}") from fault
    return _in_delivery_order(times_us, texts)


def with_late(series: Series, late: Iterable[tuple[int, str]]) -> Series:
    """The series once `late` (instant in microseconds, text) is known: after what shares its instant."""
    times_us, texts = array(INSTANT_CODE, series.times_us), list(series.texts)
    for instant_us, text in late:
        times_us.append(instant_us)
        texts.append(text)
    return _in_delivery_order(times_us, texts)


def usual_step_s(series: Series) -> int | None:
    """The median step between distinct instants in whole seconds; None with fewer than two of them."""
    steps = [step for step in map(sub, series.times_us[1:], series.times_us) if step]
    return round(statistics.median(steps) / MICROSECONDS_PER_SECOND) if steps else None


def _in_delivery_order(times_us: "array[int]", texts: list[str]) -> Series:
    if all(map(le, times_us, times_us[1:])):
        return Series(times_us=times_us, texts=texts)
    order = sorted(range(len(times_us)), key=times_us.__getitem__)
    return Series(
        times_us=array(INSTANT_CODE, map(times_us.__getitem__, order)),
        texts=[texts[place] for place in order],
    )
