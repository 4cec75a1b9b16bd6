"""Events on the local host: a made-up Worker with every binding, on real workerd.

What a Worker may count on in production must hold here, and what fails there must fail here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from local.host_plan import Script
from local.hosting import Host, HostError
from local.logs import LogLine
from local.plan import plan_host
from stack.bundle import vendored_sdk
from tests.loopback import NO_CERTIFICATES
from tests.made_graph import BINDINGS, DATA, JAVASCRIPT, PYTHON, Modules, graph_of, resource, stores, worker
from tests.processes import eventually

pytestmark = pytest.mark.runtime

TIMEOUT_S = 60.0
CRON = "*/15 * * * *"

FRONT = """
import asyncio
import json
import logging
import sys

import js
import made_up_vendored
from made_up_extra import NAME
from package.inside import VALUE
from workers import Response, WorkerEntrypoint, import_from_javascript

COUNT = {"isolate": 0}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        name = request.js_object.url.split("/", 3)[3].split("?")[0]
        COUNT["isolate"] += 1
        return await getattr(self, f"on_{name}")(request)

    async def on_hello(self, request):
        return Response.json({"greeting": self.env.GREETING, "token": self.env.TOKEN})

    async def on_fail(self, request):
        raise ValueError("made-up failure")

    async def on_nothing(self, request):
        return None

    async def on_modules(self, request):
        return Response.json([VALUE, NAME, made_up_vendored.WHERE])

    async def on_path(self, request):
        places = [folder for folder in sys.path if folder.startswith("/session/metadata")]
        stdlib = next(index for index, folder in enumerate(sys.path) if folder.endswith(".zip"))
        return Response.json({"places": places, "stdlib_first": stdlib < sys.path.index(places[0])})

    async def on_javascript(self, request):
        module = import_from_javascript("./package/twice.mjs")
        zlib = import_from_javascript("node:zlib")
        return Response.json([module.twice(21), bool(zlib.brotliCompressSync)])

    async def on_env(self, request):
        return Response.json(sorted(js.Object.keys(self.env._env).to_py()))

    async def on_process(self, request):
        return Response.json([type(js.process).__name__ != "JsNull", hasattr(js, "location")])

    async def on_rows(self, request):
        await self.env.DB.prepare("INSERT INTO seen (note) VALUES (?)").bind("by fetch").run()
        found = await self.env.DB.prepare("SELECT note FROM seen WHERE note = ?").bind("by fetch").all()
        return Response.json([row["note"] for row in found.results])

    async def on_object(self, request):
        await self.env.CACHE.put("made-up-key", b"bytes")
        found = await self.env.CACHE.get("made-up-key")
        return Response(bytes(await found.arrayBuffer()))

    async def on_rate(self, request):
        return Response.json([(await self.env.RATE.limit({"key": "one"})).success for _ in range(5)])

    async def on_dataset(self, request):
        self.env.EVENTS.writeDataPoint({"blobs": ["made up"], "doubles": [1], "indexes": ["x"]})
        return Response("written")

    async def on_send(self, request):
        await self.env.JOBS.send({"note": "sent by fetch"})
        return Response("sent")

    async def on_talk(self, request):
        print("a word to stdout")
        print("a word to stderr", file=sys.stderr)
        js.console.warn("a word to the console")
        logging.getLogger("made_up").warning("a word to logging")
        return Response("said")

    async def on_later(self, request):
        async def pump():
            await asyncio.sleep(0.05)
            await self.env.DB.prepare("INSERT INTO seen (note) VALUES ('later')").run()
        self.ctx.waitUntil(asyncio.ensure_future(pump()))
        return Response("now")

    async def on_slow(self, request):
        await asyncio.sleep(0.5)
        return Response("slow")
"""

BACK = """
import json

from workers import WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def note(self, text):
        await self.env.DB.prepare("INSERT INTO seen (note) VALUES (?)").bind(text).run()

    async def queue(self, batch, env, ctx):
        # As in production: workerd passes undefined for both to a class, whose constructor had them.
        assert (env, ctx) == (None, None)
        for message in batch.messages:
            note = message.body["note"]
            await self.note(f"{batch.queue} {note} attempt {message.attempts}")
            if batch.queue == "made-up-jobs" and note == "retry me":
                message.retry()
            elif batch.queue == "made-up-jobs" and note == "break me":
                raise RuntimeError("made-up queue failure")
            else:
                message.ack()

    async def scheduled(self, controller, env, ctx):
        await self.note(f"cron {controller.cron} at {controller.scheduledTime > 1_600_000_000_000}")
"""

SHORT = """
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def scheduled(self, controller):
        pass
"""

BESIDE = Script(
    name="made-up-beside",
    path="/beside/",
    source="""
export default {
  async fetch(request, env) {
    const object = await env.CACHE.get(new URL(request.url).pathname.slice("/beside/".length));
    return new Response(object.body, { headers: { "x-greeting": env.GREETING } });
  },
};
""",
)

TWICE = b"export function twice(number) { return 2 * number; }"


def sdk() -> Modules:
    return {module.name: (module.content_type, module.content) for module in vendored_sdk()}


def entry(source: str) -> Modules:
    return {"entry.py": (PYTHON, source.encode()), **sdk()}


FRONT_MODULES: Modules = {
    **entry(FRONT),
    "package/__init__.py": (PYTHON, b""),
    "package/inside.py": (PYTHON, b"VALUE = 'inside'"),
    "package/twice.mjs": (JAVASCRIPT, TWICE),
    "python_modules/made_up_vendored.py": (DATA, b"WHERE = 'vendored'"),
    # A module of the standard library, which must win, as it does in production.
    "json.py": (PYTHON, b"raise ImportError('the bundle hides the standard library')"),
    "python_modules/made_up.pth": (DATA, b"/session/metadata/python_modules/extra\n"),
    "python_modules/extra/made_up_extra.py": (DATA, b"NAME = 'by a .pth file'"),
}


@contextmanager
def running(state: Path, logs: list[LogLine]) -> Iterator[Host]:
    database = [binding for binding in BINDINGS if binding["name"] == "DB"]
    settings = {"batchSize": 1, "maxWaitTimeMs": 100, "maxRetries": 2, "retryDelay": 0}
    resources = [
        *stores(),
        *worker("front", FRONT_MODULES, public=True, bindings=BINDINGS),
        *worker("back", entry(BACK), bindings=database),
        *worker("short", entry(SHORT)),
        resource(
            "QueueConsumer",
            "jobs",
            queueId="queue-jobs",
            scriptName="made-up-back",
            deadLetterQueue="made-up-dead",
            settings=settings,
        ),
        resource("QueueConsumer", "dead", queueId="queue-dead", scriptName="made-up-back", settings=settings),
    ]
    schema = ("CREATE TABLE IF NOT EXISTS seen (note TEXT);",)
    plan = replace(plan_host(graph_of(resources), schema=schema), scripts=(BESIDE,))
    with Host(plan, state=state, on_log=logs.append) as host:
        yield host


@pytest.fixture(scope="module")
def logs() -> list[LogLine]:
    return []


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, logs: list[LogLine]) -> Iterator[Host]:
    with running(tmp_path_factory.mktemp("state"), logs) as host:
        yield host


@pytest.fixture(scope="module")
def client(host: Host) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=host.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES
    ) as client:
        yield client


def notes(host: Host) -> list[str]:
    return [row["note"] for row in host.query("SELECT note FROM seen ORDER BY rowid")]


def said(logs: list[LogLine], words: str) -> list[LogLine]:
    return [line for line in list(logs) if words in line.text]


def test_variables_and_secrets_arrive_as_strings(client: httpx.Client) -> None:
    assert client.get("/hello").json() == {"greeting": "good day", "token": "s3cret"}


def test_a_script_beside_answers_on_its_paths_with_the_bindings_of_the_public_worker(
    client: httpx.Client, host: Host
) -> None:
    host.put_object("made-up-beside", b"bytes")
    found = client.get("/beside/made-up-beside")
    assert (found.content, found.headers["x-greeting"]) == (b"bytes", "good day")
    assert client.get("/hello").json()["greeting"] == "good day"


def test_nothing_of_the_host_is_among_the_bindings(client: httpx.Client) -> None:
    assert client.get("/env").json() == sorted(binding["name"] for binding in BINDINGS)


def test_an_exception_is_an_answer_500_without_a_word_and_a_traceback_in_the_log(
    client: httpx.Client, logs: list[LogLine]
) -> None:
    answer = client.get("/fail")
    assert (answer.status_code, answer.text) == (500, "internal error")
    eventually(lambda: said(logs, "made-up failure"), "the traceback in the log")
    (line,) = said(logs, "made-up failure")
    assert (line.source, line.level) == ("front", "error")
    assert line.text.startswith("Traceback (most recent call last):")
    assert 'File "/session/metadata/entry.py"' in line.text
    assert line.text.endswith("ValueError: made-up failure")


def test_a_handler_that_answers_nothing_fails(client: httpx.Client, logs: list[LogLine]) -> None:
    answer = client.get("/nothing")
    assert (answer.status_code, answer.text) == (500, "internal error")
    eventually(lambda: said(logs, "gave no Response"), "the reason in the log")


def test_the_bundle_is_laid_out_as_in_production(client: httpx.Client) -> None:
    assert client.get("/modules").json() == ["inside", "by a .pth file", "vendored"]
    path = client.get("/path").json()
    assert path["places"][:2] == ["/session/metadata", "/session/metadata/python_modules"]
    assert path["stdlib_first"]


def test_javascript_of_the_bundle_and_of_node_is_imported(client: httpx.Client) -> None:
    assert client.get("/javascript").json() == [42, True]


def test_the_boot_leaves_the_globals_as_production_has_them(client: httpx.Client) -> None:
    has_process, has_location = client.get("/process").json()
    assert has_process
    assert not has_location


def test_d1_r2_rate_limit_and_dataset(client: httpx.Client, host: Host) -> None:
    assert client.get("/rows").json() == ["by fetch"]
    assert client.get("/object").content == b"bytes"
    assert host.get_object("made-up-key") == b"bytes"
    assert client.get("/rate").json() == [True, True, True, False, False]
    assert client.get("/dataset").text == "written"


def test_a_sent_message_arrives(client: httpx.Client, host: Host) -> None:
    client.get("/send").raise_for_status()
    eventually(lambda: "made-up-jobs sent by fetch attempt 1" in notes(host), "the message")


@pytest.mark.parametrize("note", ["retry me", "break me"])
def test_a_message_that_fails_is_retried_and_then_a_dead_letter(host: Host, note: str) -> None:
    host.send("made-up-jobs", [{"note": note}])
    eventually(lambda: f"made-up-dead {note} attempt 1" in notes(host), "the dead letter")
    assert [text for text in notes(host) if note in text] == [
        f"made-up-jobs {note} attempt 1",
        f"made-up-jobs {note} attempt 2",
        f"made-up-jobs {note} attempt 3",
        f"made-up-dead {note} attempt 1",
    ]


def test_a_queue_handler_that_raises_has_its_traceback_in_the_log(host: Host, logs: list[LogLine]) -> None:
    host.send("made-up-jobs", [{"note": "break me"}])
    eventually(lambda: said(logs, "RuntimeError: made-up queue failure"), "the traceback")
    assert said(logs, "RuntimeError: made-up queue failure")[0].source == "back"


def test_a_schedule_fires_with_its_cron(host: Host) -> None:
    host.fire_schedule("made-up-back", CRON)
    assert f"cron {CRON} at True" in notes(host)


def test_a_scheduled_handler_must_take_all_its_parameters(host: Host, logs: list[LogLine]) -> None:
    with pytest.raises(HostError, match="made-up-short"):
        host.fire_schedule("made-up-short", CRON)
    eventually(lambda: said(logs, "positional argument"), "the TypeError in the log")


def test_lines_of_python_and_javascript_reach_the_log_with_their_level(
    client: httpx.Client, logs: list[LogLine]
) -> None:
    client.get("/talk").raise_for_status()
    eventually(lambda: said(logs, "a word to logging"), "the last line")
    assert {line.text: (line.source, line.level) for line in said(logs, "a word to")} == {
        "a word to stdout": ("front", "info"),
        "a word to stderr": ("front", "error"),
        "a word to the console": ("front", "warn"),
        "a word to logging": ("front", "error"),
    }


def test_work_handed_to_wait_until_is_finished_after_the_answer(client: httpx.Client, host: Host) -> None:
    assert client.get("/later").text == "now"
    eventually(lambda: "later" in notes(host), "the later row")


def test_a_client_that_goes_away_harms_nobody_else(client: httpx.Client, host: Host) -> None:
    for _ in range(5):
        with pytest.raises(httpx.TimeoutException):
            httpx.get(f"{host.url}/slow", timeout=0.1, trust_env=False, verify=NO_CERTIFICATES)
    assert client.get("/slow").text == "slow"
    assert client.get("/hello").status_code == 200


def test_the_host_has_no_verbs_and_no_addresses_of_its_own_in_public(client: httpx.Client) -> None:
    # Whatever the path and the host name, the Worker answers, here by failing on the path.
    for path in ("/wake", "/open", "/cdn-cgi/handler/scheduled?cron=x", "/cdn-cgi/mf/scheduled"):
        answer = client.get(path, headers={"Host": "local-host-control"})
        assert answer.status_code != 200, path


def test_control_calls_reach_every_resource(host: Host) -> None:
    host.put_object("blocks/a", b"\x00\xff")
    host.put_object("blocks/b", b"")
    assert host.list_objects("blocks/") == ["blocks/a", "blocks/b"]
    assert host.get_object("blocks/a") == b"\x00\xff"
    host.delete_object("blocks/a")
    assert host.get_object("blocks/a") is None
    assert host.query("SELECT ? AS number, ? AS empty", 7, None) == [{"number": 7, "empty": None}]


def test_control_calls_that_make_no_sense_are_refused(host: Host) -> None:
    with pytest.raises(HostError, match="no such table: nowhere"):
        host.query("SELECT * FROM nowhere")
    with pytest.raises(HostError, match="no queue resource is named nowhere"):
        host.send("nowhere", [1])
    with pytest.raises(HostError, match="unknown op juggle"):
        host.control("juggle")
    with pytest.raises(HostError, match="nobody"):
        host.fire_schedule("nobody", CRON)
