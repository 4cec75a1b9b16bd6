"""Other ways to store the same telemetry, each with its way back, so that speed is compared, too.

JSON and the delta columns get whole months of a point in one piece, which is to their advantage: a
day of them cannot be read alone. Parquet gets a whole set in one file.
"""

import gzip
import io
import json
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from operator import sub, xor
from typing import Any, Final

import brotli

from bench.telemetry import Month
from edgeseries.series.samples import Samples

JSON_GZIP_LEVEL: Final = 6
JSON_BROTLI_QUALITY: Final = 5
ZSTD_LEVEL: Final = 19
FLOAT_ENCODINGS: Final = ("PLAIN", "BYTE_STREAM_SPLIT")

Pieces = Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A format: months to pieces, a piece back to its sample count, and the first day of a month alone."""

    name: str
    pack: Callable[[Sequence[Month]], Pieces]
    unpack: Callable[[bytes], int]
    read_day: Callable[[Pieces, int, Month], int]


def _of_months(name: str, pack: Callable[[Samples], bytes], unpack: Callable[[bytes], Samples]) -> Baseline:
    """A format with a piece for every month: its first day costs the whole piece."""
    return Baseline(
        name=name,
        pack=lambda months: [pack(month.samples) for month in months],
        unpack=lambda piece: len(unpack(piece)),
        read_day=lambda pieces, place, _: len(unpack(pieces[place])),
    )


def _json_of(samples: Samples) -> bytes:
    rows = list(zip(samples.times_ms, samples.values, strict=True))
    return json.dumps(rows, separators=(",", ":")).encode()


def _json_back(data: bytes) -> Samples:
    times_ms, values = zip(*json.loads(data), strict=True)
    return Samples(times_ms=array("q", times_ms), values=values)


def _delta_columns(samples: Samples) -> bytes:
    """Differences of instants and the exclusive or of neighbouring floats, eight bytes each."""
    deltas = list(map(sub, samples.times_ms[1:], samples.times_ms))
    bits = array("Q", array("d", samples.values).tobytes())  # type: ignore[type-var]  # all floats here
    mixed = map(xor, bits, chain([0], bits[:-1]))
    return array("q", [samples.times_ms[0], *deltas]).tobytes() + array("Q", mixed).tobytes()


def _delta_back(data: bytes) -> Samples:
    half = len(data) // 2
    times_ms = array("q", accumulate(array("q", data[:half])))
    bits = array("Q", accumulate(array("Q", data[half:]), xor))
    return Samples(times_ms=times_ms, values=tuple(array("d", bits.tobytes())))


def baselines() -> list[Baseline]:
    """Every format, sizes and speed. `make bench` installs what they need."""
    import zstandard  # noqa: PLC0415 - of the extra `bench`, which tests do not install

    zstd, unzstd = zstandard.ZstdCompressor(level=ZSTD_LEVEL), zstandard.ZstdDecompressor()
    return [
        _of_months(
            "JSON+gzip",
            lambda samples: gzip.compress(_json_of(samples), JSON_GZIP_LEVEL),
            lambda data: _json_back(gzip.decompress(data)),
        ),
        _of_months(
            "JSON+brotli",
            lambda samples: brotli.compress(_json_of(samples), quality=JSON_BROTLI_QUALITY),
            lambda data: _json_back(brotli.decompress(data)),
        ),
        _of_months(
            "delta+zstd",
            lambda samples: zstd.compress(_delta_columns(samples)),
            lambda data: _delta_back(unzstd.decompress(data)),
        ),
        _parquet("Parquet+zstd"),
        *(
            _parquet(f"Parquet tuned, {encoding}", compression_level=ZSTD_LEVEL, **options)
            for encoding, options in _tuned().items()
        ),
    ]


def _tuned() -> dict[str, dict[str, Any]]:
    time = {"time": "DELTA_BINARY_PACKED"}
    plain = {
        encoding: {"use_dictionary": ["point"], "column_encoding": {**time, "value": encoding}}
        for encoding in FLOAT_ENCODINGS
    }
    return {**plain, "dictionary": {"use_dictionary": ["point", "value"], "column_encoding": time}}


def _parquet(name: str, **options: Any) -> Baseline:
    import pyarrow as pa  # noqa: PLC0415 - loaded for this measurement alone
    from pyarrow import parquet  # noqa: PLC0415 - likewise

    def pack(months: Sequence[Month]) -> Pieces:
        points = [month.key.point for month in months for _ in range(len(month.samples))]
        times = array("q", chain.from_iterable(month.samples.times_ms for month in months))
        values = [value for month in months for value in month.samples.values]
        columns = {
            "point": pa.array(points).dictionary_encode(),
            "time": pa.array(times, pa.timestamp("ms", "UTC")),
            "value": pa.array(values, pa.float64()),
        }
        sink = io.BytesIO()
        parquet.write_table(pa.table(columns), sink, compression="zstd", **options)
        return [sink.getvalue()]

    def unpack(piece: bytes) -> int:
        return int(parquet.read_table(io.BytesIO(piece)).num_rows)

    def read_day(pieces: Pieces, _: int, month: Month) -> int:
        first = month.samples.times_ms[0]
        wanted = [
            ("point", "=", month.key.point),
            ("time", ">=", pa.scalar(first - first % DAY_MS, pa.timestamp("ms", "UTC"))),
            ("time", "<", pa.scalar(first - first % DAY_MS + DAY_MS, pa.timestamp("ms", "UTC"))),
        ]
        return int(parquet.read_table(io.BytesIO(pieces[0]), filters=wanted).num_rows)

    return Baseline(name=name, pack=pack, unpack=unpack, read_day=read_day)


DAY_MS: Final = 86_400_000
