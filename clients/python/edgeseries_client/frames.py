"""Series as tables: pandas, polars, Arrow. Libraries are loaded when they are asked for.

A wide table has a row an instant and a column a point; a long one has a row a sample. Columns of numbers are
float64, of booleans boolean, of texts text. A point whose samples are of several kinds is a column of objects
in pandas; Arrow and polars have none, so there its wide column is refused, and the long table has `value` for
numbers and `text` for all else (`true` and `false` as these words).
"""

import importlib
from collections.abc import Sequence
from typing import Any, Final, Literal

from edgeseries_client.errors import MissingLibrary, MixedValues
from edgeseries_client.question import zone_of
from edgeseries_client.series import VALUE, Result, Series

Shape = Literal["wide", "long"]
Library = Literal["pandas", "polars", "arrow"]

TEXT: Final = "text"
EXACT_BELOW: Final = 2**53
"""Integers from here on are not all float64s."""


def library(name: str, extra: str) -> Any:
    """A package that is optional. Raises MissingLibrary with what to type."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingLibrary(
            f'this needs {name}: pip install "edgeseries-client[{extra}]"; as_="dict" needs nothing'
        ) from error


def table(result: Result, *, as_: str, shape: Shape, tz: str | None) -> Any:
    """A result as a table of the library that `as_` names. Raises MissingLibrary, MixedValues, ValueError."""
    if shape not in ("wide", "long"):
        raise ValueError(f'shape is "wide" or "long", not {shape!r}')
    made = {"pandas": to_pandas, "polars": to_polars, "arrow": to_arrow}.get(as_)
    if made is None:
        raise ValueError(f'as_ is "pandas", "polars", "arrow" or "dict", not {as_!r}')
    return made(result, shape=shape, tz=tz)


def kind_of(values: Sequence[Any]) -> Literal["number", "bool", "text", "mixed"]:
    """Of what kind a column is; nulls are of every kind, and a column of them is one of numbers."""
    if getattr(values, "dtype", None) == "float64":
        return "number"
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {bool}:
        return "bool"
    if kinds == {str}:
        return "text"
    if kinds <= {float, int}:
        large = int in kinds and any(type(one) is int and abs(one) > EXACT_BELOW for one in values)
        return "mixed" if large else "number"
    return "mixed"


def columns_of(result: Result) -> list[tuple[Series, str, Any]]:
    """Each column of each point: the point's series, the column's name, its values."""
    return [(one, name, values) for one in result.series.values() for name, values in one.columns.items()]


def to_pandas(result: Result, *, shape: Shape, tz: str | None) -> Any:
    """A DataFrame. Wide: index `time` in `tz` (UTC), a column a point, or (point, aggregate) where there are
    several. Long: columns `time`, `point`, and `value` or the aggregates.
    """
    pd = library("pandas", "pandas")
    kinds = {"number": "float64", "bool": "boolean", "text": "str", "mixed": "object"}

    def times(series: Series) -> Any:
        # Instants of NumPy, which pandas has with it; from a buffer nothing is copied.
        numpy = importlib.import_module("numpy")
        instants = numpy.asarray(series.times_ms, dtype="int64").astype("datetime64[ms]")
        return pd.DatetimeIndex(instants, tz="UTC").tz_convert(zone_of(tz))

    if shape == "wide":
        several = max((len(one.columns) for one in result.series.values()), default=1) > 1
        made = {
            (series.point, name) if several else series.point: pd.Series(
                values, index=times(series), dtype=kinds[kind_of(values)]
            )
            for series, name, values in columns_of(result)
        }
        frame = (
            pd.concat(made, axis=1, sort=True)
            if made
            else pd.DataFrame(index=pd.DatetimeIndex([], tz=zone_of(tz)))
        )
        frame.index.name = "time"
        return frame
    names = _names(result)
    kind = {name: _kind_of_all(result, name) for name in names}
    frames = [
        pd.DataFrame(
            {"time": times(one), "point": one.point}
            | {name: pd.Series(one.columns[name], dtype=kinds[kind[name]]).array for name in names}
        )
        for one in result.series.values()
        if len(one)
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["time", "point", *names])


def to_arrow(result: Result, *, shape: Shape, tz: str | None) -> Any:
    """An Arrow table. Long: `time` (ms, in `tz`), `point` (dictionary), then `value` and `text`, or the
    aggregates. Wide: `time`, then a column a point (`point.aggregate` where there are several). Raises
    MixedValues.
    """
    pa = library("pyarrow", "arrow")
    instants = pa.timestamp("ms", tz or "UTC")
    if shape == "long":
        return _long_arrow(pa, result, instants)
    pc = importlib.import_module("pyarrow.compute")
    types = {"number": pa.float64(), "bool": pa.bool_(), "text": pa.string()}
    times = {name: pa.array(one.times_ms, pa.int64()) for name, one in result.series.items()}
    union = pc.unique(pa.chunked_array(list(times.values()), pa.int64()))
    union = union.take(pc.array_sort_indices(union))
    columns = {"time": union.cast(instants)}
    for (series, _, values), heading in zip(columns_of(result), _headings(result), strict=True):
        kind = kind_of(values)
        if kind == "mixed":
            raise _mixed(series.point)
        places = pc.index_in(union, value_set=times[series.point])
        columns[heading] = pa.array(values, types[kind], from_pandas=False).take(places)
    return pa.table(columns)


def to_polars(result: Result, *, shape: Shape, tz: str | None) -> Any:
    """A polars DataFrame, of the columns that `to_arrow` has. Raises MixedValues."""
    pl = library("polars", "polars")
    instants = pl.Datetime("ms", tz or "UTC")
    types = {"number": pl.Float64, "bool": pl.Boolean, "text": pl.String}

    def times(series: Series) -> Any:
        return (
            pl.Series("time", series.times_ms, dtype=pl.Int64)
            .cast(pl.Datetime("ms"))
            .dt.replace_time_zone("UTC")
        )

    if shape == "long":
        names = _names(result)
        frames = []
        for one in result.series.values():
            named = {"time": times(one), "point": pl.Series([one.point] * len(one), dtype=pl.Categorical)}
            for name in names:
                numbers, texts = split(one.columns[name])
                named[name] = pl.Series(name, numbers, dtype=pl.Float64)
                if name == VALUE:
                    named[TEXT] = pl.Series(TEXT, texts, dtype=pl.String)
            frames.append(pl.DataFrame(named))
        return pl.concat(frames).with_columns(pl.col("time").cast(instants))
    frames = []
    for (series, _, values), heading in zip(columns_of(result), _headings(result), strict=True):
        kind = kind_of(values)
        if kind == "mixed":
            raise _mixed(series.point)
        frames.append(pl.DataFrame({"time": times(series), heading: pl.Series(values, dtype=types[kind])}))
    union = pl.concat([frame.select("time") for frame in frames]).unique().sort("time")
    for frame in frames:
        union = union.join(frame, on="time", how="left", maintain_order="left")
    return union.with_columns(pl.col("time").cast(instants))


def split(values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    """A column as two: numbers, and all that is none as text. Both have null where the other has a value."""
    if getattr(values, "dtype", None) == "float64":
        return values, [None] * len(values)
    texts = [_text(one) for one in values]
    return [None if text is not None else one for one, text in zip(values, texts, strict=True)], texts


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int) and abs(value) > EXACT_BELOW:
        return str(value)
    return None


def _long_arrow(pa: Any, result: Result, instants: Any) -> Any:
    names = _names(result)
    kept = [one for one in result.series.values() if len(one)]
    point = pa.dictionary(pa.int32(), pa.string())
    fields = [("time", instants), ("point", point)]
    for name in names:
        fields += [(name, pa.float64()), *([(TEXT, pa.string())] if name == VALUE else [])]
    tables = []
    for one in kept:
        columns = [pa.array(one.times_ms, pa.int64()).cast(instants)]
        columns.append(pa.DictionaryArray.from_arrays(pa.array([0] * len(one), pa.int32()), [one.point]))
        for name in names:
            numbers, texts = split(one.columns[name])
            columns.append(pa.array(numbers, pa.float64()))
            if name == VALUE:
                columns.append(pa.array(texts, pa.string()))
        tables.append(pa.Table.from_arrays(columns, schema=pa.schema(fields)))
    return pa.concat_tables(tables).unify_dictionaries() if tables else pa.schema(fields).empty_table()


def _names(result: Result) -> list[str]:
    """Names of columns that any point has, in order of appearance."""
    return list(dict.fromkeys(name for one in result.series.values() for name in one.columns)) or [VALUE]


def _kind_of_all(result: Result, name: str) -> str:
    kinds = {kind_of(one.columns[name]) for one in result.series.values() if len(one)}
    return kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "number"


def _headings(result: Result) -> list[str]:
    several = max((len(one.columns) for one in result.series.values()), default=1) > 1
    return [f"{one.point}.{name}" if several else one.point for one, name, _ in columns_of(result)]


def _mixed(point: str) -> MixedValues:
    return MixedValues(
        f"{point} holds values of several kinds, which no column of Arrow or polars can: ask for "
        'shape="long", which has them in "value" and "text", or for as_="pandas"'
    )
