"""Answers as Arrow streams: the same series as in JSON, and why points are not in them."""

import json
from typing import Any

import httpx
import pyarrow as pa
import pytest

from edgeseries_client import UnknownPoints
from edgeseries_client.decoding import ARROW, JSON, result_of
from edgeseries_client.steps import Answer
from tests.clients.served import series, serve

WORDS = pa.dictionary(pa.int16(), pa.string())
FIELDS = [("time", pa.timestamp("ms", "UTC")), ("point", WORDS)]
VALUES = [("value", pa.float64()), ("text", WORDS), ("boolean", pa.bool_()), ("integer", WORDS)]


def stream(rows: list[tuple[Any, ...]], *, aggregates: bool = False) -> bytes:
    """A stream as the server sends it: a batch for each point, each with a dictionary of its own."""
    fields = [*FIELDS, *([("aggregate", WORDS)] if aggregates else []), *VALUES]
    schema = pa.schema(fields, metadata={"edgeseries": json.dumps({"version": 1, "site": "s"})})
    body = pa.BufferOutputStream()
    with pa.ipc.new_stream(body, schema) as writer:
        for point in dict.fromkeys(row[1] for row in rows):
            columns = zip(*(row for row in rows if row[1] == point), strict=True)
            arrays = [
                pa.array(column).dictionary_encode().cast(kind) if kind == WORDS else pa.array(column, kind)
                for column, (_, kind) in zip(columns, fields, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
    return bytes(body.getvalue().to_pybytes())


def arrow(rows: list[tuple[Any, ...]], **how: Any) -> httpx.Response:
    return httpx.Response(200, content=stream(rows, **how), headers={"content-type": ARROW})


ROWS: list[tuple[Any, ...]] = [
    (1, "a", 1.5, None, None, None),
    (2, "a", None, None, None, None),
    (1, "b", None, "on", None, None),
    (2, "b", None, None, True, None),
    (3, "b", None, None, None, str(2**60 + 1)),
    (4, "b", 2.5, None, None, None),
    (5, "b", None, None, None, None),
]


def test_every_kind_of_value_is_what_it_was() -> None:
    result = result_of(Answer(status=200, headers={"content-type": ARROW}, body=stream(ROWS)))
    assert list(result.series["b"].values) == ["on", True, 2**60 + 1, 2.5, None]
    assert list(result.series["a"].times_ms) == [1, 2]
    assert repr([float(one) for one in result.series["a"].values]) == "[1.5, nan]"
    assert result.meta["site"] == "s"


def test_aggregates_are_series_of_their_own() -> None:
    rows = [(1, "a", word, number, None, None, None) for word, number in (("min", 1.0), ("max", 2.0))]
    body = stream(rows, aggregates=True)
    result = result_of(Answer(status=200, headers={"content-type": ARROW}, body=body))
    assert {name: (one.point, list(one.values)) for name, one in result.series.items()} == {
        "a:min": ("a", [1.0]), "a:max": ("a", [2.0]),
    }  # fmt: skip


def test_no_rows_are_no_series() -> None:
    schema = pa.schema([*FIELDS, *VALUES])
    body = pa.BufferOutputStream()
    with pa.ipc.new_stream(body, schema):
        pass
    answer = Answer(status=200, headers={"content-type": ARROW}, body=body.getvalue().to_pybytes())
    assert result_of(answer).series == {}


def test_points_that_are_not_in_a_stream_are_asked_for_why(monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve(monkeypatch, [arrow(ROWS[:2]), series({"c": [], "q": []}, q="no such point")] * 2)
    frame = served.client.site("s").read(["a", "c", "q"], 0, 10, missing="ignore")
    assert list(frame.columns) == ["a", "c", "q"]
    assert [request.headers["accept"] for request in served.asked] == [f"{ARROW}, {JSON};q=0.5", JSON]
    assert json.loads(served.asked[1].content)["points"] == ["c", "q"]
    with pytest.raises(UnknownPoints, match="q: no such point"):
        served.client.site("s").read(["a", "c", "q"], 0, 10)


def test_nulls_of_numbers_are_nulls_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve(monkeypatch, [arrow(ROWS[:2])] * 3)
    site = served.client.site("s")
    assert site.read("a", 0, 10)["a"].isna().tolist() == [False, True]
    assert site.read("a", 0, 10, as_="polars")["a"].to_list() == [1.5, None]
    assert site.read("a", 0, 10, as_="arrow", shape="long").column("value").to_pylist() == [1.5, None]
