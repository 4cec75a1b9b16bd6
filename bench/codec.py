"""Blocks against other ways to store the same telemetry: bytes a sample, samples a second.

    PYTHONPATH=functions:infra:. .venv/bin/python -m bench.codec [--data DIR] [--qualities] [--json FILE]

Every point of every set becomes one block a month, as the store writes them; sizes are of whole
blocks, header and names included. JSON and the delta columns get whole months in one piece, which
is to their advantage: a day of them cannot be read alone. Parquet gets a whole set in one file,
once with pyarrow's defaults (and zstd), once with zstd 19, delta-coded times and the best of its
value encodings. Times are CPU seconds of one run on this machine: compare rows, not machines.
"""

import argparse
import csv
import gzip
import io
import json
import sys
import time  # noqa: TID251 - a benchmark reads the clock
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import sub
from pathlib import Path
from typing import Any, Final

import brotli

from edgeseries.adapters.compression_cpython import PackageCompression
from edgeseries.core.blocks.block import decode_days, encode_block, same_samples
from edgeseries.core.blocks.codecs import Codec
from edgeseries.core.blocks.header import BlockKey, read_header
from edgeseries.core.days import by_month, day_of, month_of
from edgeseries.core.samples import Samples, in_order
from edgeseries.core.timerange import instant_ms

PARQUET_TUNED: Final = {
    "openfdd_bms": 0.32,
    "b4b_windesheim": 0.42,
    "openfdd_messy": 1.44,
    "opengrid_minute": 1.61,
    "opengrid_hourly": 4.26,
}
"""Bytes a sample of the whole sets, measured with pyarrow when the data were gathered."""

DATA: Final = Path("local/sample")
QUALITIES: Final = ((5, 16), (9, 22), (9, 16), (10, 16), (11, 22), (11, 16))
"""Brotli quality and window bits."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One block to be: its key, its days (bitmap), its samples."""

    key: BlockKey
    days: int
    samples: Samples


@dataclass(slots=True)
class Timed:
    """The host's compression with the seconds it took, and what it was given."""

    seconds: float = 0.0
    columns: list[bytes] = field(default_factory=list)
    _inner: PackageCompression = field(default_factory=PackageCompression)

    def compress(self, data: bytes, *, quality: int) -> bytes:
        """See the port."""
        self.columns.append(data)
        start = time.process_time()
        out = self._inner.compress(data, quality=quality)
        self.seconds += time.process_time() - start
        return out

    def decompress(self, codec: Codec, data: bytes, *, size: int) -> bytes:
        """See the port."""
        start = time.process_time()
        out = self._inner.decompress(codec, data, size=size)
        self.seconds += time.process_time() - start
        return out


def main() -> None:
    """Measure every set below the data folder, print a table, write JSON."""
    arguments = argparse.ArgumentParser(description="Bytes a sample and samples a second of blocks.")
    arguments.add_argument("--data", type=Path, default=DATA, help="a folder of sets (default: local/sample)")
    arguments.add_argument("--qualities", action="store_true", help="also weigh brotli qualities and windows")
    arguments.add_argument("--json", type=Path, help="write the figures to this file")
    given = arguments.parse_args()
    rows = []
    for folder in sorted(path for path in given.data.iterdir() if path.is_dir()):
        months = list(months_of(folder))
        if months:
            rows.append(measured(folder.name, months, qualities=given.qualities))
            say(json.dumps(rows[-1]))
    say("\n" + table(rows))
    say("\n".join(what_is_missing()))
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def say(text: str) -> None:
    """Print."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def months_of(folder: Path) -> Iterator[Month]:
    """Every point of a set, in normal form, by month; days with samples count as covered."""
    for path in sorted(folder.glob("*.csv.gz")):
        point = path.name.removesuffix(".csv.gz")
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            rows = [
                (instant_ms(datetime.fromisoformat(at)), float(value))
                for at, value in list(csv.reader(lines))[1:]
            ]
        samples = in_order([at_ms for at_ms, _ in rows], [value for _, value in rows])
        days = list(map(day_of, samples.times_ms))
        bitmaps = by_month(set(days))
        month_of_day = {day: month_of(day) for day in set(days)}
        start = 0
        for month, members in groupby(map(month_of_day.__getitem__, days)):
            stop = start + sum(1 for _ in members)
            part = Samples(times_ms=samples.times_ms[start:stop], values=samples.values[start:stop])
            key = BlockKey(site=folder.name, point=point, month=month)
            yield Month(key=key, days=bitmaps[month], samples=part)
            start = stop


def measured(name: str, months: Sequence[Month], *, qualities: bool) -> Row:
    """All figures of one set."""
    count = sum(len(month.samples) for month in months)
    row: Row = {"set": name, "points": len({month.key.point for month in months}), "samples": count}
    row |= of_blocks(months, count)
    jsons = [json_of(month.samples) for month in months]
    row["json"] = per_sample(jsons, count)
    row["json_gzip6"] = per_sample([gzip.compress(body, 6) for body in jsons], count)
    row["json_brotli5"] = per_sample([brotli.compress(body, quality=5) for body in jsons], count)
    if (compress := zstd_compressor()) is not None:
        row["delta_zstd19"] = per_sample([compress(delta_columns(month.samples)) for month in months], count)
    row |= of_parquet(months, count)
    if name in PARQUET_TUNED:
        row["parquet_tuned_gathered"] = PARQUET_TUNED[name]
    if qualities:
        row["qualities"] = of_qualities(months)
    return row


def of_blocks(months: Sequence[Month], count: int) -> Row:
    """Size and speed of blocks; every one is decoded and compared bit for bit."""
    writing, reading, day_seconds = Timed(), Timed(), []
    start = time.process_time()
    blocks = [encode_block(month.key, month.days, month.samples, writing) for month in months]
    encode_seconds = time.process_time() - start
    start = time.process_time()
    back = [
        decode_days(block, month.key, month.days, reading)
        for block, month in zip(blocks, months, strict=True)
    ]
    decode_seconds = time.process_time() - start
    assert all(same_samples(one, month.samples) for one, month in zip(back, months, strict=True))
    for block, month in zip(blocks, months, strict=True):
        start = time.process_time()
        decode_days(block, month.key, month.days & -month.days, reading)
        day_seconds.append(time.process_time() - start)
    headers = [read_header(block, month.key) for block, month in zip(blocks, months, strict=True)]
    return {
        "block": per_sample(blocks, count),
        "block_headers": round(sum(header.header_bytes for header in headers) / count, 4),
        "blocks": len(blocks),
        "segments": sum(len(header.segments) for header in headers),
        "encode_per_s": round(count / encode_seconds),
        "encode_without_brotli_per_s": round(count / (encode_seconds - writing.seconds)),
        "decode_per_s": round(count / decode_seconds),
        "first_day_ms_p50": round(sorted(day_seconds)[len(day_seconds) // 2] * 1000, 3),
    }


def of_qualities(months: Sequence[Month]) -> Row:
    """Brotli's choices on the columns of segments: bytes of all, and milliseconds a segment."""
    writing = Timed()
    for month in months:
        encode_block(month.key, month.days, month.samples, writing)
    found: Row = {}
    for quality, bits in QUALITIES:
        start = time.process_time()
        size = sum(len(brotli.compress(data, quality=quality, lgwin=bits)) for data in writing.columns)
        seconds = time.process_time() - start
        found[f"q{quality} w{bits}"] = {
            "bytes": size,
            "ms_per_segment": round(seconds * 1000 / len(writing.columns), 3),
        }
    return found


def per_sample(pieces: Sequence[bytes], count: int) -> float:
    """Bytes a sample."""
    return round(sum(map(len, pieces)) / count, 4)


def json_of(samples: Samples) -> bytes:
    """A month as the answer writes it."""
    rows = list(zip(samples.times_ms, samples.values, strict=True))
    return json.dumps(rows, separators=(",", ":")).encode()


def delta_columns(samples: Samples) -> bytes:
    """Delta-of-delta times and the exclusive or of neighbouring floats, eight bytes each."""
    deltas = list(map(sub, samples.times_ms[1:], samples.times_ms))
    bits = array("Q", array("d", samples.values).tobytes())  # type: ignore[type-var]  # all floats here
    mixed = [one ^ other for one, other in zip(bits, [0, *bits[:-1]], strict=True)]
    return array("q", [samples.times_ms[0], *deltas]).tobytes() + array("Q", mixed).tobytes()


def zstd_compressor() -> Callable[[bytes], bytes] | None:
    """Zstandard level 19 of the standard library (3.14) or of the package, if either is here."""
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd  # noqa: PLC0415 - there is none before 3.14

            return lambda data: bytes(zstd.compress(data, 19))
        import zstandard  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - optional
    except ImportError:
        return None
    return lambda data: bytes(zstandard.ZstdCompressor(level=19).compress(data))


def of_parquet(months: Sequence[Month], count: int) -> Row:
    """A whole set in one Parquet file, if pyarrow is here."""
    try:
        import pyarrow as pa  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - optional
        from pyarrow import parquet  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    except ImportError:
        return {}
    points = [month.key.point for month in months for _ in range(len(month.samples))]
    columns = {
        "point": pa.array(points).dictionary_encode(),
        "time": pa.array(
            [at for month in months for at in month.samples.times_ms], pa.timestamp("ms", "UTC")
        ),
        "value": pa.array([value for month in months for value in month.samples.values], pa.float64()),
    }
    whole = pa.table(columns)

    def size(**options: Any) -> float:
        sink = io.BytesIO()
        parquet.write_table(whole, sink, compression="zstd", **options)
        return round(len(sink.getvalue()) / count, 4)

    tuned = [
        {"use_dictionary": ["point"], "column_encoding": {"time": "DELTA_BINARY_PACKED", "value": encoding}}
        for encoding in ("PLAIN", "BYTE_STREAM_SPLIT")
    ]
    tuned.append({"use_dictionary": ["point", "value"], "column_encoding": {"time": "DELTA_BINARY_PACKED"}})
    return {
        "parquet_default": size(),
        "parquet_tuned": min(size(compression_level=19, **options) for options in tuned),
    }


COLUMNS: Final[Mapping[str, str]] = {
    "set": "set",
    "samples": "samples",
    "json": "JSON",
    "json_gzip6": "gzip 6",
    "json_brotli5": "brotli 5",
    "delta_zstd19": "delta+zstd",
    "parquet_default": "Parquet",
    "parquet_tuned": "tuned",
    "parquet_tuned_gathered": "tuned (*)",
    "block": "block",
    "block_headers": "of it headers",
    "segments": "segments",
    "encode_per_s": "encode/s",
    "encode_without_brotli_per_s": "w/o brotli",
    "decode_per_s": "decode/s",
    "first_day_ms_p50": "a day, ms",
}


def table(rows: Sequence[Row]) -> str:
    """The rows as text, bytes a sample unless the head says otherwise."""
    names = [name for name in COLUMNS if any(name in row for row in rows)]
    cells = [[COLUMNS[name] for name in names]]
    cells += [[_cell(row.get(name, "-")) for name in names] for row in rows]
    widths = [max(len(line[place]) for line in cells) for place in range(len(names))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def what_is_missing() -> Iterator[str]:
    """Which baselines could not be measured here, and what the star means."""
    if zstd_compressor() is None:
        yield "delta+zstd: not measured; it needs Python 3.14 or the package zstandard"
    if not of_parquet([], 1):
        yield "Parquet: not measured; it needs the package pyarrow"
    yield "(*) a set in one Parquet file, tuned as above, measured when the data were gathered"


if __name__ == "__main__":
    main()
