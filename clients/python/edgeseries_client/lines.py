"""Series as lines of CSV, for pipes, by the rules of the server's own: texts are quoted, all else is not."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from edgeseries_client.series import Result


def csv_lines(result: Result) -> Iterator[str]:
    """A header, then a line a sample: point, aggregate where there are several, instant (UTC), value."""
    several = result.aggregates
    yield "point_name,aggregate,timestamp,value" if several else "point_name,timestamp,value"
    for one in result.series.values():
        first = f"{field(one.point)},{one.aggregate}" if several else field(one.point)
        for time_ms, value in zip(one.times_ms, one.values, strict=True):
            yield f"{first},{stamp(time_ms)},{field(value)}"


def stamp(time_ms: int) -> str:
    """An instant as ISO-8601 in UTC, with three decimals."""
    seconds, rest = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%dT%H:%M:%S}.{rest:03}Z"


def field(value: Any) -> str:
    """A value: a text always quoted, null empty, all else as in JSON."""
    if value is None:
        return ""
    return f'"{_doubled(value)}"' if isinstance(value, str) else json.dumps(value)


def _doubled(text: str) -> str:
    return text.replace('"', '""')
