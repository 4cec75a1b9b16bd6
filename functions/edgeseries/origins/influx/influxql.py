"""The wire format of InfluxDB 1: InfluxQL, and chunks of JSON with times in milliseconds. Pure functions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct, ValidationError
from msgspec.json import Decoder

from edgeseries.errors import OriginContract, OriginGarbled, OriginRefused, OriginUnreachable
from edgeseries.origins.influx.limits import CHUNK_ROWS
from edgeseries.origins.influx.series import tags_of
from edgeseries.origins.labels import Labels
from edgeseries.series.json_text import TooDeep, check_depth
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value

MESSAGE_MAX_CHARS: Final = 500
_SIGNED_ZERO: Final = re.compile(rb"(,-0)(?=\])")
"""Zeros with a sign are written as integers, which have none."""


class _Series(Struct, gc=False):
    columns: list[str]
    name: str = ""
    tags: dict[str, str] | None = None
    values: list[list[float | int | str | bool | None]] = []


class _Result(Struct):
    statement_id: int = 0
    series: list[_Series] | None = None
    error: str | None = None
    partial: bool = False


class _Chunk(Struct):
    results: list[_Result] = []
    error: str | None = None


_CHUNKS: Final = Decoder(_Chunk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one series of one statement, in order."""

    statement: int
    name: str
    tags: Labels
    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]


def identifier(text: str) -> str:
    """A name between double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def literal(text: str) -> str:
    """A text between single quotes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def show_sites(tag: str) -> str:
    """Statement: the values of a tag in all measurements."""
    return f"SHOW TAG VALUES WITH KEY = {identifier(tag)}"


def show_series(tag: str, site: str) -> Sequence[str]:
    """Statements: keys of a site's series, and all fields by measurement."""
    return (f"SHOW SERIES WHERE {identifier(tag)} = {literal(site)}", "SHOW FIELD KEYS")


def select(
    measurement: str, field: str, series: Sequence[Labels], span: TimeRange, *, policy: str = ""
) -> str:
    """Statement: a field of some series in [start, end), a table each."""
    source = f"{identifier(policy)}.{identifier(measurement)}" if policy else identifier(measurement)
    wanted = " OR ".join(
        "("
        + " AND ".join(f"{identifier(tag)} = {literal(value)}" for tag, value in tags_of(one).items())
        + ")"
        for one in series
    )
    return (
        f"SELECT {identifier(field)} FROM {source} "  # noqa: S608 - quoted
        f"WHERE time >= {span.start_ms}ms AND time < {span.end_ms}ms "
        f"AND ({wanted}) GROUP BY *"
    )


def form_of(statements: Sequence[str], database: str) -> bytes:
    """The form of a call for some statements."""
    pairs = {"q": "; ".join(statements), "db": database, "epoch": "ms", "chunked": "true"}
    return urlencode({**pairs, "chunk_size": str(CHUNK_ROWS)}).encode()


def tables_in(body: bytes, *, statements: int) -> Sequence[Table]:
    """The tables of an answer, a JSON object a chunk. Every statement has to come to its end.

    Raises OriginGarbled for one that is cut short, OriginContract for another form, OriginRefused and
    OriginUnreachable for an error that the server tells instead.
    """
    ended: set[int] = set()
    tables = []
    for chunk in _chunks(body):
        _raise_told(chunk.error)
        for result in chunk.results:
            _raise_told(result.error)
            if not result.partial:
                ended.add(result.statement_id)
            tables += [_table(result.statement_id, one) for one in result.series or ()]
    if ended != set(range(statements)):
        raise OriginGarbled("the upstream's answer ends before its last chunk; try again")
    return tables


def message_of(body: bytes) -> str | None:
    """What the server says of an error; None if the body is not its own."""
    try:
        chunks = _chunks(body)
    except (OriginGarbled, OriginContract):
        return None
    return next((one.error[:MESSAGE_MAX_CHARS] for one in chunks if one.error), None)


def _condition(tags: Labels) -> str:
    return " AND ".join(f"{identifier(tag)} = {literal(value)}" for tag, value in tags.items())


def _chunks(body: bytes) -> Sequence[_Chunk]:
    try:
        check_depth(body)
        return _CHUNKS.decode_lines(_SIGNED_ZERO.sub(rb"\1.0", body) if b",-0]" in body else body)
    except TooDeep as fault:
        raise OriginContract("the upstream's answer has brackets within brackets without end") from fault
    except ValidationError as fault:
        raise OriginContract("the upstream answered in another form than InfluxDB 1 does") from fault
    except ValueError as fault:
        raise OriginGarbled("the upstream's answer is not whole JSON; try again") from fault


def _table(statement: int, one: _Series) -> Table:
    if any(len(row) != len(one.columns) for row in one.values):
        raise OriginContract("the upstream answered with rows of another length than their columns")
    tags = {tag: value for tag, value in (one.tags or {}).items() if value}
    return Table(statement=statement, name=one.name, tags=tags, columns=one.columns, rows=one.values)


def _raise_told(error: str | None) -> None:
    if error is None:
        return
    if "timeout" in error or "interrupted" in error or "max-" in error:
        raise OriginUnreachable(f"the upstream gave up: {error[:MESSAGE_MAX_CHARS]}")
    raise OriginRefused(f"the upstream refused: {error[:MESSAGE_MAX_CHARS]}")
