"""Downloads: parts that break off and go on, files that appear when they are whole, Parquet by row groups."""

import json
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from edgeseries_client import ConnectionFault
from edgeseries_client.assembly import assemble, format_for
from tests.clients.served import Broken, Served, job, problem, serve

HEADER = "point_name,timestamp,value\r\n"


def part(body: str, tag: str | None = None) -> httpx.Response:
    return httpx.Response(200, content=body.encode(), headers={} if tag is None else {"etag": tag})


def broken(body: str, tag: str | None = None) -> httpx.Response:
    return httpx.Response(200, stream=Broken(body.encode()), headers={} if tag is None else {"etag": tag})


def saved(
    monkeypatch: pytest.MonkeyPatch, target: Path, answers: list[Any], parts: int = 1, **policy: Any
) -> Served:
    done = httpx.Response(202, json=job("completed", 100.0, resultParts=parts))
    served = serve(monkeypatch, [done, *answers], **policy)
    served.client.site("s").save("a", 0, 10, target)
    return served


def test_a_broken_part_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = HEADER + "a,2015-03-01T00:00:00Z,1.0\r\n"
    answers = [broken(whole[:30], '"x"'), broken(whole[:40], '"x"'), part(whole, '"x"')]
    saved(monkeypatch, tmp_path / "a.csv", answers, tries=2)
    assert (tmp_path / "a.csv").read_bytes() == whole.encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("tag", [None, '"y"', 'W/"x"'])
def test_a_part_of_other_bytes_begins_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tag: str | None
) -> None:
    saved(monkeypatch, tmp_path / "a.csv", [broken("old,", tag and '"x"'), part("new\r\n", tag)])
    assert (tmp_path / "a.csv").read_text() == "new\n"


def test_what_makes_no_way_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConnectionFault):
        saved(monkeypatch, tmp_path / "a.csv", [broken("", '"x"'), broken("", '"x"')], tries=2)
    assert not (tmp_path / "a.csv").exists()


def test_another_run_goes_on_with_what_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    with pytest.raises(ConnectionFault):
        saved(monkeypatch, target, [part(HEADER, '"1"'), broken("point", '"2"')], parts=2, tries=1)
    served = saved(monkeypatch, target, [part("point_name\r\na,b\r\n", '"2"')], parts=2)
    assert target.read_bytes() == (HEADER + "a,b\r\n").encode()
    assert [request.url.query for request in served.asked[1:]] == [b"format=csv&part=2"]


def test_parts_of_another_job_are_not_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    with pytest.raises(ConnectionFault):
        saved(monkeypatch, target, [part("old\r\n", '"1"'), broken("", '"2"')], parts=2, tries=1)
    (tmp_path / "a.csv.parts" / "of").write_text("another csv")
    saved(monkeypatch, target, [part("new\r\n", '"1"'), part("h\r\n", '"2"')], parts=2)
    assert target.read_bytes() == b"new\r\n"


def test_a_refusal_while_downloading_is_told_by_its_class(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers = [problem(503, headers={"retry-after": "3"}), part(HEADER)]
    assert saved(monkeypatch, tmp_path / "a.csv", answers).waited_s == [3.0]


def test_an_answer_at_once_is_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    served = serve(monkeypatch, [broken(HEADER, '"x"'), part(HEADER + "a,b\r\n", '"x"')])
    served.client.site("s").save("a", 0, 10, tmp_path / "a.csv", every="1h")
    assert (tmp_path / "a.csv").read_bytes() == (HEADER + "a,b\r\n").encode()
    assert json.loads(served.asked[0].content).items() >= {"format": "csv", "every": "1h"}.items()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_parts_of_parquet_are_joined_row_group_by_row_group(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = pa.dictionary(pa.int16(), pa.string())
    schema = pa.schema([("point", words), ("value", pa.float64())])
    bodies = []
    for names in (["a", "b"], ["c"]):
        body = pa.BufferOutputStream()
        columns = [pa.array(names).dictionary_encode().cast(words), pa.array([1.5] * len(names))]
        pq.write_table(pa.table(columns, schema=schema), body)
        bodies.append(httpx.Response(200, content=body.getvalue().to_pybytes()))
    saved(monkeypatch, tmp_path / "a.parquet", bodies, parts=2)
    assert pq.read_table(tmp_path / "a.parquet").to_pydict() == {"point": ["a", "b", "c"], "value": [1.5] * 3}
    assert pq.ParquetFile(tmp_path / "a.parquet").metadata.num_row_groups == 2


def test_the_name_of_a_file_says_its_format() -> None:
    assert format_for(Path("a.CSV")) == "csv"
    with pytest.raises(ValueError, match=r"\*\.parquet"):
        format_for(Path("a.xlsx"))


def test_parts_of_json_are_no_document(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"name it \*\.parquet"):
        assemble([tmp_path / "1", tmp_path / "2"], tmp_path / "a.json")
