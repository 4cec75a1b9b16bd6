"""InfluxDB 1, 2 and 3 over a truth, as far as queries are asked of them. Page: `docs/origins/influx.md`.

Every point is a series `sample,site=...,point=...` with one field `value`, whose type is that of the point's
first value: a null is no sample, and neither is a value of another type.
"""

import csv
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, Final

from local.upstream.truth import Truth
from local.vendors.shape import HeldTruth, Reply, Request, Sample

MEASUREMENT: Final = "sample"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
KINDS: Final = {float: "double", str: "string", bool: "boolean"}


def kept(value: Any) -> tuple[Any] | None:
    """What is kept of a value."""
    if value is None:
        return None
    return (float(value),) if isinstance(value, int) and not isinstance(value, bool) else (value,)


class InfluxShape:
    """What the three versions share. `look_alikes`: each series once more with a further tag."""

    def __init__(self, truth: Truth, **knobs: Any) -> None:
        self._held = HeldTruth(truth, kept, one_kind=True)
        self.knobs: dict[str, Any] = {"look_alikes": False, **knobs}

    def series(self, site: str | None = None) -> Iterator[dict[str, str]]:
        """Tags of all series, or of a site's."""
        for one in self._held.sites():
            if site in {None, one}:
                for point in self._held.points(one):
                    yield {"site": one, "point": point}
                    if self.knobs["look_alikes"]:
                        yield {"site": one, "point": point, "replica": "b"}

    def within(self, tags: dict[str, str], start_ms: int, end_ms: int) -> list[Sample]:
        """Samples of a series."""
        return self._held.within(tags["site"], tags["point"], start_ms, end_ms)

    def kind(self, tags: dict[str, str]) -> type:
        """The type of a series' field."""
        return type(self._held.samples(tags["site"], tags["point"])[0][1])


# --- version 1 ------------------------------------------------------------------


class Influx1Shape(InfluxShape):
    """InfluxQL by form, answers in chunks."""

    def allowed(self, request: Request, token: str) -> bool:
        """See Shape: `user:<token>` as basic authentication."""
        basic = b64encode(f"user:{token}".encode()).decode()
        return request.headers.get("authorization") == f"Basic {basic}"

    def reply(self, request: Request) -> Reply:
        """See Shape."""
        if request.path != "/query" or request.text("epoch") != "ms":
            return Reply(status=404, body=b'{"error":"not found"}\n')
        if request.text("db") != "building":
            return _json([{"results": [{"statement_id": 0, "error": "database not found"}]}])
        rows, count = int(request.text("chunk_size")), 0
        chunks = []
        for number, statement in enumerate(_split_statements(request.text("q"))):
            series = list(self._series_of(statement))
            count += sum(len(one["values"]) for one in series if one["columns"][0] == "time")
            pieces = [
                {**one, "values": one["values"][first : first + rows]}
                for one in series
                for first in range(0, max(1, len(one["values"])), rows)
            ]
            for place, piece in enumerate(pieces):
                more = {"partial": True} if place + 1 < len(pieces) else {}
                chunks.append({"results": [{"statement_id": number, "series": [piece], **more}]})
            if not pieces:
                chunks.append({"results": [{"statement_id": number}]})
        return _json(chunks, samples=count)

    def _series_of(self, statement: str) -> Iterator[dict[str, Any]]:
        if statement.startswith("SHOW TAG VALUES"):
            values = [["site", one] for one in self._held.sites()]
            yield {"name": MEASUREMENT, "columns": ["key", "value"], "values": values}
        elif statement.startswith("SHOW SERIES"):
            site = _texts(statement, "'")[0]
            keys = [[series_key(tags)] for tags in self.series(site)]
            if keys:
                yield {"columns": ["key"], "values": keys}
        elif statement.startswith("SHOW FIELD KEYS"):
            yield {"name": MEASUREMENT, "columns": ["fieldKey", "fieldType"], "values": [["value", "float"]]}
        else:
            yield from self._selected(statement)

    def _selected(self, statement: str) -> Iterator[dict[str, Any]]:
        start_ms, end_ms = map(int, re.findall(r"time >?<?=? ?(\d+)ms", statement))
        wanted = _conditions(statement.partition(" AND (")[2], "'")
        for tags in self.series():
            if any(all(tags.get(tag) == value for tag, value in one.items()) for one in wanted):
                values = [[at_ms, value] for at_ms, value in self.within(tags, start_ms, end_ms)]
                if values:
                    shown = {"replica": "", **tags} if self.knobs["look_alikes"] else tags
                    yield {"name": MEASUREMENT, "tags": shown, "columns": ["time", "value"], "values": values}


def _json(chunks: list[Any], *, samples: int = 0) -> Reply:
    return Reply(body="".join(json.dumps(one) + "\n" for one in chunks).encode(), samples=samples)


def series_key(tags: dict[str, str], measurement: str = MEASUREMENT) -> str:
    """A series in line protocol."""

    def escaped(text: str) -> str:
        return re.sub(r"([, =])", r"\\\1", text)

    return ",".join(
        [measurement, *(f"{escaped(tag)}={escaped(value)}" for tag, value in sorted(tags.items()))]
    )


def _split_statements(text: str) -> list[str]:
    return [one.strip() for one in re.findall(r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^;'\"])+", text)]


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda one: {"n": "\n", "r": "\r"}.get(one[1], one[1]), text)


def _texts(text: str, quote: str) -> list[str]:
    return [_unescaped(one) for one in re.findall(rf"{quote}((?:[^{quote}\\]|\\.)*){quote}", text)]


def _conditions(text: str, quote: str) -> list[dict[str, str]]:
    """Conditions in brackets, each of equalities `"tag" = 'value'`."""
    pair = re.compile(rf'"((?:[^"\\]|\\.)*)" = {quote}((?:[^{quote}\\]|\\.)*){quote}')
    group = re.compile(rf"\((?:{pair.pattern.replace('(', '(?:').replace('(?:?:', '(?:')}(?: AND )?)+\)")
    return [
        {_unescaped(tag): _unescaped(value) for tag, value in pair.findall(one)}
        for one in group.findall(text)
    ]


# --- version 2 ------------------------------------------------------------------


class Influx2Shape(InfluxShape):
    """Flux as JSON, answers in annotated CSV."""

    def allowed(self, request: Request, token: str) -> bool:
        """See Shape."""
        return request.headers.get("authorization") == f"Token {token}"

    def reply(self, request: Request) -> Reply:
        """See Shape."""
        if request.path != "/api/v2/query":
            return Reply(status=404, body=b'{"code":"not found","message":"path not found"}')
        if request.text("org") != "org":
            return Reply(status=404, body=b'{"code":"not found","message":"organization name not found"}')
        query = json.loads(request.body)["query"]
        if "schema.tagValues" in query:
            return _csv([(["_value"], ["string"], [[one] for one in self._held.sites()])])
        if query.startswith("buckets()"):
            return _csv([(["name"], ["string"], [["building"]])])
        if "last()" in query:
            site = _texts(query, '"')[2]
            found = [
                (
                    ["_field", "_measurement", *tags],
                    ["string"] * (2 + len(tags)),
                    [["value", MEASUREMENT, *tags.values()]],
                )
                for tags in self.series(site)
            ]
            return _csv(found)
        return self._selected(query)

    def _selected(self, query: str) -> Reply:
        start_ms, end_ms = (_ms(one) for one in re.findall(r"(?:start|stop): ([0-9TZ:.-]+)", query))
        inside = query.partition("filter(fn: (r) => ")[2].rpartition(") |> drop")[0]
        pair = re.compile(r'r\["((?:[^"\\]|\\.)*)"\] == "((?:[^"\\]|\\.)*)"')
        group = re.compile(r'\((?:r\["(?:[^"\\]|\\.)*"\] == "(?:[^"\\]|\\.)*"(?: and )?)+\)')
        wanted = [
            {_unescaped(tag): _unescaped(value) for tag, value in pair.findall(one)}
            for one in group.findall(inside)
        ]
        tables, count = [], 0
        for tags in self.series():
            own = {"_field": "value", "_measurement": MEASUREMENT, **tags}
            if any(all(own.get(tag) == value for tag, value in one.items()) for one in wanted):
                samples = self.within(tags, start_ms, end_ms)
                if samples:
                    kind = KINDS[self.kind(tags)]
                    rows = [
                        [_nanoseconds(at_ms), _flux_text(value), *own.values()] for at_ms, value in samples
                    ]
                    kinds = ["dateTime:RFC3339", kind, *["string"] * len(own)]
                    tables.append((["_time", "_value", *own], kinds, rows))
                    count += len(samples)
        return _csv(tables, samples=count)


def _csv(tables: list[tuple[list[str], list[str], list[list[str]]]], *, samples: int = 0) -> Reply:
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    before = None
    for number, (header, kinds, rows) in enumerate(tables):
        if (header, kinds) != before:
            if before is not None:
                out.write("\r\n")
            writer.writerow(["#datatype", "string", "long", *kinds])
            writer.writerow(["#group", "false", "false", *["true"] * len(kinds)])
            writer.writerow(["#default", "_result", "", *[""] * len(kinds)])
            writer.writerow(["", "result", "table", *header])
            before = header, kinds
        writer.writerows(["", "", str(number), *row] for row in rows)
    return Reply(
        body=out.getvalue().encode() + b"\r\n", content_type="text/csv; charset=utf-8", samples=samples
    )


def _flux_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _ms(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


def _nanoseconds(at_ms: int) -> str:
    moment = EPOCH + timedelta(milliseconds=at_ms)
    part = f".{at_ms % 1_000:03d}".rstrip("0").rstrip(".")
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + part + "Z"


# --- version 3 ------------------------------------------------------------------


class Influx3Shape(InfluxShape):
    """SQL as JSON, answers as a JSON list."""

    def allowed(self, request: Request, token: str) -> bool:
        """See Shape."""
        return request.headers.get("authorization") == f"Bearer {token}"

    def reply(self, request: Request) -> Reply:
        """See Shape."""
        if request.path != "/api/v3/query_sql":
            return Reply(status=404, body=b"")
        asked = json.loads(request.body)
        if asked["db"] != "building":
            return Reply(status=404, body=b'{"error":"database not found"}')
        return self._answer(asked["q"])

    def _answer(self, query: str) -> Reply:
        tags = ["point", *(["replica"] if self.knobs["look_alikes"] else []), "site"]
        if query == "SELECT 1 AS one":
            return _rows([{"one": 1}])
        if "information_schema" in query:
            columns = [("time", "Timestamp(Nanosecond, None)"), ("value", "Float64")]
            columns += [(tag, "Dictionary(Int32, Utf8)") for tag in tags]
            return _rows(
                [
                    {"table_name": MEASUREMENT, "column_name": name, "data_type": kind}
                    for name, kind in columns
                ]
            )
        if " AS site FROM" in query:
            return _rows([{"site": one} for one in self._held.sites()])
        if query.startswith("SELECT DISTINCT"):
            site = _sql_texts(query)[0]
            return _rows(
                [
                    {f"t{n}": one.get(tag) for n, tag in enumerate(tags) if tag in one}
                    for one in self.series(site)
                ]
            )
        return self._selected(query, tags)

    def _selected(self, query: str, tags: list[str]) -> Reply:
        start_ms, end_ms = (_ms(one) for one in re.findall(r"TIMESTAMP '([^']+)'", query))
        inside = query.partition("IS NOT NULL AND (")[2].rpartition(") ORDER BY")[0]
        test = r'"(?:[^"]|"")*" (?:= \'(?:[^\']|\'\')*\'|IS NULL)'
        wanted = []
        for one in re.findall(rf"\((?:{test}(?: AND )?)+\)", inside):
            pairs = re.findall(r'"((?:[^"]|"")*)" (?:= \'((?:[^\']|\'\')*)\'|IS (NULL))', one)
            wanted.append({tag: None if null else value.replace("''", "'") for tag, value, null in pairs})
        rows = []
        for own in self.series():
            if any(all(own.get(tag) == value for tag, value in one.items()) for one in wanted):
                shown = {f"t{n}": own[tag] for n, tag in enumerate(tags) if tag in own}
                rows += [
                    (at_ms, {"time": _nanoseconds(at_ms).rstrip("Z"), "v": value, **shown})
                    for at_ms, value in self.within(own, start_ms, end_ms)
                ]
        rows.sort(key=lambda row: row[0])
        return _rows([row for _, row in rows], samples=len(rows))


def _sql_texts(query: str) -> list[str]:
    return [one.replace("''", "'") for one in re.findall(r"'((?:[^']|'')*)'", query)]


def _rows(rows: list[dict[str, Any]], *, samples: int = 0) -> Reply:
    return Reply(body=json.dumps(rows).encode(), samples=samples)
