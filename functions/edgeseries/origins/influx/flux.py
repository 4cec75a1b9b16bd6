"""The wire format of InfluxDB 2: Flux, and annotated CSV. Pure functions.

An answer ends with an empty line after its last table; one that does not was cut short.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import groupby
from typing import Final

from edgeseries.errors import OriginContract, OriginGarbled, OriginUnreachable
from edgeseries.origins.influx.series import FIELD
from edgeseries.origins.labels import NAME, Labels
from edgeseries.series.json_text import TooDeep, parsed_rows
from edgeseries.series.timerange import TimeRange, iso_instant
from edgeseries.series.values import Value

MESSAGE_MAX_CHARS: Final = 500
END: Final = b"\r\n\r\n"
NOTHING: Final = b"\r\n"
"""The whole of an answer without tables."""

EARLIEST: Final = "1970-01-01T00:00:00Z"
_COLUMN_OF_LABEL: Final = {NAME: "_measurement"}
_OWN_COLUMNS: Final = frozenset({"", "result", "table", "_time", "_value", "_start", "_stop"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: texts of its columns by label, and the datatype of each."""

    kinds: Mapping[str, str]
    columns: Mapping[str, Sequence[str]]

    def labels(self) -> Labels:
        """What the table is of: columns that hold one text in all rows, by the names of labels."""
        found = {}
        for column, texts in self.columns.items():
            if column not in _OWN_COLUMNS and texts[0]:
                found[NAME if column == "_measurement" else column] = texts[0]
        return found


def literal(text: str) -> str:
    """A text between double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return '"' + escaped.replace("${", "\\${") + '"'


def sites_query(bucket: str, tag: str) -> str:
    """The values of a tag, of all time."""
    return (
        'import "influxdata/influxdb/schema"\n'
        f"schema.tagValues(bucket: {literal(bucket)}, tag: {literal(tag)}, start: {EARLIEST})"
    )


def series_query(bucket: str, tag: str, site: str) -> str:
    """A row for each field of each series of a site, of all time."""
    return (
        f"from(bucket: {literal(bucket)}) |> range(start: {EARLIEST})"
        f" |> filter(fn: (r) => r[{literal(tag)}] == {literal(site)}) |> last()"
        ' |> drop(columns: ["_start", "_stop", "_time", "_value"])'
    )


def samples_query(bucket: str, series: Sequence[Labels], span: TimeRange) -> str:
    """Fields of series in [start, end), a table each."""
    wanted = " or ".join(f"({_condition(one)})" for one in series)
    return (
        f"from(bucket: {literal(bucket)})"
        f" |> range(start: {iso_instant(span.start_ms)}, stop: {iso_instant(span.end_ms)})"
        f' |> filter(fn: (r) => {wanted}) |> drop(columns: ["_start", "_stop"])'
    )


def ping_query() -> str:
    """What answers without looking at data."""
    return 'buckets() |> limit(n: 1) |> keep(columns: ["name"])'


def body_of(query: str) -> bytes:
    """The body of a call: the answer is to be annotated."""
    dialect = {"annotations": ["datatype", "group", "default"], "header": True, "delimiter": ","}
    return json.dumps({"query": query, "type": "flux", "dialect": dialect}).encode()


def tables_in(body: bytes) -> Sequence[Table]:
    """The tables of an answer. Raises OriginGarbled for one that is cut short, OriginContract for another
    form, OriginUnreachable for an error that the server tells in the middle.
    """
    if body == NOTHING:
        return []
    if not body.endswith(END):
        raise OriginGarbled("the upstream's answer ends before its last table; try again")
    try:
        text = body.decode()
    except ValueError as fault:
        raise OriginGarbled("the upstream's answer is no UTF-8; try again") from fault
    return list(_tables(text))


def values_of(kind: str, texts: Sequence[str]) -> Sequence[Value]:
    """Values of a column by its datatype; an empty text is null, but for texts. Raises OriginContract."""
    try:
        match kind:
            case "double":
                return [float(text) if text else None for text in texts]
            case "long" | "unsignedLong":
                return [int(text) if text else None for text in texts]
            case "boolean":
                return [{"true": True, "false": False, "": None}[text] for text in texts]
    except (ValueError, KeyError) as fault:
        raise OriginContract(f"the upstream answered with a {kind} that is none") from fault
    return list(texts)


def message_of(body: bytes) -> str | None:
    """What the server says of an error, `{"code": ..., "message": ...}`; None if the body is not its own."""
    try:
        document = parsed_rows(body)
    except (TooDeep, ValueError):
        return None
    message = document.get("message") if isinstance(document, dict) else None
    return message[:MESSAGE_MAX_CHARS] if isinstance(message, str) and "code" in document else None


def _condition(labels: Labels) -> str:
    return " and ".join(
        f"r[{literal(_COLUMN_OF_LABEL.get(label, label))}] == {literal(value)}"
        for label, value in labels.items()
    )


def _tables(text: str) -> Iterator[Table]:
    """Tables of annotated CSV: blocks of annotations, a header and rows, with empty lines between them."""
    kinds: list[str] = []
    header: list[str] = []
    rows: list[list[str]] = []
    try:
        for row in csv.reader(StringIO(text, newline=""), strict=True):
            if not row:
                yield from _block(kinds, header, rows)
                kinds, header, rows = [], [], []
            elif row[0].startswith("#"):
                if row[0] == "#datatype":
                    kinds = row
            elif not header:
                header = row
            else:
                rows.append(row)
    except csv.Error as fault:
        raise OriginContract("the upstream answered with what is no CSV") from fault
    yield from _block(kinds, header, rows)


def _block(kinds: Sequence[str], header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Table]:
    if "error" in header:
        message = rows[0][header.index("error")] if rows and len(rows[0]) == len(header) else "an error"
        raise OriginUnreachable(f"the upstream gave up: {message[:MESSAGE_MAX_CHARS]}")
    if not header:
        return
    if len(kinds) != len(header) or "table" not in header or any(len(row) != len(header) for row in rows):
        raise OriginContract("the upstream answered with a table that is not annotated")
    number = header.index("table")
    for _, group in groupby(rows, key=lambda row: row[number]):
        columns = dict(zip(header, zip(*group, strict=True), strict=True))
        yield Table(kinds=dict(zip(header, kinds, strict=True)), columns=columns)


assert FIELD == "_field", "the label of a field is Flux' column"
