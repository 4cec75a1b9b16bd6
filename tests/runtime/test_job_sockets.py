"""The events of a job over a WebSocket, read by a real client of Node."""

import json
import subprocess
from typing import Any

import httpx
import pytest

from local.hosting import NODE
from local.stack import Stack, StackOptions
from tests.runtime.conftest import SAMPLE, Running

pytestmark = pytest.mark.runtime

ASKED = {
    "site": "opengrid_hourly",
    "points": ["elec_d209", "elec_e1de"],
    "start_time": "2016-01-01T00:00:00Z",
    "end_time": "2017-01-01T00:00:00Z",
}
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


def test_a_key_comes_as_a_subprotocol(tmp_path_factory: pytest.TempPathFactory) -> None:
    options = StackOptions(
        wake_all=False, state=tmp_path_factory.mktemp("keyed"), data=SAMPLE, settings={"auth": "keys"}
    )
    with Stack(options) as stack:
        bearer = {"Authorization": f"Bearer {stack.admin_key}"}
        with httpx.Client(base_url=stack.url, headers=bearer, trust_env=False, timeout=60) as client:
            job = client.post("/api/jobs", json=ASKED).json()
        told = followed(stack.url, job["jobId"], "edgeseries", f"key.{stack.admin_key}")
        assert told["code"] == 1000
        assert followed(stack.url, job["jobId"], "edgeseries")["code"] == 1006
