"""An archive of files over a truth, as an HTTPS server gives it: an index, and files by a layout. Page:
`docs/origins/files.md`.

CSV holds the texts of the truth as they are. Parquet has a column of float64 where a file has numbers alone
(with nulls), else one of texts.
"""

import csv
import gzip
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote

from arro3.core import Array, DataType, Field, RecordBatch, Schema, Table
from arro3.io import write_parquet

from edgeseries.limits import DAY_MS
from edgeseries.origins.files.layout import Layout
from edgeseries.series.days import day_span
from local.upstream.truth import Truth
from local.vendors.shape import HeldTruth, Reply, Request

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER: Final = (0, 2**50)
MANY: Final = "point_name"


def kept(value: Any) -> tuple[Any] | None:
    """What is kept of a value: all."""
    return (value,)


def kept_in_parquet(value: Any) -> tuple[Any] | None:
    """What is kept of a value in a column of float64 or of texts."""
    if value is None or isinstance(value, bool | str):
        return (value,)
    return (float(value),)


class FilesShape:
    """`layout` as in the options of the adapter."""

    def __init__(self, truth: Truth, *, layout: str = "{site}/{point}.csv", **knobs: Any) -> None:
        self._truth = truth
        self._layout = layout
        self._held = HeldTruth(truth, kept_in_parquet if layout.endswith("parquet") else kept)
        self.knobs: dict[str, Any] = knobs
        self._files = {unquote(path): content for path, content in self.files()}

    def files(self) -> Iterator[tuple[str, tuple[bytes, int]]]:
        """Every file by its path, names percent-encoded: content, and how many samples are in it."""
        yield "index.csv", (self._index(), 0)
        rows: dict[str, list[tuple[str, str, int, str]]] = {}
        for site in self._held.sites():
            for point in self._held.points(site):
                paths: dict[int, str] = {}
                for at_ms, text in self._truth.rows(site, point, *FOREVER):
                    day = at_ms // DAY_MS
                    if day not in paths:
                        paths[day] = Layout(self._layout).files(site, point, day_span(day, day))[0]
                    rows.setdefault(paths[day], []).append((site, point, at_ms, text))
        for path, some in rows.items():
            yield path, (self._content(some), len(some))

    def allowed(self, request: Request, token: str) -> bool:
        """See Shape."""
        return request.headers.get("authorization") == f"Bearer {token}"

    def reply(self, request: Request) -> Reply:
        """See Shape."""
        found = self._files.get(request.path.removeprefix("/"))
        if found is None or request.method != "GET":
            return Reply(status=404, body=b"no such file\n", content_type="text/plain")
        return Reply(body=found[0], content_type="application/octet-stream", samples=found[1])

    def _index(self) -> bytes:
        rows = [["site", "point", "unit"]]
        for site in self._held.sites():
            rows += [[site, point, self._held.unit(site, point)] for point in self._held.points(site)]
        return _csv(rows)

    def _content(self, rows: list[tuple[str, str, int, str]]) -> bytes:
        by_point = "{point}" in self._layout
        if self._layout.endswith(".parquet"):
            return self._parquet(rows, by_point=by_point)
        header = ["timestamp", "value"] if by_point else [MANY, "timestamp", "value"]
        body = [[point, _iso(at_ms), text] for _, point, at_ms, text in rows]
        plain = _csv([header, *([row[1:] for row in body] if by_point else body)])
        return gzip.compress(plain, mtime=0) if self._layout.endswith(".gz") else plain

    def _parquet(self, rows: list[tuple[str, str, int, str]], *, by_point: bool) -> bytes:
        site = rows[0][0]
        typed = {point: dict(self._held.samples(site, point)) for point in {row[1] for row in rows}}
        values = [typed[point][at_ms] for _, point, at_ms, _ in rows]
        numbers = all(value is None or isinstance(value, float) for value in values)
        columns: dict[str, Array] = {
            "timestamp": Array([row[2] * 1_000 for row in rows], DataType.int64()).cast(
                DataType.timestamp("us", tz="UTC")
            ),
            "value": Array(values, DataType.float64())
            if numbers
            else Array(list(map(_text, values)), DataType.utf8()),
        }
        if not by_point:
            columns[MANY] = Array([row[1] for row in rows], DataType.utf8())
        schema = Schema([Field(name, column.type) for name, column in columns.items()])
        out = io.BytesIO()
        batch = RecordBatch.from_arrays(list(columns.values()), schema=schema)
        write_parquet(Table.from_batches([batch]), out)
        return out.getvalue()


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def _csv(rows: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _iso(at_ms: int) -> str:
    moment = EPOCH + timedelta(milliseconds=at_ms)
    return re.sub(r"\+00:00$", "Z", moment.isoformat())
