"""The wire format of InfluxDB 3: SQL, and rows as a JSON list. Pure functions.

A list has an end, which JSON lines have not: one that was cut short is seen to be.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from edgeseries.errors import OriginContract, OriginGarbled
from edgeseries.origins.influx.series import tags_of
from edgeseries.origins.labels import Labels
from edgeseries.series.json_text import TooDeep, parsed_rows
from edgeseries.series.timerange import TimeRange, iso_instant

MESSAGE_MAX_CHARS: Final = 500
VALUE: Final = "v"
"""The column of values in an answer; no tag can hide it, since tags have other names there."""

Row = Mapping[str, Any]


def identifier(text: str) -> str:
    """A name between double quotes."""
    return '"' + text.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text between single quotes."""
    return "'" + text.replace("'", "''") + "'"


def columns_query() -> str:
    """Columns of all tables of data, with their types."""
    return (
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'iox'"
    )


def sites_query(tables: Sequence[str], tag: str) -> str:
    """The values of a tag in some tables."""
    column = identifier(tag)
    return " UNION ".join(
        f"SELECT DISTINCT {column} AS site FROM {identifier(table)} WHERE {column} IS NOT NULL"  # noqa: S608 - quoted
        for table in tables
    )


def series_query(table: str, tags: Sequence[str], tag: str, site: str) -> str:
    """Tags of a site's series of a table, each combination once."""
    shown = ", ".join(f"{identifier(one)} AS t{place}" for place, one in enumerate(tags))
    return f"SELECT DISTINCT {shown} FROM {identifier(table)} WHERE {identifier(tag)} = {literal(site)}"  # noqa: S608 - quoted


def samples_query(
    table: str, field: str, tags: Sequence[str], series: Sequence[Labels], span: TimeRange
) -> str:
    """A field of some series in [start, end). `tags` are all of the table: what a series lacks is null."""
    shown = "".join(f", {identifier(one)} AS t{place}" for place, one in enumerate(tags))
    wanted = " OR ".join(f"({_condition(tags, tags_of(one))})" for one in series)
    return (
        f"SELECT time, {identifier(field)} AS {VALUE}{shown} FROM {identifier(table)} "  # noqa: S608 - quoted
        f"WHERE time >= TIMESTAMP {literal(iso_instant(span.start_ms))} "
        f"AND time < TIMESTAMP {literal(iso_instant(span.end_ms))} "
        f"AND {identifier(field)} IS NOT NULL AND ({wanted}) ORDER BY time"
    )


def body_of(query: str, database: str) -> bytes:
    """The body of a call."""
    return json.dumps({"db": database, "q": query, "format": "json"}).encode()


def rows_in(body: bytes) -> Sequence[Row]:
    """The rows of an answer. Raises OriginGarbled, OriginContract."""
    try:
        found = parsed_rows(body)
    except TooDeep as fault:
        raise OriginContract("the upstream's answer has brackets within brackets without end") from fault
    except ValueError as fault:
        raise OriginGarbled("the upstream's answer is not whole JSON; try again") from fault
    if not isinstance(found, list) or not set(map(type, found)) <= {dict}:
        raise OriginContract("the upstream answered a query with something else than a list of rows")
    return found


def tags_in(row: Row, tags: Sequence[str]) -> Labels:
    """The tags of a row, by the places of `tags`; nulls are left out. Raises OriginContract."""
    found = {one: row.get(f"t{place}") for place, one in enumerate(tags)}
    if not all(value is None or isinstance(value, str) for value in found.values()):
        raise OriginContract("the upstream answered with a tag that is no text")
    return {one: value for one, value in found.items() if value}


def with_zone(times: Sequence[object]) -> Sequence[object]:
    """Times as they are written, without a zone: they are UTC."""
    return [f"{one}Z" if isinstance(one, str) and one[-1:] != "Z" else one for one in times]


def message_of(body: bytes) -> str | None:
    """What the server says of an error: `{"error": ...}`; None if the body is not its own."""
    try:
        document = parsed_rows(body)
    except ValueError:
        return None
    error = document.get("error") if isinstance(document, dict) else None
    return error[:MESSAGE_MAX_CHARS] if isinstance(error, str) else None


def _condition(tags: Sequence[str], own: Labels) -> str:
    return " AND ".join(
        f"{identifier(one)} = {literal(own[one])}" if one in own else f"{identifier(one)} IS NULL"
        for one in tags
    )
