"""Events of a job over a WebSocket, read by a real client of Node; a job beside the questions of keys."""

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from local.hosting import NODE
from local.stack import Stack, StackOptions
from tests.loopback import NO_CERTIFICATES
from tests.runtime.conftest import SAMPLE, Running
from tests.runtime.jobs_stack import ENDED, PATIENCE_S, POLL_S

pytestmark = pytest.mark.runtime

ASKED = {
    "site": "opengrid_hourly",
    "points": ["elec_d209", "elec_e1de"],
    "start_time": "2016-01-01T00:00:00Z",
    "end_time": "2017-01-01T00:00:00Z",
}
QUESTION = {
    "site": "opengrid_minute",
    "points": "water_2923",
    "start_time": "2015-03-02T06:00:00Z",
    "end_time": "2015-03-02T07:00:00Z",
}
PAST_THE_STORE = {"Cache-Control": "no-store"}
YEARS = {
    "site": "opengrid_minute",
    "points": ["water_1a5c", "water_6616", "water_a519"],
    "start_time": "2015-03-01T00:00:00Z",
    "end_time": "2015-04-01T00:00:00Z",
}
"""About twenty calls."""

MOST_LOOKS = int(PATIENCE_S / POLL_S)
PROGRAM = """
const [url, protocols] = JSON.parse(process.argv[1]);
const told = { messages: [] };
const socket = new WebSocket(url, protocols);
socket.addEventListener("message", ({ data }) => told.messages.push(JSON.parse(data)));
socket.addEventListener("close", ({ code }) => {
  console.log(JSON.stringify({ ...told, code, protocol: socket.protocol }));
});
"""


def followed(url: str, job_id: str, *protocols: str) -> dict[str, Any]:
    """What a client gets until the socket closes."""
    address = f"{url.replace('http', 'ws', 1)}/api/jobs/{job_id}/socket"
    words = [str(NODE), "--input-type=module", "-e", PROGRAM, json.dumps([address, protocols])]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def samples_of(content: bytes) -> str:
    """The samples of an answer, without what it says of itself."""
    return json.dumps(json.loads(content)["data"])


def test_every_change_comes_as_a_message_to_the_end(running: Running) -> None:
    job = running.client.post("/api/jobs", json=ASKED).json()
    told = followed(running.stack.url, job["jobId"], "edgeseries")
    assert (told["code"], told["protocol"]) == (1000, "edgeseries")
    assert told["messages"][-1]["event"] == "completed"
    assert told["messages"][-1]["job"]["resultParts"] == 1
    progress = [message["job"]["progress"] for message in told["messages"]]
    assert progress == sorted(progress)
    events = running.client.get(f"/api/jobs/{job['jobId']}/events").text
    assert f"id: {told['messages'][-1]['id']}\n" in events
    assert len(followed(running.stack.url, job["jobId"])["messages"]) == 1


def test_what_is_no_socket_is_told_so(running: Running) -> None:
    job = running.client.post("/api/jobs", json=ASKED).json()
    refused = running.client.get(f"/api/jobs/{job['jobId']}/socket")
    assert refused.status_code == 400
    assert "/events" in refused.json()["detail"]


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    options = StackOptions(
        wake_all=False, state=tmp_path_factory.mktemp("keyed"), data=SAMPLE, settings={"auth": "keys"}
    )
    with Stack(options) as stack:
        yield stack


def client_of(stack: Stack, key: str) -> httpx.Client:
    bearer = {"Authorization": f"Bearer {key}"}
    return httpx.Client(
        base_url=stack.url, headers=bearer, trust_env=False, timeout=60, verify=NO_CERTIFICATES
    )


def test_a_key_comes_as_a_subprotocol(keyed: Stack) -> None:
    with client_of(keyed, keyed.admin_key) as client:
        job = client.post("/api/jobs", json=ASKED).json()
    told = followed(keyed.url, job["jobId"], "edgeseries", f"key.{keyed.admin_key}")
    assert told["code"] == 1000
    assert followed(keyed.url, job["jobId"], "edgeseries")["code"] == 1006


def test_a_job_and_the_questions_of_two_keys_share_an_upstream_that_takes_two_calls_at_once(
    keyed: Stack,
) -> None:
    control, stats = f"{keyed.upstream_url}/_control", f"{keyed.upstream_url}/_stats"
    with client_of(keyed, keyed.admin_key) as admin:
        sent = {"sites": ["*"], "rights": ["read"], "tier": "bulk"}
        keys = [admin.post("/api/keys", json={"owner": one, **sent}).json()["key"] for one in "ab"]
        expected = admin.get("/api/timeseries", params=QUESTION, headers=PAST_THE_STORE).content
        httpx.post(
            control, json={"max_calls": 2, "latency_ms": 150, "reset_stats": True}, verify=NO_CERTIFICATES
        )
        job_id = admin.post("/api/jobs", json=YEARS).json()["jobId"]
        job: dict[str, Any] = {}

        def asks(key: str) -> list[tuple[int, bytes]]:
            """One question after the other, until the job has ended."""
            answers = []
            with client_of(keyed, key) as client:
                while job.get("status") not in ENDED:
                    answer = client.get("/api/timeseries", params=QUESTION, headers=PAST_THE_STORE)
                    answers.append((answer.status_code, answer.content))
            return answers

        with ThreadPoolExecutor(max_workers=4) as pool:
            asking = [pool.submit(asks, key) for key in (*keys, *keys)]
            for _ in range(MOST_LOOKS):
                job.update(admin.get(f"/api/jobs/{job_id}").json())
                if job["status"] in ENDED:
                    break
                time.sleep(POLL_S)
            job.setdefault("status", "hangs")
            ended, job["status"] = job["status"], "completed"
        answers = [one.result() for one in asking]
        told = httpx.get(stats, verify=NO_CERTIFICATES).json()
        httpx.post(control, json={"reset": True}, verify=NO_CERTIFICATES)
    assert ended == "completed", job
    assert all(len(some) > 1 for some in answers), "while the job runs, each is answered again and again"
    assert {status for some in answers for status, _ in some} == {200}
    assert {samples_of(content) for some in answers for _, content in some} == {samples_of(expected)}
    assert told["by_fault"]["429"] > 0, "the bound was met"
