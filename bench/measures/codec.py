"""Block format on CPython: bytes a sample and speed, against the other ways to store the same."""

import time
from collections.abc import Sequence
from statistics import median
from typing import Final

from bench.baselines import Baseline, baselines
from bench.finding import Figure, Finding, Measurement, Report, Setting
from bench.telemetry import Month, TelemetrySet, read_set, year_key, years_of
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block import same_samples
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.codecs import Codec
from edgeseries.blocks.year_block import decode_year_days
from edgeseries.series.days import days_in_year, in_year

BUILDING_SETS: Final = frozenset({"openfdd_bms", "openfdd_messy", "b4b_windesheim"})
"""Telemetry of building management; the OpenGrid sets are utility meters with full 64-bit floats."""

VICTORIA_METRICS: Final = {
    "b4b_windesheim": 0.245,
    "openfdd_bms": 0.175,
    "openfdd_messy": 1.302,
    "opengrid_hourly": 5.208,
    "opengrid_minute": 1.728,
}
"""Bytes a sample of its data folder with the whole set in it, merged by force (2026-11). It drops digits
beyond twelve; we do not."""

QUICK_POINTS: Final = 2
DAY_READS: Final = 40
"""Reads of one day, spread over the months: a median of so many is steady."""

TUNED: Final = "Parquet tuned"


class Counting:
    """The host's compression that counts what it unpacks: a segment each."""

    def __init__(self) -> None:
        self.unpacked = 0
        self._inner = PackageCompression()

    def compress(self, data: bytes, *, quality: int) -> bytes:
        """See the port."""
        return self._inner.compress(data, quality=quality)

    def decompress(self, codec: Codec, data: bytes, *, size: int) -> bytes:
        """See the port."""
        self.unpacked += 1
        return self._inner.decompress(codec, data, size=size)


def _run(setting: Setting) -> Report:
    findings: list[Finding] = []
    figures: list[Figure] = []
    formats = baselines()
    for name, folder in setting.sets.items():
        telemetry = read_set(folder, points_max=QUICK_POINTS if setting.quick else None)
        if not telemetry.sample_count:
            continue
        setting.say(f"  {name}: {telemetry.sample_count:,} samples")
        block, rows, segments = _of_blocks(telemetry)
        others = [_of_baseline(one, telemetry) for one in formats]
        figures += [block, *others]
        findings += _findings(telemetry, block, others, segments=segments, stored_bytes=rows)
    return Report(findings=tuple(findings), figures=tuple(figures), method=METHOD)


def _findings(
    telemetry: TelemetrySet, block: Figure, others: Sequence[Figure], *, segments: int, stored_bytes: int
) -> list[Finding]:
    tuned = min(float(one["bytes_per_sample"]) for one in others if str(one["format"]).startswith(TUNED))
    per_sample = float(block["bytes_per_sample"])
    less_percent = 100 * (1 - stored_bytes / telemetry.upstream_bytes)
    upstream = telemetry.upstream_bytes / telemetry.sample_count
    text = f"{per_sample:.3f} bytes a sample; upstream {upstream:.1f}, tuned Parquet {tuned:.3f}"
    name = telemetry.name
    findings = [
        Finding(
            what=f"{name}: stored in tuned Parquet's bytes",
            measured=per_sample / tuned,
            unit="x",
            bound="below-parquet",
            note=text,
        ),
        Finding(
            what=f"{name}: segments decoded for one day, at most",
            measured=segments,
            unit="segments",
            bound="single-days",
            note=f"a day in {float(block['day_ms']):.2f} ms",
        ),
        Finding(
            what=f"{name}: less than the earlier services' JSON",
            measured=less_percent,
            unit="%",
            bound="earlier-size",
        ),
    ]
    peer = VICTORIA_METRICS.get(name)
    if peer is not None:
        findings.append(
            Finding(
                what=f"{name}: stored in VictoriaMetrics' bytes",
                measured=per_sample / peer,
                unit="x",
                note=f"{per_sample:.3f} bytes a sample; there {peer}",
            )
        )
    if name in BUILDING_SETS:
        findings.append(
            Finding(
                what=f"{name}: less than the upstream's JSON",
                measured=less_percent,
                unit="%",
                bound="less-than-upstream",
            )
        )
    return findings


def _of_blocks(telemetry: TelemetrySet) -> tuple[Figure, int, int]:
    """Figures of the block format, bytes stored, and the most segments that any single day took."""
    months, compression = telemetry.months, PackageCompression()
    started = time.process_time()
    codec = PythonBlockCodec(compressor=compression)
    blocks = {block.header.key: block for block in years_of(months, codec)}
    encode_s = time.process_time() - started
    started = time.process_time()
    back = [
        decode_year_days(
            blocks[year_key(month)].data, year_key(month), in_year(month.key.month, month.days), codec
        )
        for month in months
    ]
    decode_s = time.process_time() - started
    for one, month in zip(back, months, strict=True):
        if not same_samples(one, month.samples):
            raise AssertionError(f"{month.key} did not come back as it went in")
    counting, most, seconds = Counting(), 0, []
    counted = PythonBlockCodec(compressor=counting)
    for place in _places(months):
        month = months[place]
        wanted = in_year(month.key.month, month.days & -month.days)
        before, started = counting.unpacked, time.process_time()
        decode_year_days(blocks[year_key(month)].data, year_key(month), wanted, counted)
        seconds.append(time.process_time() - started)
        most = max(most, counting.unpacked - before)
    for block in blocks.values():
        for day in days_in_year(block.header.key.year, block.header.days):
            most = max(most, sum(one.first_day <= day <= one.last_day for one in block.header.segments))
    stored_bytes = sum(len(block.data) for block in blocks.values())
    figure = _figure(
        telemetry, "block", size_bytes=stored_bytes, encode_s=encode_s, decode_s=decode_s, day_s=seconds
    )
    return figure, stored_bytes, most


def _of_baseline(one: Baseline, telemetry: TelemetrySet) -> Figure:
    started = time.process_time()
    pieces = one.pack(telemetry.months)
    encode_s = time.process_time() - started
    started = time.process_time()
    count = sum(map(one.unpack, pieces))
    decode_s = time.process_time() - started
    if count != telemetry.sample_count:
        raise AssertionError(f"{one.name} lost samples of {telemetry.name}")
    seconds = []
    for place in _places(telemetry.months):
        started = time.process_time()
        one.read_day(pieces, place, telemetry.months[place])
        seconds.append(time.process_time() - started)
    size_bytes = sum(map(len, pieces))
    return _figure(
        telemetry, one.name, size_bytes=size_bytes, encode_s=encode_s, decode_s=decode_s, day_s=seconds
    )


def _places(months: Sequence[Month]) -> list[int]:
    step = max(1, len(months) // DAY_READS)
    return list(range(0, len(months), step))


def _figure(
    telemetry: TelemetrySet,
    name: str,
    *,
    size_bytes: int,
    encode_s: float,
    decode_s: float,
    day_s: list[float],
) -> Figure:
    count = telemetry.sample_count
    return {
        "set": telemetry.name,
        "format": name,
        "bytes_per_sample": round(size_bytes / count, 4),
        "encode_samples_per_s": round(count / max(encode_s, 1e-9)),
        "decode_samples_per_s": round(count / max(decode_s, 1e-9)),
        "day_ms": round(median(day_s) * 1000, 3),
    }


METHOD: Final = (
    "Every point of every set becomes one block a year, put together month by month, as jobs store them; "
    "sizes are of whole blocks, header, names and summaries included, and encoding includes the proof that "
    "what is written reads back; months are decoded one by one. The "
    "upstream's bytes are the vendor's rows (name, value, time) as compact JSON, without the blanks "
    "that its server writes, uncompressed; the reduction claimed for the earlier services is held "
    "against the same. JSON and delta columns get whole months of a point in one piece; Parquet (zstd) "
    "gets a whole set in one file: pyarrow's defaults, and zstd 19 with delta-coded time and the best "
    "of three value encodings. Speeds are samples per CPU second of one thread on CPython; day_ms is "
    "the median CPU time to read the first day of a month (from a whole piece where single days cannot "
    "be read). pyarrow and zstandard are native code. Every block is decoded and compared bit for bit."
)

CODEC: Final = Measurement(
    name="codec",
    bounds=frozenset({"below-parquet", "single-days", "less-than-upstream", "earlier-size"}),
    run=_run,
)
