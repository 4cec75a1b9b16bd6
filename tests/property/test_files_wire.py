"""Files of archives: what is read of any bytes, and where files lie."""

import asyncio
import csv
import gzip
import io
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.errors import EdgeError, OriginContract, OriginGarbled
from edgeseries.limits import DAY_MS
from edgeseries.origins.adapters.arrow_parquet import ArrowParquetReader, check_footer
from edgeseries.origins.files import csv_file, parquet_file
from edgeseries.origins.files.csv_file import ColumnNames
from edgeseries.origins.files.layout import Layout, name_part
from edgeseries.origins.files.limits import MAX_PLAIN_BYTES
from edgeseries.origins.files.options import OPTIONS
from edgeseries.origins.files.store import BucketStore
from edgeseries.origins.ports.dialect import Turn
from edgeseries.origins.text_values import value_of
from edgeseries.series.timerange import TimeRange, parse_instant
from local.upstream.truth import Truth
from local.vendors.files import FilesShape
from tests import made_up
from tests.fake_stores import MemoryBucket

NAMES = ColumnNames(time="timestamp", value="value", point="point_name", time_unit="iso", zone="Z")
READER = ArrowParquetReader()
DAYS = st.integers(0, 40_000)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for read in (
        csv_file.unzipped,
        lambda one: csv_file.rows_in(one, NAMES),
        lambda one: csv_file.rows_in(one, NAMES, zipped=True),
        check_footer,
    ):
        with suppress(EdgeError):
            read(content)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(EdgeError):
        csv_file.rows_in(f"timestamp,value\n{text}\n".encode("utf-8", "replace"), NAMES)


ROWS = st.lists(st.tuples(st.integers(0, 4_000_000_000), st.floats(allow_nan=False, allow_infinity=False)))


@given(ROWS, st.sampled_from(["s", "ms", "us", "ns"]))
def test_numbers_since_1970_are_read_in_their_unit(rows: list[tuple[int, float]], unit: str) -> None:
    per_s = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[unit]
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["timestamp", "value"], *([s * per_s, repr(value)] for s, value in rows)])
    names = ColumnNames(time="timestamp", value="value", point="p", time_unit=unit, zone="Z")
    found = csv_file.rows_in(out.getvalue().encode(), names)
    assert list(found.times_ms) == [s * 1_000 for s, _ in rows]
    assert list(found.values) == [value for _, value in rows]


CELLS = st.one_of(
    st.sampled_from(
        ["1", "-0.5", "", "true", "None", "on", "1e400", "9007199254740993", "a,b", 'say "so"', "x\r\ny"]
    ),
    st.text(st.characters(codec="utf-8"), max_size=5),
)


@given(
    st.lists(st.tuples(st.integers(0, 4_000_000_000), CELLS, st.sampled_from(["a", "b"])), max_size=12),
    st.integers(1, 5),
)
def test_a_file_is_the_same_in_any_stretches_and_unpacked_on_the_way(
    rows: list[tuple[int, str, str]], at_once: int
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["timestamp", "value", "point_name"], *rows])
    content = out.getvalue().encode()
    names = replace(NAMES, time_unit="s")
    for found in (
        csv_file.rows_in(content, names, rows=at_once),
        csv_file.rows_in(gzip.compress(content), names, zipped=True, rows=at_once),
    ):
        assert list(found.times_ms) == [at_s * 1_000 for at_s, _, _ in rows]
        assert list(found.values) == [value_of(text) for _, text, _ in rows]
        assert found.points == [point for _, _, point in rows]


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2024-03-01T12:00:00", "Z", "2024-03-01T12:00:00Z"),
        ("2024-03-01T12:00:00", "+05:30", "2024-03-01T06:30:00Z"),
        ("2024-03-01 12:00:00", "-03:00", "2024-03-01T15:00:00Z"),
        ("2024-03-01T12:00:00+01:00", "-03:00", "2024-03-01T11:00:00Z"),
        ("2024-03-01T12:00:00.1234567Z", "-03:00", "2024-03-01T12:00:00.123Z"),
    ],
)
def test_a_time_without_a_zone_is_of_the_records(text: str, zone: str, instant: str) -> None:
    names = ColumnNames(time="timestamp", value="value", point="p", time_unit="iso", zone=zone)
    assert csv_file.instants([text], names) == [parse_instant(instant)]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"timestamp,value\n2024-01-01T00:00:00Z,1", OriginGarbled),
        (b"", OriginGarbled),
        (b"time,value\n", OriginContract),
        (b"timestamp,value\n2024-01-01T00:00:00Z\n", OriginContract),
        (b"timestamp,value\nyesterday,1\n", OriginContract),
        (b"\xff\xfe\n", OriginContract),
        (b'timestamp,value\n"2024\n', OriginContract),
    ],
)
def test_a_file_that_is_none_is_refused(content: bytes, error: type[EdgeError]) -> None:
    with pytest.raises(error):
        csv_file.rows_in(content, NAMES)


def test_gzip_is_bounded_and_whole() -> None:
    assert csv_file.unzipped(gzip.compress(b"abc")) == b"abc"
    with pytest.raises(OriginGarbled):
        csv_file.unzipped(gzip.compress(b"abc" * 1_000)[:-9])
    with pytest.raises(OriginContract, match="cut it by time"):
        csv_file.unzipped(gzip.compress(bytes(MAX_PLAIN_BYTES + 1)))
    with pytest.raises(OriginContract, match="no gzip"):
        csv_file.unzipped(b"abc")


@pytest.mark.parametrize(
    ("content", "error", "text"),
    [
        (gzip.compress(b"timestamp,value\n" * 1_000, mtime=0)[:-9], OriginGarbled, "in the middle; try"),
        (
            gzip.compress(b"timestamp,value\n2024-01-01T00:00:00Z,1", mtime=0),
            OriginGarbled,
            "middle of a row",
        ),
        (
            gzip.compress(b"timestamp,value\n" + b"\n" * MAX_PLAIN_BYTES, mtime=0),
            OriginContract,
            "cut it by time",
        ),
        (b"timestamp,value\n", OriginContract, "no gzip"),
        (gzip.compress(b"\xff\xfe\n", mtime=0), OriginContract, "no UTF-8"),
        (gzip.compress(b"", mtime=0), OriginGarbled, "middle of a row"),
    ],
)
def test_what_is_unpacked_on_the_way_is_bounded_and_whole(
    content: bytes, error: type[EdgeError], text: str
) -> None:
    with pytest.raises(error, match=text):
        csv_file.rows_in(content, NAMES, zipped=True)


@given(DAYS, st.integers(1, 60))
def test_files_hold_every_day_of_a_range_once(first: int, count: int) -> None:
    span = TimeRange(start_ms=first * DAY_MS + 1, end_ms=(first + count) * DAY_MS)
    assert len(Layout("{site}/{year}/{month}/{day}.csv").files("s", "p", span)) == count
    months = Layout("{site}/{point}/{year}-{month}.csv").files("s", "p", span)
    assert len(set(months)) == len(months) <= count // 28 + 2
    assert Layout("{site}/{point}.csv").files("s", "p", span) == ["s/p.csv"]


def test_too_many_files_are_not_read() -> None:
    span = TimeRange(start_ms=0, end_ms=500 * DAY_MS)
    with pytest.raises(OriginContract, match="500 files"):
        Layout("{site}/{year}-{month}-{day}.csv").files("s", "p", span)


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_no_name_leads_out_of_its_folder(name: str) -> None:
    part = name_part(name)
    assert "/" not in part
    assert part not in {".", ".."}
    assert unquote(part) == name


@pytest.mark.parametrize(
    "layout", ["{point}.csv", "/{site}.csv", "{site}/{hour}.csv", "{site}.txt", "{site}", "{site}{.csv"]
)
def test_a_layout_that_is_none_is_refused(layout: str) -> None:
    assert OPTIONS[0].fault(layout) is not None
    assert OPTIONS[0].fault("a/{site}/{point}/{year}-{month}.csv.gz") is None


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    truth = Truth(made_up.write_made_up(Path(tmp_path_factory.mktemp("data")) / "telemetry"))
    files = dict(FilesShape(truth, layout="{site}/{point}.parquet").files())
    return next(content for path, (content, _) in files.items() if path.endswith("made_up_1.parquet"))


def test_parquet_that_is_damaged_anywhere_is_read_or_refused(parquet: bytes) -> None:
    assert len(parquet_file.rows_in(parquet, NAMES, READER).times_ms) > 20
    for place in range(0, len(parquet), 7):
        damaged = bytearray(parquet)
        damaged[place] ^= 0x55
        with suppress(EdgeError):
            parquet_file.rows_in(bytes(damaged), NAMES, READER)


@pytest.mark.parametrize("end", [0, 3, 4, 11, 12, -1, -8, -20])
def test_parquet_that_was_cut_short_is_seen_to_be(parquet: bytes, end: int) -> None:
    with pytest.raises((OriginGarbled, OriginContract)):
        parquet_file.rows_in(parquet[:end], NAMES, READER)


def test_an_archive_in_the_bucket_is_read_below_its_prefix_and_bounded() -> None:
    bucket = MemoryBucket()

    async def use() -> None:
        await bucket.put("archive/a/index.csv", b"site,point\n", {})
        await bucket.put("archive/a/index.csv.old", b"x", {})
        store = BucketStore(bucket=bucket, prefix="archive/a/", max_bytes=11)
        turn = Turn(deadline_ms=0)
        assert await store.read("index.csv", turn) == b"site,point\n"
        assert await store.read("index", turn) is None
        await bucket.put("archive/a/large.csv", bytes(12), {})
        with pytest.raises(OriginContract, match="cut it by year"):
            await store.read("large.csv", turn)

    asyncio.run(use())
