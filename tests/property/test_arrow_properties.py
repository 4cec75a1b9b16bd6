"""Arrow and Parquet on the host: whatever the samples and however they come, readers find each with its
type.
"""

import io
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from arro3.core import Table
from arro3.io import write_parquet
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseries.answers.arrow_format import END, ArrowWriter, messages_of
from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.formats import answer_body, writer_of
from edgeseries.answers.parquet_footer import ParquetJoin, read_struct, written_struct
from edgeseries.answers.pieces import CHUNK_SAMPLES, rendered
from edgeseries.answers.presentation import Presentation
from edgeseries.answers.result_format import ResultFormat, Shape
from edgeseries.limits import LATEST_MS
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.points import Point, PointSeries
from edgeseries.series.samples import Samples
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value
from tests.format_readers import (
    arrow_by_pandas,
    arrow_by_polars,
    arrow_by_pyarrow,
    parquet_by_polars,
    parquet_by_pyarrow,
)

SPAN = TimeRange(start_ms=0, end_ms=LATEST_MS)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(2**53, 2**70).filter(lambda number: int(float(number)) != number),
    st.booleans(),
    st.none(),
    TEXTS,
)
ROWS = st.dictionaries(st.integers(0, LATEST_MS - 1), VALUES, min_size=1, max_size=10)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
"""Names of points hold no control characters (`http/parameters.py`)."""

SERIES = st.dictionaries(NAMES, ROWS, min_size=1, max_size=4).map(
    lambda found: [
        PointSeries(
            point=point,
            samples=Samples(
                times_ms=sorted(found[point]), values=[found[point][at] for at in sorted(found[point])]
            ),
        )
        for point in sorted(found)
    ]
)


def asking(told: list[PointSeries]) -> TimeseriesQuery:
    return TimeseriesQuery(site="hq", points=tuple(one.point for one in told), span=SPAN)


def body_of(told: list[PointSeries], chosen: ResultFormat, shape: Shape = Shape.LONG) -> bytes:
    writer = writer_of(Presentation(format=chosen, shape=shape), asking(told))
    return answer_body(writer, told, PythonResultEncoder())


def as_read(told: list[PointSeries]) -> str:
    return repr(
        {
            one.point: [list(pair) for pair in zip(one.samples.times_ms, one.samples.values, strict=True)]
            for one in told
        }
    )


@settings(max_examples=60)
@given(SERIES)
def test_every_sample_is_read_with_its_type(told: list[PointSeries]) -> None:
    arrow, parquet = body_of(told, ResultFormat.ARROW), body_of(told, ResultFormat.PARQUET)
    for reader, body in (
        (arrow_by_pyarrow, arrow),
        (arrow_by_polars, arrow),
        (arrow_by_pandas, arrow),
        (parquet_by_pyarrow, parquet),
        (parquet_by_polars, parquet),
    ):
        assert repr(reader(body)) == as_read(told), reader.__name__


@settings(max_examples=60)
@given(SERIES)
def test_a_wide_table_has_a_column_for_each_type_of_a_series(told: list[PointSeries]) -> None:
    table = pa.ipc.open_stream(body_of(told, ResultFormat.ARROW, Shape.WIDE)).read_all()
    grid = sorted({at for one in told for at in one.samples.times_ms})
    assert table.column(0).cast(pa.int64()).to_pylist() == grid
    assert len(set(table.column_names)) == len(table.column_names)
    for one in told:
        held = dict(zip(one.samples.times_ms, one.samples.values, strict=True))
        own = [
            place
            for place, field in enumerate(table.schema)
            if (field.metadata or {}).get(b"point") == one.point.encode()
        ]
        assert own
        for row, at in enumerate(grid):
            cells = [cell for place in own if (cell := table.column(place)[row].as_py()) is not None]
            value = held.get(at)
            expected = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
            assert repr(cells) == repr([] if value is None else [expected])


def made(count: int, values: list[Value]) -> list[PointSeries]:
    """Points of one sample, of a batch exactly, of several."""
    sizes = (1, CHUNK_SAMPLES - 1, CHUNK_SAMPLES, count)
    return [
        PointSeries(
            point=f"p{place}",
            samples=Samples(times_ms=range(size), values=[values[at % len(values)] for at in range(size)]),
        )
        for place, size in enumerate(sizes)
    ]


@pytest.mark.parametrize("values", [[1.5, -0.0], ["on", "off", None], [1.0, "x", True, 2**60 + 1, None]])
def test_what_takes_many_batches_is_read_as_one(values: list[Value]) -> None:
    told = made(4 * CHUNK_SAMPLES + 7, values)
    arrow, parquet = body_of(told, ResultFormat.ARROW), body_of(told, ResultFormat.PARQUET)
    assert repr(arrow_by_pyarrow(arrow)) == as_read(told)
    assert repr(parquet_by_pyarrow(parquet)) == as_read(told)
    file = pq.ParquetFile(io.BytesIO(parquet))
    rows = [file.metadata.row_group(place).num_rows for place in range(file.num_row_groups)]
    assert rows == [4 * CHUNK_SAMPLES, 2 * CHUNK_SAMPLES + 7]
    assert sum(1 for _ in pa.ipc.open_stream(arrow)) == 7


def test_a_dictionary_is_sent_again_only_when_it_changes() -> None:
    told = made(CHUNK_SAMPLES, [1.5])
    body = body_of(told, ResultFormat.ARROW)
    sent = [header.name for header, _ in messages_of(body)]
    assert sent == ["SCHEMA", *["DICTIONARY"] * 3, *["BATCH"] * 3]
    texts = [*told, PointSeries(point="q", samples=Samples(times_ms=[0], values=["on"]))]
    again = [header.name for header, _ in messages_of(body_of(texts, ResultFormat.ARROW))]
    assert again == ["SCHEMA", *["DICTIONARY"] * 3, *["BATCH"] * 3, "DICTIONARY", "BATCH"]


def test_pieces_leave_when_a_batch_is_full() -> None:
    told = made(CHUNK_SAMPLES, [1.5])
    writer = ArrowWriter(asking(told), {})
    assert writer.head()
    sizes = [len(rendered(writer.part(one.name, one.samples), PythonResultEncoder())) for one in told]
    assert sizes[0] == 0
    assert all(size > 16 * CHUNK_SAMPLES for size in sizes[1:])
    assert rendered(writer.tail(), PythonResultEncoder()).endswith(END)


def test_no_samples_are_an_empty_table() -> None:
    told = [PointSeries(point="p", samples=Samples(times_ms=[], values=[]))]
    assert pa.ipc.open_stream(body_of(told, ResultFormat.ARROW)).read_all().num_rows == 0
    assert pq.read_table(io.BytesIO(body_of(told, ResultFormat.PARQUET))).num_rows == 0
    assert pa.ipc.open_stream(body_of(told, ResultFormat.ARROW, Shape.WIDE)).read_all().num_rows == 0


def test_what_the_upstream_says_of_points_stands_at_the_schema() -> None:
    told = made(1, [1.5])
    facts = {"p0": Point(name="p0", unit="°C", kind="analog"), "p1": Point(name="p1", unit="°C")}
    writer = writer_of(Presentation(format=ResultFormat.ARROW), asking(told[:2]), facts)
    schema = pa.ipc.open_stream(answer_body(writer, told[:2], PythonResultEncoder())).schema
    assert schema.field("value").metadata == {b"site": b"hq", b"unit": "°C".encode()}
    assert '"p0":{"unit":"\\u00b0C","kind":"analog"}' in schema.metadata[b"edgeseries"].decode()


@settings(max_examples=60)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=20), st.booleans())
def test_files_put_together_are_one_file_with_a_sound_footer(sizes: list[int], indexed: bool) -> None:  # noqa: FBT001
    join, joined, tables = ParquetJoin(), b"", []
    for place, size in enumerate(sizes):
        table = pa.table({"n": [*range(size)], "t": [f"{place} {at % 3}" for at in range(size)]})
        into = io.BytesIO()
        statistics = {"bloom_filter_enabled": indexed, "data_page_row_count_limit": 7, "write_batch_size": 5}
        write_parquet(Table.from_arrow(table), into, max_row_group_size=11, **statistics)  # type: ignore[arg-type]
        joined += join.add(into.getvalue())
        tables.append(table)
    joined += join.end()
    file = pq.ParquetFile(io.BytesIO(joined))
    assert file.read().equals(pa.concat_tables(tables))
    assert file.metadata.num_rows == sum(sizes)
    offsets = [
        file.metadata.row_group(place).column(0).data_page_offset for place in range(file.num_row_groups)
    ]
    assert all(before < after for before, after in pairwise(offsets))
    assert pq.read_table(io.BytesIO(joined), filters=[("n", "<", 1)]).num_rows == len(sizes)
    footer_size = int.from_bytes(joined[-8:-4], "little")
    footer = joined[-8 - footer_size : -8]
    assert written_struct(read_struct(footer, 0)[0]) == footer
