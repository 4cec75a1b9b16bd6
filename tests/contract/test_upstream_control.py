"""The simulator over HTTP: faults, settings and counts, and the process that serves it.

All data here is made by hand as test fixtures; none of it was measured.
"""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.upstream.background import running
from local.upstream.truth import Truth
from tests.loopback import NO_CERTIFICATES

DAY = {"start_time": "2022-03-01T00:00:00Z", "end_time": "2022-03-02T00:00:00Z"}
RAW_PAGES = {**DAY, "raw_data": "true", "page_size": "3"}
PAGES = "/sites/north/timeseries/paginated"
STALL_MS = 20
EXIT_DEADLINE_S = 10
ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    samples = "".join(f"2022-03-01T00:{minute:02}:00Z,{minute}\n" for minute in range(8))
    samples += "2022-03-02T00:00:00Z,midnight\n"
    (tmp_path / "north").mkdir()
    (tmp_path / "north" / "p|1.csv.gz").write_bytes(gzip.compress(f"timestamp,value\n{samples}".encode()))
    return tmp_path


class Upstream:
    """A running simulator as a test sees it."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.root = str(client.base_url).removesuffix("/").removesuffix("/api")

    def control(self, **change: object) -> dict[str, Any]:
        response = self.client.post(f"{self.root}/_control", json=change)
        assert response.status_code == 200, response.text
        shown: dict[str, Any] = response.json()
        return shown

    def refused(self, body: bytes) -> list[str]:
        response = self.client.post(f"{self.root}/_control", content=body)
        assert response.status_code == 400
        faults: list[str] = response.json()["faults"]
        return faults

    def stats(self) -> dict[str, Any]:
        counts: dict[str, Any] = self.client.get(f"{self.root}/_stats").json()
        return counts

    def page(self, cursor: str | None = None) -> dict[str, Any]:
        response = self.client.get(PAGES, params={**RAW_PAGES, **({"cursor": cursor} if cursor else {})})
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    def values(self, **query: str) -> list[str]:
        response = self.client.get("/sites/north/timeseries", params={**DAY, **query})
        assert response.status_code == 200, response.text
        return [row["value"] for row in response.json()["point_samples"]]


@pytest.fixture
def upstream(folder: Path) -> Iterator[Upstream]:
    with (
        running(Truth(folder)) as url,
        httpx.Client(base_url=url, trust_env=False, verify=NO_CERTIFICATES) as client,
    ):
        yield Upstream(client)


def test_429_with_and_without_retry_after(upstream: Upstream) -> None:
    upstream.control(rate_429=1, retry_after_s=7)
    response = upstream.client.get("/sites/")
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert response.json()["message"]
    upstream.control(retry_after_s=None)
    assert "retry-after" not in upstream.client.get("/sites/").headers


def test_more_calls_at_once_than_it_takes_are_429_and_others_are_answered(upstream: Upstream) -> None:
    upstream.control(max_calls=2, latency_ms=STALL_MS)
    with ThreadPoolExecutor(max_workers=6) as pool:
        statuses = list(pool.map(lambda _: upstream.client.get("/sites/").status_code, range(6)))
    assert statuses.count(200) >= 2
    assert set(statuses) == {200, 429}
    assert upstream.client.get("/sites/").status_code == 200
    assert upstream.control(reset=True)["max_calls"] is None


def test_500(upstream: Upstream) -> None:
    upstream.control(rate_500=1)
    response = upstream.client.get("/sites/")
    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


def test_reset_comes_before_any_byte_and_is_a_reset(upstream: Upstream) -> None:
    upstream.control(rate_reset=1)
    with pytest.raises(httpx.ReadError):
        upstream.client.get("/sites/")
    assert upstream.control(reset=True)["rate_reset"] == 0
    assert upstream.client.get("/sites/").status_code == 200


def test_stall_sends_headers_then_nothing(upstream: Upstream) -> None:
    upstream.control(rate_stall=1, stall_ms=STALL_MS)
    with upstream.client.stream("GET", "/sites/") as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("application/json")
        with pytest.raises(httpx.TransportError):
            response.read()


def test_a_client_that_gives_up_on_a_stall_does_not_keep_the_server_from_stopping(folder: Path) -> None:
    with (
        running(Truth(folder)) as url,
        httpx.Client(base_url=url, trust_env=False, verify=NO_CERTIFICATES) as client,
    ):
        Upstream(client).control(rate_stall=1, stall_ms=600_000)
        with client.stream("GET", "/sites/", timeout=0.05) as response, pytest.raises(httpx.ReadTimeout):
            response.read()


def test_truncated_bodies_are_framed_as_if_whole(upstream: Upstream) -> None:
    whole = upstream.client.get(PAGES, params=RAW_PAGES).content
    upstream.control(rate_truncated=1, reset_stats=True)
    response = upstream.client.get(PAGES, params=RAW_PAGES)
    assert response.status_code == 200
    assert whole.startswith(response.content)
    assert int(response.headers["content-length"]) == len(response.content) < len(whole)
    with pytest.raises(json.JSONDecodeError):
        response.json()
    assert upstream.stats()["samples"] == 0
    assert upstream.stats()["by_fault"] == {"truncated": 1}


def test_empty_pages_lose_nothing_and_end(upstream: Upstream) -> None:
    upstream.control(rate_empty_page=1)
    sizes: list[int] = []
    values: list[str] = []
    cursor: str | None = None
    while len(sizes) < 20:
        body = upstream.page(cursor)
        sizes.append(len(body["point_samples"]))
        values += [row["value"] for row in body["point_samples"]]
        cursor = body["next_cursor"]
        assert body["has_more"] is (cursor is not None)
        if cursor is None:
            break
    assert sizes == [0, 3, 0, 3, 0, 2]
    assert values == [str(minute) for minute in range(8)]
    assert upstream.stats()["by_fault"] == {"empty_page": 3}


def test_a_cursor_can_repeat_for_ever(upstream: Upstream) -> None:
    upstream.control(repeat_cursor=True)
    first = upstream.page()
    second = upstream.page(first["next_cursor"])
    third = upstream.page(second["next_cursor"])
    assert first["next_cursor"] == second["next_cursor"] == third["next_cursor"]
    assert second == third
    assert second["has_more"] is True
    upstream.control(repeat_cursor=False)
    assert upstream.page(first["next_cursor"])["next_cursor"] != first["next_cursor"]


def test_a_last_page_repeats_too(upstream: Upstream) -> None:
    upstream.control(repeat_cursor=True)
    query = {**RAW_PAGES, "page_size": "10"}
    first = upstream.client.get(PAGES, params=query).json()
    assert (len(first["point_samples"]), first["has_more"]) == (8, True)
    again = upstream.client.get(PAGES, params={**query, "cursor": first["next_cursor"]}).json()
    assert again == {"point_samples": [], "next_cursor": first["next_cursor"], "has_more": True}


def test_the_end_of_ranges_can_be_included(upstream: Upstream) -> None:
    assert upstream.values()[-1] == "7"
    upstream.control(end_inclusive=True)
    assert upstream.values()[-1] == "midnight"
    for path in ("/points/p%7C1/timeseries", PAGES):
        found = upstream.client.get(path, params={**DAY, "raw_data": "true"}).json()["point_samples"]
        assert found[-1]["value"] == "midnight"


@pytest.mark.parametrize(
    ("shape", "objects", "strings"),
    [("objects", 200, 400), ("strings", 400, 200), ("both", 200, 200), ("none", 404, 404)],
)
def test_the_batch_shape_is_a_setting(upstream: Upstream, shape: str, objects: int, strings: int) -> None:
    upstream.control(batch_shape=shape)
    for points, status in (([{"name": "p|1"}], objects), (["p|1"], strings)):
        response = upstream.client.post("/points/get_timeseries", params=DAY, json={"points": points})
        assert response.status_code == status
        if status == 200:
            assert len(response.json()["point_samples"]) == 8


def test_late_samples_are_known_from_then_on(upstream: Upstream) -> None:
    assert upstream.values() == [str(minute) for minute in range(8)]
    first = upstream.page()
    late = [{"site": "north", "point": "p|1", "samples": [["2022-03-01T00:01:00Z", "late"]]}]
    assert upstream.control(late=late)["late"] == late
    assert upstream.values()[:4] == ["0", "1", "late", "2"]
    # A walk that has passed them goes on where it was.
    assert [row["value"] for row in upstream.page(first["next_cursor"])["point_samples"]] == ["3", "4", "5"]
    upstream.control(late=[{**late[0], "samples": [["2022-03-01T23:00:00.5Z", "NaN"]]}])
    assert upstream.values()[-1] == "NaN"
    assert upstream.control(reset=True)["late"] == []
    assert upstream.values() == [str(minute) for minute in range(8)]


def test_only_spares_other_endpoints(upstream: Upstream) -> None:
    upstream.control(rate_500=1, only=["site_timeseries"])
    assert upstream.client.get("/sites/").status_code == 200
    assert upstream.client.get("/sites/north/timeseries", params=DAY).status_code == 500


def test_a_seed_repeats_the_faults(upstream: Upstream) -> None:
    def statuses(seed: int) -> list[int]:
        upstream.control(rate_500=0.5, seed=seed)
        return [upstream.client.get("/sites/").status_code for _ in range(24)]

    first = statuses(1)
    assert set(first) == {200, 500}
    assert statuses(1) == first
    assert statuses(2) != first


def test_latency_is_waited_and_only_where_it_applies(upstream: Upstream) -> None:
    upstream.control(latency_ms=600_000, only=["sites"])
    assert upstream.client.get("/sites/north").status_code == 200
    with pytest.raises(httpx.ReadTimeout):
        upstream.client.get("/sites/", timeout=0.05)


def test_a_bad_change_changes_nothing_and_lists_every_fault(upstream: Upstream) -> None:
    before = upstream.control(latency_ms=1)
    faults = upstream.refused(b'{"latency_ms": 2, "rate_429": 2, "nonsense": 1, "reset": true}')
    assert [fault.partition(":")[0] for fault in faults] == ["rate_429", "nonsense"]
    unknown = b'{"late": [{"site": "south", "point": "p|1", "samples": []}]}'
    assert upstream.refused(unknown) == ["late: south has no point 'p|1'"]
    assert upstream.refused(b"{")
    assert upstream.refused(b"[]")
    assert upstream.refused(b"\xff")
    assert upstream.client.get(f"{upstream.root}/_control").json() == before
    assert set(before) >= {"rate_reset", "rate_stall", "stall_ms", "rate_truncated", "batch_shape", "only"}


def test_stats_count_calls_faults_and_samples(upstream: Upstream) -> None:
    body = upstream.page()
    upstream.page(body["next_cursor"])
    upstream.control(end_inclusive=True)
    upstream.values()
    upstream.control(rate_500=1)
    upstream.client.get("/points/p%7C1")
    upstream.client.get("/nowhere")
    assert upstream.stats() == {
        "calls": 5,
        "samples": 15,
        "by_endpoint": {"point": 1, "site_timeseries": 1, "site_timeseries_paginated": 2, "unknown": 1},
        "by_fault": {"500": 2},
        "by_point_day": {"p|1|2022-03-01": 14, "p|1|2022-03-02": 1},
        "named_by_point_day": {},
    }
    upstream.control(reset_stats=True)
    assert upstream.stats() == {
        "calls": 0,
        "samples": 0,
        "by_endpoint": {},
        "by_fault": {},
        "by_point_day": {},
        "named_by_point_day": {},
    }


def started(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local.upstream", "--port", "0", "--data", str(folder), *options],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ready_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().rstrip("\n")
    told, _, url = line.rpartition(" ")
    assert told == "upstream simulator ready on"
    return url


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_serves_and_stops_on_a_signal(folder: Path, number: signal.Signals) -> None:
    with started(folder, "--token", "t") as process:
        url = ready_url(process)
        assert httpx.get(f"{url}/sites/", trust_env=False, verify=NO_CERTIFICATES).status_code == 401
        os.kill(process.pid, number)
        assert process.wait(EXIT_DEADLINE_S) == 0


def test_the_process_stops_with_its_parent(folder: Path) -> None:
    with started(folder, "--stop-with-parent") as process:
        ready_url(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(EXIT_DEADLINE_S) == 0


def test_without_a_parent_to_watch_the_end_of_input_is_nothing(folder: Path) -> None:
    with started(folder) as process:
        url = ready_url(process)
        assert process.stdin is not None
        process.stdin.close()
        assert httpx.get(f"{url}/sites/", trust_env=False, verify=NO_CERTIFICATES).status_code == 200
        process.terminate()


def test_a_folder_without_data_ends_the_process_with_a_reason(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.upstream", "--port", "0", "--data", str(tmp_path / "nowhere")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "nowhere is not a folder" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_is_taken_ends_the_process_with_a_reason(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "local.upstream", "--port", port, "--data", str(folder)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert port in ended.stderr
    assert "Traceback" not in ended.stderr
