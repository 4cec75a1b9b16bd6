"""Series as tables: pandas, polars, Arrow. Libraries are loaded when they are asked for.

A wide table has a row an instant and a column a series; a long one has a row a sample. Columns of numbers are
float64, of booleans boolean, of texts text. A point whose samples are of several kinds is a column of objects
in pandas; Arrow and polars have none, so there its wide column is refused. Their long table has the columns
of the server's own Arrow: `value` for numbers, `text`, `boolean`, and `integer` for what no float64 equals.
"""

import importlib
from collections.abc import Sequence
from typing import Any, Final, Literal

from edgeseries_client.errors import MissingLibrary, MixedValues
from edgeseries_client.question import zone_of
from edgeseries_client.series import Result, Series

Shape = Literal["wide", "long"]
Kind = Literal["number", "bool", "text", "mixed"]

EXACT_BELOW: Final = 2**53
"""Integers from here on are not all float64s."""

PANDAS: Final = {"number": "float64", "bool": "boolean", "text": "str", "mixed": "object"}
LONG: Final = ("value", "text", "boolean", "integer")


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


def kind_of(values: Sequence[Any]) -> Kind:
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


def to_pandas(result: Result, *, shape: Shape, tz: str | None) -> Any:
    """A DataFrame. Wide: index `time` in `tz` (UTC), a column a series. Long: `time`, `point`, `aggregate`
    where there are several, `value`.
    """
    pd = library("pandas", "pandas")
    numpy = importlib.import_module("numpy")

    def times(series: Series) -> Any:
        instants = numpy.asarray(series.times_ms, dtype="int64").astype("datetime64[ms]")
        return pd.DatetimeIndex(instants, tz="UTC").tz_convert(zone_of(tz))

    if shape == "wide":
        made = {
            name: pd.Series(one.values, index=times(one), dtype=PANDAS[kind_of(one.values)])
            for name, one in result.series.items()
        }
        empty = pd.DataFrame(index=pd.DatetimeIndex([], tz=zone_of(tz)))
        frame = pd.concat(made, axis=1, sort=True) if made else empty
        frame.index.name = "time"
        return frame
    kept = [one for one in result.series.values() if len(one)]
    kinds = {kind_of(one.values) for one in kept}
    value = PANDAS[kinds.pop() if len(kinds) == 1 else "mixed"] if kinds else "float64"
    named = ("point", "aggregate") if result.aggregates else ("point",)
    frames = [
        pd.DataFrame(
            {"time": times(one)}
            | {name: getattr(one, name) for name in named}
            | {"value": pd.Series(one.values, dtype=value).array}
        )
        for one in kept
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["time", *named, "value"])


def to_arrow(result: Result, *, shape: Shape, tz: str | None) -> Any:
    """An Arrow table, instants in ms and in `tz`. Raises MixedValues where a wide column would be of several
    kinds.
    """
    pa = library("pyarrow", "arrow")
    instants = pa.timestamp("ms", tz or "UTC")
    times = {name: pa.array(one.times_ms, pa.int64()) for name, one in result.series.items()}
    if shape == "long":
        return _long_arrow(pa, result, times, instants)
    pc = importlib.import_module("pyarrow.compute")
    types = {"number": pa.float64(), "bool": pa.bool_(), "text": pa.string()}
    union = pc.unique(pa.chunked_array(list(times.values()), pa.int64()))
    union = union.take(pc.array_sort_indices(union))
    columns = {"time": union.cast(instants)}
    for name, one in result.series.items():
        places = pc.index_in(union, value_set=times[name])
        # The server sends no NaN: what is one in an array of NumPy is null.
        columns[name] = pa.array(one.values, types[_one_kind(one)], from_pandas=True).take(places)
    return pa.table(columns)


def to_polars(result: Result, *, shape: Shape, tz: str | None) -> Any:
    """A polars DataFrame, of the columns that `to_arrow` has. Raises MixedValues."""
    pl = library("polars", "polars")
    instants = pl.Datetime("ms", tz or "UTC")
    types = {"number": pl.Float64, "bool": pl.Boolean, "text": pl.String}

    def times(series: Series) -> Any:
        read = pl.Series("time", series.times_ms, dtype=pl.Int64).cast(pl.Datetime("ms"))
        return read.dt.replace_time_zone("UTC")

    def column(name: str, values: Sequence[Any], kind: str) -> Any:
        return pl.Series(name, values, dtype=types[kind], nan_to_null=True)

    if shape == "long":
        named = ("point", "aggregate") if result.aggregates else ("point",)
        kinds = ("number", "text", "bool", "text")
        frames = [
            pl.DataFrame(
                [times(one)]
                + [pl.Series(name, [getattr(one, name)] * len(one), dtype=pl.Categorical) for name in named]
                + [column(*part) for part in zip(LONG, split(one.values), kinds, strict=True)]
            )
            for one in result.series.values()
        ]
        return pl.concat(frames).with_columns(pl.col("time").cast(instants))
    frames = [
        pl.DataFrame([times(one), column(name, one.values, _one_kind(one))])
        for name, one in result.series.items()
    ]
    union = pl.concat([frame.select("time") for frame in frames]).unique().sort("time")
    for frame in frames:
        union = union.join(frame, on="time", how="left", maintain_order="left")
    return union.with_columns(pl.col("time").cast(instants))


def split(values: Sequence[Any]) -> tuple[Sequence[Any], ...]:
    """Values as the columns of `LONG`, each with null where another one has the value."""
    nothing = [None] * len(values)
    if getattr(values, "dtype", None) == "float64":
        return values, nothing, nothing, nothing
    columns: tuple[list[Any], ...] = ([], [], [], [])
    for value in values:
        place = 0
        if isinstance(value, str):
            place = 1
        elif isinstance(value, bool):
            place = 2
        elif isinstance(value, int) and abs(value) > EXACT_BELOW:
            place, value = 3, str(value)  # noqa: PLW2901 - as its digits
        for at, column in enumerate(columns):
            column.append(value if at == place else None)
    return columns


def _long_arrow(pa: Any, result: Result, times: Any, instants: Any) -> Any:
    word = pa.dictionary(pa.int32(), pa.string())
    types = (pa.float64(), pa.string(), pa.bool_(), pa.string())
    named = ("point", "aggregate") if result.aggregates else ("point",)
    fields = [("time", instants), *((name, word) for name in named), *zip(LONG, types, strict=True)]
    tables = []
    for name, one in result.series.items():
        same = pa.array([0] * len(one), pa.int32())
        words = [pa.DictionaryArray.from_arrays(same, [getattr(one, name)]) for name in named]
        values = [
            pa.array(part, kind, from_pandas=True)
            for part, kind in zip(split(one.values), types, strict=True)
        ]
        tables.append(
            pa.Table.from_arrays([times[name].cast(instants), *words, *values], schema=pa.schema(fields))
        )
    return pa.concat_tables(tables).unify_dictionaries() if tables else pa.schema(fields).empty_table()


def _one_kind(series: Series) -> Kind:
    kind = kind_of(series.values)
    if kind == "mixed":
        raise MixedValues(
            f"{series.point} holds values of several kinds, which no column of Arrow or polars can: ask for "
            f'shape="long", which has a column for each kind, or for as_="pandas"'
        )
    return kind
