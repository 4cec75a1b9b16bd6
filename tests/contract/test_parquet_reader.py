"""What a ParquetReader gives: columns by name as plain values, instants in milliseconds; and what an archive
makes of them.
"""

import asyncio
import io
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from edgeseries.errors import Defect, OriginContract, OriginGarbled
from edgeseries.limits import HOUR_MS
from edgeseries.origins.adapters.arrow_parquet import ArrowParquetReader
from edgeseries.origins.files.csv_file import ColumnNames
from edgeseries.origins.files.dialect import FilesDialect
from edgeseries.origins.files.layout import Layout
from edgeseries.origins.files.parquet_file import rows_in
from edgeseries.origins.files.store import BucketStore
from edgeseries.origins.ports.dialect import ListedPoint, Turn
from edgeseries.origins.ports.parquet_reader import ParquetColumn, ParquetReader
from edgeseries.series.points import Point
from edgeseries.series.timerange import TimeRange
from tests.fake_stores import MemoryBucket

T0_MS = 1_700_000_000_000
NAMES = ColumnNames(time="timestamp", value="value", point="point_name", time_unit="iso", zone="Z")


class GivenColumns:
    """A ParquetReader over columns instead of a file."""

    def __init__(self, **columns: ParquetColumn) -> None:
        self._columns = columns

    def columns(self, content: bytes, names: Sequence[str]) -> Mapping[str, ParquetColumn]:
        """See the port."""
        if not content:
            raise OriginGarbled("a file of the archive ends in the middle; try again")
        return {name: column for name, column in self._columns.items() if name in names}


def file_of(**columns: pa.Array) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


INSTANTS: Mapping[str, pa.Array] = {
    "s": pa.array([T0_MS // 1_000], pa.timestamp("s")),
    "ms, UTC": pa.array([T0_MS], pa.timestamp("ms", tz="UTC")),
    "us, a zone": pa.array([T0_MS * 1_000], pa.timestamp("us", tz="Europe/Berlin")),
    "ns": pa.array([T0_MS * 1_000_000], pa.timestamp("ns")),
}
CELLS: Mapping[str, tuple[pa.Array, list[Any]]] = {
    "floats": (pa.array([1.5, None, -0.0]), [1.5, None, -0.0]),
    "integers": (pa.array([1, 2**53 + 1], pa.int64()), [1, 2**53 + 1]),
    "booleans": (pa.array([True, False]), [True, False]),
    "texts": (pa.array(["on", ""]), ["on", ""]),
    "none": (pa.array([], pa.float64()), []),
}


@pytest.mark.parametrize("name", INSTANTS)
def test_instants_are_milliseconds_whatever_their_unit(name: str) -> None:
    found = ArrowParquetReader().columns(file_of(timestamp=INSTANTS[name]), ["timestamp"])
    assert ([*found], found["timestamp"].is_instants) == (["timestamp"], True)
    assert list(found["timestamp"].cells) == [T0_MS]


def test_batches_are_put_together_with_nulls_wherever_they_are() -> None:
    """arro3 gives 1,024 rows at a time."""
    numbers = [None if place in {0, 3_000} else place / 8 for place in range(4_000)]
    texts = ["on" if place % 3 else None for place in range(4_000)]
    times = [None if place == 2_000 else T0_MS + place for place in range(4_000)]
    content = file_of(
        late=pa.array([1.0, *numbers[1:]]),
        early=pa.array(numbers),
        texts=pa.array(texts),
        times=pa.array(times, pa.timestamp("ms")),
    )
    found = ArrowParquetReader().columns(content, ["late", "early", "texts", "times"])
    assert {name: list(one.cells) for name, one in found.items()} == {
        "late": [1.0, *numbers[1:]],
        "early": numbers,
        "texts": texts,
        "times": times,
    }


@pytest.mark.parametrize("name", CELLS)
def test_cells_are_plain_values(name: str) -> None:
    column, cells = CELLS[name]
    found = ArrowParquetReader().columns(file_of(value=column), ["value"])["value"]
    assert (list(found.cells), found.is_instants) == (cells, False)
    assert [type(one) for one in found.cells] == [type(one) for one in cells]


READERS: Mapping[str, ParquetReader] = {
    "arro3": ArrowParquetReader(),
    "given columns": GivenColumns(a=ParquetColumn(cells=[1]), b=ParquetColumn(cells=[2])),
}


@pytest.mark.parametrize("name", READERS)
def test_only_what_was_asked_for_and_is_there_is_given(name: str) -> None:
    content = file_of(a=pa.array([1]), b=pa.array([2]))
    assert READERS[name].columns(content, ["b", "c"]) == {"b": ParquetColumn(cells=[2])}


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_is_cut_short_is_refused(name: str) -> None:
    with pytest.raises((OriginGarbled, OriginContract)):
        READERS[name].columns(b"", ["b"])


INSTANT = ParquetColumn(cells=[T0_MS], is_instants=True)
NO_TIME = ParquetColumn(cells=[None])
ONE = ParquetColumn(cells=[1.0])
REFUSED: Mapping[str, tuple[GivenColumns, str]] = {
    "no times": (GivenColumns(value=ONE), "set timeColumn"),
    "no values": (GivenColumns(timestamp=INSTANT), "set timeColumn, valueColumn"),
    "a row without a time": (
        GivenColumns(timestamp=NO_TIME, value=ONE),
        "without a time",
    ),
    "times as numbers": (GivenColumns(timestamp=ParquetColumn(cells=[T0_MS]), value=ONE), "set timeUnit"),
    "values of another kind": (
        GivenColumns(timestamp=INSTANT, value=ParquetColumn(cells=[b"1"])),
        "no numbers, texts or booleans",
    ),
    "names that are no texts": (GivenColumns(timestamp=INSTANT, value=ONE, point_name=ONE), "are no texts"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_columns_that_are_no_samples_are_refused(name: str) -> None:
    reader, remedy = REFUSED[name]
    with pytest.raises(OriginContract, match=remedy):
        rows_in(b"any", NAMES, reader)


def test_a_worker_without_a_reader_says_so() -> None:
    """It can still look whether the archive is there: the index is CSV."""

    async def use() -> None:
        bucket = MemoryBucket()
        await bucket.put("a/index.csv", b"site,point\nhq,t\n", {})
        await bucket.put("a/hq/t.parquet", file_of(timestamp=INSTANTS["s"], value=pa.array([1.0])), {})
        dialect = FilesDialect(
            store=BucketStore(bucket=bucket, prefix="a/", max_bytes=1_000_000),
            layout=Layout("{site}/{point}.parquet"),
            index="index.csv",
            names=NAMES,
        )
        turn = Turn(deadline_ms=T0_MS)
        await dialect.ping(turn)
        asked = [ListedPoint(point=Point(name="t"), address="hq")]
        with pytest.raises(Defect, match="does not read Parquet"):
            await dialect.samples(asked, TimeRange(start_ms=T0_MS, end_ms=T0_MS + HOUR_MS), turn)

    asyncio.run(use())
