"""Limits of the platform on the local host: a made-up Worker that passes each on purpose, on real workerd.

The larger ones are lowered, so that passing them takes no minutes.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from local.hosting import Host, HostError
from local.limits import PassedLimit, with_values
from local.logs import LogLine
from local.plan import plan_host
from stack.bundle import vendored_sdk
from tests.loopback import NO_CERTIFICATES
from tests.made_graph import BINDINGS, PYTHON, Modules, graph_of, resource, stores, worker
from tests.processes import eventually

pytestmark = pytest.mark.runtime

TIMEOUT_S = 60.0
CRON = "*/15 * * * *"

FRONT = """
import asyncio
import json
import time

import js
from pyodide.ffi import to_js
from workers import Response, WorkerEntrypoint, import_from_javascript


def plain(value):
    return to_js(value, dict_converter=js.Object.fromEntries)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = js.URL.new(request.js_object.url)
        self.here = url
        self.times = int(url.searchParams.get("times") or "1")
        # As the product reaches its bindings: past the SDK's wrapper, the same objects at every event.
        self.raw = import_from_javascript("cloudflare:workers").env
        try:
            answer = await getattr(self, "on_" + url.pathname[1:])()
        except Exception as error:
            return Response(str(error), status=503)
        return Response.json(answer) if not hasattr(answer, "js_object") else answer

    async def on_nothing(self):
        return None

    async def on_gets(self):
        for number in range(self.times):
            await self.raw.CACHE.get(f"nothing-{number}")

    async def on_wrapped_gets(self):
        for number in range(self.times):
            await self.env.CACHE.get(f"nothing-{number}")

    async def on_statements(self):
        for number in range(self.times):
            await self.raw.DB.prepare("SELECT 1").bind().raw()

    async def on_batch(self):
        await self.raw.DB.batch(plain([self.raw.DB.prepare("SELECT 1").bind() for _ in range(self.times)]))

    async def on_colo(self):
        for number in range(self.times):
            await js.caches.default.match(f"https://made-up.invalid/{number}")

    async def on_points(self):
        for number in range(self.times):
            self.raw.EVENTS.writeDataPoint(plain({"blobs": ["a"], "doubles": [number]}))

    async def on_point_fields(self):
        self.raw.EVENTS.writeDataPoint(plain({"doubles": list(range(self.times))}))

    async def on_side_by_side(self):
        await asyncio.gather(*(self.raw.CACHE.get(f"nothing-{number}") for number in range(self.times)))

    async def on_later(self):
        async def work():
            for _ in range(self.times):
                await self.raw.DB.prepare("SELECT 1").bind().raw()
                await asyncio.sleep(0)
        self.ctx.waitUntil(asyncio.ensure_future(work()))

    async def on_stream(self):
        channel = js.IdentityTransformStream.new()
        async def pump(writer):
            for number in range(self.times):
                await self.raw.CACHE.get(f"nothing-{number}")
                await writer.write(to_js(b"a piece"))
            await asyncio.sleep(2.5)
            await writer.close()
        self.ctx.waitUntil(asyncio.ensure_future(pump(channel.writable.getWriter())))
        return Response(channel.readable)

    async def on_linger(self):
        self.ctx.waitUntil(asyncio.ensure_future(asyncio.sleep(self.times / 1000)))

    async def on_busy(self):
        end = time.perf_counter() + self.times / 1000
        while time.perf_counter() < end:
            pass

    async def on_talk(self):
        js.console.log("x" * self.times)

    async def on_write_twice(self):
        await self.raw.CACHE.put("made-up-key", to_js(b"one"))
        await self.raw.CACHE.put("made-up-key", to_js(b"two"))

    async def on_statement(self):
        await self.raw.DB.prepare("SELECT 1 --" + "x" * self.times).bind().raw()

    async def on_parameters(self):
        marks = ",".join("?" * self.times)
        await self.raw.DB.prepare(f"SELECT {marks}").bind(*range(self.times)).raw()

    async def on_value(self):
        await self.raw.DB.prepare("SELECT length(?)").bind("x" * self.times).raw()

    async def on_message(self):
        await self.raw.JOBS.send("x" * self.times)

    async def on_messages(self):
        await self.raw.JOBS.sendBatch(plain([{"body": "x"} for _ in range(self.times)]))

    async def on_delay(self):
        await self.raw.JOBS.send("x", plain({"delaySeconds": self.times}))

    async def on_key(self):
        await self.raw.CACHE.get("x" * self.times)

    async def on_metadata(self):
        metadata = plain({"customMetadata": {"x": "x" * self.times}})
        await self.raw.CACHE.put("with-metadata", to_js(b""), metadata)

    async def on_delete(self):
        await self.raw.CACHE.delete(plain([f"nothing-{number}" for number in range(self.times)]))

    async def on_headers(self):
        return Response("", headers={"x-long": "x" * self.times})

    async def on_point_blobs(self):
        self.raw.EVENTS.writeDataPoint(plain({"blobs": ["x" * self.times]}))

    async def on_point_index(self):
        self.raw.EVENTS.writeDataPoint(plain({"indexes": ["x" * self.times]}))

    async def on_fetches(self):
        for number in range(self.times):
            await js.fetch(js.URL.new("/nothing", self.here).href)
"""


def entry(source: str) -> Modules:
    sdk = {module.name: (module.content_type, module.content) for module in vendored_sdk()}
    return {"entry.py": (PYTHON, source.encode()), **sdk}


BACK = """
from workers import WorkerEntrypoint, import_from_javascript


class Default(WorkerEntrypoint):
    async def statements(self, times):
        database = import_from_javascript("cloudflare:workers").env.DB
        for _ in range(times):
            await database.prepare("SELECT 1").bind().raw()

    async def queue(self, batch, env, ctx):
        for message in batch.messages:
            await self.statements(message.body["times"])

    async def scheduled(self, controller, env, ctx):
        await self.statements(31)
"""

LARGE = """
from workers import WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def scheduled(self, controller, env, ctx):
        bytearray(100_000_000)
"""

LOWERED = {
    "subrequests": 50,
    "d1_queries": 30,
    "cache_calls": 20,
    "data_points": 25,
    "wait_until_ms": 2_000,
    "log_bytes": 10_000,
    "memory_bytes": 100_000_000,
}

CPU_MS = 3_000
"""More than any other event here takes on a busy machine."""


@pytest.fixture(scope="module")
def logs() -> list[LogLine]:
    return []


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, logs: list[LogLine]) -> Iterator[Host]:
    # Two messages may come in one batch; either way its statements are 31 when it is refused one.
    database = [binding for binding in BINDINGS if binding["name"] == "DB"]
    settings = {"batchSize": 5, "maxWaitTimeMs": 50, "maxRetries": 0, "retryDelay": 0}
    resources = [
        *stores(),
        *worker("front", entry(FRONT), public=True, bindings=BINDINGS),
        *worker("back", entry(BACK), bindings=database),
        *worker("large", entry(LARGE)),
        resource("QueueConsumer", "jobs", queueId="queue-jobs", scriptName="made-up-back", settings=settings),
    ]
    plan = plan_host(graph_of(resources))
    workers = tuple(replace(one, cpu_limit_ms=CPU_MS) for one in plan.workers)
    plan = replace(plan, workers=workers, limits=with_values(**LOWERED))
    with Host(plan, state=tmp_path_factory.mktemp("state"), on_log=logs.append) as host:
        yield host


@pytest.fixture(scope="module")
def client(host: Host) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=host.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES
    ) as client:
        yield client


def passed(host: Host, event: str) -> list[PassedLimit]:
    return [one for one in host.passed_limits() if one.event == event]


REFUSED = {
    ("gets", 50): ("subrequests", 51),
    ("wrapped_gets", 50): ("subrequests", 51),
    ("statements", 30): ("d1_queries", 31),
    ("batch", 30): ("d1_queries", 31),
    ("colo", 20): ("cache_calls", 21),
    ("parameters", 100): ("d1_parameters", 101),
    ("statement", 99_989): ("d1_statement_bytes", 100_001),
    ("value", 2_000_000): ("d1_value_bytes", 2_000_001),
    ("key", 1_024): ("r2_key_bytes", 1_025),
    ("metadata", 8_191): ("r2_metadata_bytes", 8_193),
    ("delete", 1_000): ("r2_keys", 1_001),
    ("message", 127_998): ("queue_message_bytes", 128_001),
    ("messages", 100): ("queue_send_messages", 101),
    ("delay", 86_400): ("queue_delay_s", 86_401),
}
"""What a path may ask for, and what one more passes."""


@pytest.mark.passes_limits(*{limit for limit, _ in REFUSED.values()})
@pytest.mark.parametrize(("path", "most"), REFUSED)
def test_a_call_that_the_platform_would_refuse_fails_and_is_told_by_name(
    host: Host, client: httpx.Client, logs: list[LogLine], path: str, most: int
) -> None:
    limit, count = REFUSED[path, most]
    marked = f"GET /{path}"
    assert client.get(f"/{path}", params={"times": most}).status_code == 200
    assert not passed(host, marked)
    over = client.get(f"/{path}", params={"times": most + 1})
    assert over.status_code == 503
    assert f"{limit}: {count} of" in over.text
    eventually(lambda: passed(host, marked), "the report")
    (one,) = passed(host, marked)
    assert (one.function, one.limit, one.count, one.allowed) == ("front", limit, count, count_of(host, limit))
    eventually(lambda: [line for line in list(logs) if line.text == str(one)], "the line in the log")


def count_of(host: Host, limit: str) -> int:
    return int(host.plan.limits[limit]["value"])


REPORTED = {
    ("points", 25): ("data_points", 26),
    ("point_fields", 20): ("data_point_fields", 21),
    ("point_blobs", 16_000): ("data_point_blob_bytes", 16_001),
    ("point_index", 96): ("data_point_index_bytes", 97),
    ("talk", 10_000): ("log_bytes", 10_001),
}


@pytest.mark.passes_limits(*{limit for limit, _ in REPORTED.values()})
@pytest.mark.parametrize(("path", "most"), REPORTED)
def test_what_the_platform_drops_or_cuts_is_told_by_name(
    host: Host, client: httpx.Client, path: str, most: int
) -> None:
    limit, count = REPORTED[path, most]
    client.get(f"/{path}", params={"times": most}).raise_for_status()
    client.get(f"/{path}", params={"times": most + 1}).raise_for_status()
    eventually(lambda: passed(host, f"GET /{path}"), "the report")
    (one,) = passed(host, f"GET /{path}")
    assert (one.limit, one.count) == (limit, count)


@pytest.mark.passes_limits("headers_bytes")
def test_headers_of_a_response_are_measured(host: Host, client: httpx.Client) -> None:
    client.get("/headers", params={"times": 8_000}).raise_for_status()
    assert not passed(host, "GET /headers")
    with contextlib.suppress(httpx.HTTPError):  # The client may refuse so large a header, too.
        client.get("/headers", params={"times": 128_000})
    eventually(lambda: passed(host, "GET /headers"), "the report")
    assert {one.limit for one in passed(host, "GET /headers")} == {"headers_bytes"}


@pytest.mark.passes_limits("d1_queries")
def test_work_after_the_response_belongs_to_its_event(host: Host, client: httpx.Client) -> None:
    client.get("/later", params={"times": 31}).raise_for_status()
    eventually(lambda: passed(host, "GET /later"), "the report")
    (one,) = passed(host, "GET /later")
    assert (one.limit, one.count) == ("d1_queries", 31)


@pytest.mark.passes_limits("wait_until_ms")
def test_wait_until_is_measured_from_the_end_of_the_response(host: Host, client: httpx.Client) -> None:
    # The body is written for longer than that, and work ends with it.
    assert client.get("/stream", params={"times": 3}).content == 3 * b"a piece"
    client.get("/linger", params={"times": 2_500}).raise_for_status()
    eventually(lambda: passed(host, "GET /linger"), "the report")
    (one,) = passed(host, "GET /linger")
    assert one.limit == "wait_until_ms"
    assert one.count >= 2_500
    assert not passed(host, "GET /stream")


@pytest.mark.passes_limits("cpu_ms")
def test_steps_that_keep_the_processor_busy_are_measured(host: Host, client: httpx.Client) -> None:
    client.get("/busy", params={"times": CPU_MS + 100}).raise_for_status()
    eventually(lambda: passed(host, "GET /busy"), "the report")
    (one,) = passed(host, "GET /busy")
    assert (one.limit, one.allowed) == ("cpu_ms", CPU_MS)
    assert one.count >= CPU_MS + 100


@pytest.mark.passes_limits("memory_bytes")
def test_the_memory_of_an_interpreter_is_measured(host: Host) -> None:
    host.fire_schedule("made-up-large", CRON)
    eventually(lambda: passed(host, f"scheduled {CRON}"), "the report")
    assert {(one.function, one.limit) for one in passed(host, f"scheduled {CRON}")} == {
        ("large", "memory_bytes")
    }


@pytest.mark.passes_limits("d1_queries")
def test_queue_batches_and_schedules_are_counted_too(host: Host) -> None:
    host.send("made-up-jobs", [{"times": 30}])
    host.send("made-up-jobs", [{"times": 31}])
    eventually(lambda: [one for one in host.passed_limits() if one.function == "back"], "the batch's report")
    with pytest.raises(HostError, match="made-up-back"):
        host.fire_schedule("made-up-back", CRON)
    found = [one for one in host.passed_limits() if one.function == "back"]
    assert {(one.event.partition(" ")[0], one.limit, one.count) for one in found} == {
        ("queue", "d1_queries", 31),
        ("scheduled", "d1_queries", 31),
    }


def test_events_side_by_side_are_counted_apart(host: Host) -> None:
    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(
            base_url=host.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES
        ) as client:
            return await asyncio.gather(*(client.get("/statements?times=30") for _ in range(6)))

    before = host.passed_limits()
    assert {response.status_code for response in asyncio.run(ask())} == {200}
    assert host.passed_limits() == before


def test_a_seventh_call_waits_for_its_turn(host: Host, client: httpx.Client) -> None:
    host.peaks()
    client.get("/side_by_side", params={"times": 20}).raise_for_status()
    told: dict[str, Any] = {}
    eventually(lambda: told.update(host.peaks()["front"]["most"]) or told, "the event's end")
    assert (told["connections"]["count"], told["connections_waited"]["count"]) == (6, 14)


def test_a_second_write_of_a_key_within_a_second_fails_as_on_the_platform(
    host: Host, client: httpx.Client
) -> None:
    response = client.get("/write_twice")
    assert response.status_code == 503
    assert "(10058)" in response.text
    assert not passed(host, "GET /write_twice")
