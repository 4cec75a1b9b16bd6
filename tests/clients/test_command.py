"""The command `edgeseries`: what it asks, what it prints, how it ends."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from edgeseries_client import command
from tests.clients.served import Served, job, problem, series, serve

POINTS = {"points": [{"name": "a", "unit": "kW", "kind": None, "intervalSeconds": 60}]}
KEY = {"keyId": "1", "owner": "me", "rights": ["read"], "sites": ["*"], "revokedAt": None}
DONE = job("completed", 100.0)


def run(monkeypatch: pytest.MonkeyPatch, words: str, *answers: Any) -> tuple[Result, Served]:
    served = serve(monkeypatch, answers, tries=1)
    monkeypatch.setattr(command, "Client", lambda *_, **__: served.client)
    return CliRunner().invoke(command.main, words.split()), served


CASES: list[tuple[str, list[Any], str, str]] = [
    ("sites", [{"sites": [{"name": "s"}]}], "s\n", "/api/sites"),
    ("points s --unit kW", [POINTS], "a\tkW\t\t60\n", "/api/sites/s/points?unit=kW"),
    ("latest s a", [{"points": {}}], '{\n  "points": {}\n}\n', "/api/latest?site=s&point=a"),
    ("warm s a b --days 3", [job("queued")], "a-1\tqueued\n", "/api/warm"),
    ("job list", [{"jobs": [DONE], "cursor": None}], "a-1\tcompleted\t100 %\ts\n", "/api/jobs"),
    ("job watch a-1", [DONE], "a-1\tcompleted\n", "/api/jobs/a-1"),
    ("job cancel a-1", [job("cancelled")], "a-1\tcancelled\n", "/api/jobs/a-1"),
    ("job retry a-1", [job("retrying")], "a-1\tretrying\n", "/api/jobs/a-1/retry"),
    ("key list", [{"keys": [KEY], "cursor": None}], "1\tme\tread\t*\n", "/api/keys"),
    ("key make me --right read", [KEY | {"key": "es_1_2"}], "es_1_2\n", "/api/keys"),
    ("key revoke 1", [KEY | {"revokedAt": "now"}], "1\trevoked now\n", "/api/keys/1"),
    ("coverage s a --start -7d", [{"groups": []}], '{\n  "groups": []\n}\n', "/api/coverage"),
]


@pytest.mark.parametrize(("words", "answers", "told", "asked"), CASES, ids=[case[0] for case in CASES])
def test_a_command_asks_and_tells(
    monkeypatch: pytest.MonkeyPatch, words: str, answers: list[Any], told: str, asked: str
) -> None:
    result, served = run(monkeypatch, words, *(httpx.Response(200, json=one) for one in answers))
    assert (result.exit_code, result.stdout) == (0, told), result.output
    assert str(served.asked[0].url) == f"http://edge.test{asked}"


def test_a_list_that_lacks_sites_says_so_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = [{"upstream": "upstream:meters", "prefix": "meters/", "fault": "down"}]
    answer = {"sites": [{"name": "s"}], "count": 1, "unanswered": missing}
    result, _ = run(monkeypatch, "sites", httpx.Response(200, json=answer))
    assert (result.exit_code, result.stdout) == (0, "s\n")
    assert result.stderr == "Incomplete: upstream:meters does not list its sites (meters/): down\n"


def test_warm_sends_points_and_days(monkeypatch: pytest.MonkeyPatch) -> None:
    _, served = run(monkeypatch, "warm s a b --days 3", httpx.Response(202, json=job("queued")))
    assert json.loads(served.asked[0].content) == {"site": "s", "points": ["a", "b"], "days": 3}


def test_points_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = run(monkeypatch, "points s --json", httpx.Response(200, json=POINTS))
    assert '"intervalSeconds": 60' in result.stdout


def test_get_prints_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = run(monkeypatch, "get s a --start -1d --every 1h", series({"a": [[0, 1.5]]}))
    assert result.stdout == 'point_name,timestamp,value\n"a",1970-01-01T00:00:00.000Z,1.5\n'


def test_get_writes_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answers = [httpx.Response(202, json=DONE), httpx.Response(200, text="h\r\n")]
    result, _ = run(monkeypatch, f"get s a --start -1d -o {tmp_path}/a.csv", *answers)
    assert result.exit_code == 0, result.output
    assert "a.csv: 3 bytes" in result.stderr
    assert result.stdout == ""


def test_watch_writes_the_result(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answers = [httpx.Response(200, json=DONE), httpx.Response(200, text="h\r\n")]
    result, _ = run(monkeypatch, f"job watch a-1 -o {tmp_path}/a.csv", *answers)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "a.csv").read_bytes() == b"h\r\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [("sites", "503 unavailable: down"), ("get s a --start -1d -o a.xlsx", "name the file *.parquet")],
)
def test_a_no_is_a_sentence_and_a_status(monkeypatch: pytest.MonkeyPatch, words: str, says: str) -> None:
    result, _ = run(monkeypatch, words, problem(503, detail="down"))
    assert result.exit_code == 1
    assert says in result.stderr
    assert "Traceback" not in result.output
