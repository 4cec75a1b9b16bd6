"""Telemetry for measurements: the months of a set as blocks get them, and the upstream's JSON of it.

Owns reading the CSV files. Values that are numbers become floats, as the sets hold nothing else
of weight; a file with a text is refused, so that no figure is made of half a set.
"""

import csv
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from edgeseries.blocks.header import BlockKey
from edgeseries.blocks.ports.block_codec import BlockCodec
from edgeseries.blocks.year_encoding import YearBlock, merged_year
from edgeseries.blocks.year_header import YearKey
from edgeseries.series.days import YEAR_CHARS, by_month, day_of, in_year, month_of
from edgeseries.series.samples import Samples, in_order
from edgeseries.series.timerange import instant_ms

SUFFIX = ".csv.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One block to be: its key, its days (bitmap), its samples."""

    key: BlockKey
    days: int
    samples: Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySet:
    """A set: its months, and the bytes of the upstream's rows for all of its samples."""

    name: str
    months: tuple[Month, ...]
    upstream_bytes: int

    @property
    def sample_count(self) -> int:
        """Samples of all months."""
        return sum(len(month.samples) for month in self.months)

    @property
    def point_count(self) -> int:
        """Points that have any sample."""
        return len({month.key.point for month in self.months})


def read_set(folder: Path, *, points_max: int | None = None) -> TelemetrySet:
    """A folder of points; the first `points_max` of them, by name, if that is given."""
    months: list[Month] = []
    upstream_bytes = 0
    for path in sorted(folder.glob(f"*{SUFFIX}"))[:points_max]:
        rows = _rows(path)
        point = path.name.removesuffix(SUFFIX)
        upstream_bytes += sum(len(_upstream_row(point, at, value)) for at, value in rows)
        times_ms = [instant_ms(datetime.fromisoformat(at)) for at, _ in rows]
        if times_ms:
            samples = in_order(times_ms, [float(value) for _, value in rows])
            months += _months(folder.name, point, samples)
    return TelemetrySet(name=folder.name, months=tuple(months), upstream_bytes=upstream_bytes)


def _rows(path: Path) -> list[tuple[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return [(at, value) for at, value in list(csv.reader(lines))[1:]]


def _upstream_row(point: str, at: str, value: str) -> str:
    """A row as the vendor's JSON holds it, without the blanks that its server writes."""
    return json.dumps({"name": point, "value": value, "time": at}, separators=(",", ":")) + ","


def _months(site: str, point: str, samples: Samples) -> Iterator[Month]:
    days = list(map(day_of, samples.times_ms))
    bitmaps = by_month(set(days))
    month_of_day = {day: month_of(day) for day in set(days)}
    start = 0
    for month, members in groupby(map(month_of_day.__getitem__, days)):
        stop = start + sum(1 for _ in members)
        part = Samples(times_ms=samples.times_ms[start:stop], values=samples.values[start:stop])
        key = BlockKey(site=site, point=point, month=month)
        yield Month(key=key, days=bitmaps[month], samples=part)
        start = stop


def year_key(month: Month) -> YearKey:
    """Whose block a month's samples are in."""
    return YearKey(site=month.key.site, point=month.key.point, year=month.key.month[:YEAR_CHARS])


def block_of(month: Month, codec: BlockCodec) -> bytes:
    """The block of a year that has this month alone."""
    days = in_year(month.key.month, month.days)
    made = merged_year(None, year_key(month), 0, days, month.samples, codec)
    assert made is not None
    return made.data


def years_of(months: Sequence[Month], codec: BlockCodec) -> list[YearBlock]:
    """The blocks of all months, put together month by month, as jobs store them."""
    found: dict[YearKey, YearBlock | None] = {}
    for month in months:
        key, days = year_key(month), in_year(month.key.month, month.days)
        before = found.get(key)
        held = 0 if before is None else before.header.days
        found[key] = merged_year(before, key, held, days, month.samples, codec)
    return [block for block in found.values() if block is not None]


def some_of(months: Sequence[Month], samples_max: int) -> list[Month]:
    """Months spread evenly over all of them, with about so many samples."""
    total = sum(len(month.samples) for month in months)
    if total <= samples_max:
        return list(months)
    step = total / samples_max
    chosen, passed, due = [], 0, 0.0
    for month in months:
        if passed >= due:
            chosen.append(month)
            due += len(month.samples) * step
        passed += len(month.samples)
    return chosen
