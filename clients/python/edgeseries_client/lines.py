"""Series as lines of CSV, for pipes, by the rules of the server's own: texts are quoted, all else is not."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from edgeseries_client.series import VALUE, Result


def csv_lines(result: Result) -> Iterator[str]:
    """A header, then a line a sample: point, instant (UTC), value, or the aggregates of a bucket."""
    names = list(dict.fromkeys(name for one in result.series.values() for name in one.columns)) or [VALUE]
    yield ",".join(("point_name", "timestamp", *names))
    for one in result.series.values():
        point = f'"{_doubled(one.point)}"' if set(one.point) & set(',"\r\n') else one.point
        columns = [one.columns[name] for name in names]
        for place, time_ms in enumerate(one.times_ms):
            yield ",".join((point, stamp(time_ms), *(field(column[place]) for column in columns)))


def stamp(time_ms: int) -> str:
    """An instant as ISO-8601 in UTC, with decimals only where there are milliseconds."""
    seconds, rest = divmod(time_ms, 1000)
    text = datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:03}Z" if rest else f"{text}Z"


def field(value: Any) -> str:
    """A value: a text always quoted, null empty, all else as in JSON."""
    if value is None:
        return ""
    return f'"{_doubled(value)}"' if isinstance(value, str) else json.dumps(value)


def _doubled(text: str) -> str:
    return text.replace('"', '""')
