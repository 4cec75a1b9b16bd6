"""The real stores on workerd over R2, D1 and the colo cache: the suites of the ports, and what only
the platform can show.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import brotli
import httpx
import pytest

from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block import decode_days, encode_block
from edgeseries.blocks.header import BlockKey, read_header
from edgeseries.blocks.ports.answers import AnswerFacts, Answers, KeptAnswer
from edgeseries.blocks.ports.blocks import Blocks, Forgotten, KeptDays, StoredSamples
from edgeseries.errors import StoreUnavailable
from edgeseries.http.messages import BodyStream
from edgeseries.series.days import by_month, day_span
from edgeseries.series.samples import Samples
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.object_keys import answer_key, block_key, site_prefix
from local.hosting import Host
from local.limits import with_values
from local.logs import LogLine
from local.plan import plan_host, statements_of
from stack.bundle import bundle, vendored_sdk
from tests.made_graph import BINDINGS, graph_of, stores, worker
from tests.store_conformance import (
    FEB_29,
    MARCH,
    NOW_MS,
    OTHER,
    POINT,
    AnswersConformance,
    BlocksConformance,
    expected,
    made_facts,
    made_kept,
    refused,
    run,
    samples_of,
    told,
)

pytestmark = pytest.mark.runtime

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 120.0
SITE = "made up / runtime"
LEAP_DAY = day_span(FEB_29, FEB_29)
WHOLE_MARCH = day_span(MARCH[0], MARCH[-1])

HANG = """
const never = () => new Promise(() => {});
const statement = { bind: () => statement, raw: never };
export const database = { prepare: () => statement, batch: never };
export const bucket = { get: never, put: never, delete: never, list: never };
"""


@dataclass(frozen=True)
class Remote:
    """Both ports over HTTP, as the test Worker has them."""

    url: str
    memory: str = "shared"
    now_ms: int = NOW_MS
    hang: tuple[str, ...] = ()
    faults: dict[str, int] = field(default_factory=dict)

    async def covered(
        self, site: str, points: Sequence[str], span: TimeRange
    ) -> Mapping[str, frozenset[int]]:
        found = await self._ask("covered", site=site, points=list(points), span=asdict(span))
        return {point: frozenset(days) for point, days in found.items()}

    async def densities(self, site: str, points: Sequence[str]) -> Mapping[str, float]:
        found: dict[str, float] = await self._ask("densities", site=site, points=list(points))
        return found

    async def fingerprint(self, site: str, points: Sequence[str], span: TimeRange) -> str:
        told_of = await self._ask("fingerprint", site=site, points=list(points), span=asdict(span))
        return str(told_of["fingerprint"])

    async def read(self, site: str, points: Sequence[str], span: TimeRange) -> Mapping[str, StoredSamples]:
        found = await self._ask("read", site=site, points=list(points), span=asdict(span))
        return {
            point: StoredSamples(
                samples=samples_of(zip(one["times_ms"], one["values"], strict=True)),
                days=frozenset(one["days"]),
            )
            for point, one in found.items()
        }

    async def keep(self, site: str, kept: Sequence[KeptDays]) -> None:
        wire = [
            {
                "point": one.point,
                "days": one.days,
                "times_ms": list(one.samples.times_ms),
                "values": list(one.samples.values),
            }
            for one in kept
        ]
        await self._ask("keep", site=site, kept=wire)

    async def forget(
        self, site: str, *, points: Sequence[str] | None, span: TimeRange | None, dry_run: bool
    ) -> Forgotten:
        chosen = None if span is None else asdict(span)
        names = None if points is None else list(points)
        return Forgotten(**await self._ask("forget", site=site, points=names, span=chosen, dry_run=dry_run))

    async def _ask(self, verb: str, **fields: Any) -> Any:
        async with self.asked(verb, fields) as reply:
            told_back = json.loads(await reply.aread())
            self.faults.update(told_back["faults"])
            result = told_back["result"]
            if isinstance(result, dict) and "unavailable" in result:
                raise StoreUnavailable(result["unavailable"])
            return result

    @asynccontextmanager
    async def asked(self, verb: str, fields: Mapping[str, Any]) -> AsyncIterator[httpx.Response]:
        call = {
            "verb": verb,
            "with": fields,
            "memory": self.memory,
            "now_ms": self.now_ms,
            "hang": self.hang,
        }
        # Whoever takes brotli gets it from the host's front door, too, as from Cloudflare's edge.
        headers = {"Accept-Encoding": "br" if fields.get("accepts_brotli") else "identity"}
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, headers=headers) as client,
            client.stream("POST", self.url, content=json.dumps(call)) as reply,
        ):
            assert reply.status_code == 200, await reply.aread()
            yield reply


@dataclass(frozen=True)
class RemoteAnswers:
    """The Answers port. A stream is the bytes as they came over the wire."""

    remote: Remote

    async def keep(self, digest: str, body: bytes, facts: AnswerFacts) -> None:
        await self.remote._ask("keep_answer", digest=digest, body=body.decode(), facts=asdict(facts))

    async def find(self, digest: str, *, accepts_brotli: bool) -> KeptAnswer | None:
        fields = {"digest": digest, "accepts_brotli": accepts_brotli}
        async with self.remote.asked("find_answer", fields) as reply:
            if "X-Facts" not in reply.headers:
                answer = json.loads(await reply.aread())
                if answer["result"] is not None:
                    raise StoreUnavailable(str(answer))
                return None
            wire = b"".join([chunk async for chunk in reply.aiter_raw()])
            return KeptAnswer(
                facts=AnswerFacts(**json.loads(reply.headers["X-Facts"])),
                stream=BodyStream(wire),
                content_encoding=reply.headers.get("Content-Encoding", ""),
            )


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    functions = tmp_path_factory.mktemp("probe") / "functions"
    shutil.copytree(
        ROOT / "functions" / "edgeseries",
        functions / "edgeseries",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (functions / "store_probe").mkdir()
    shutil.copy(Path(__file__).with_name("store_worker.py"), functions / "store_probe" / "entry.py")
    (functions / "store_probe" / "hang.mjs").write_text(HANG)
    built = bundle("store_probe", functions, vendored_sdk())
    modules = {module.name: (module.content_type, module.content) for module in built.modules}
    graph = graph_of([*stores(), *worker("front", modules, public=True, bindings=BINDINGS)])
    schema = statements_of((ROOT / "schema.sql").read_text(encoding="utf-8"))
    complaints: list[str] = []

    def listen(line: LogLine) -> None:
        if line.level in {"warn", "warning", "error"}:
            complaints.append(line.text)

    state = tmp_path_factory.mktemp("state")
    # Thirty-one writers of one block at once would take the platform half a minute, a second each.
    plan = replace(plan_host(graph, schema=schema), limits=with_values(r2_key_writes=1_000))
    with Host(plan, state=state, on_log=listen) as running:
        yield running
    assert complaints == []


@pytest.fixture
def remote(host: Host, request: pytest.FixtureRequest) -> Remote:
    """A store with a memory of its own, as in a new isolate."""
    host.raise_if_broken()
    return Remote(url=host.url, memory=request.node.nodeid)


def agrees(host: Host, site: str) -> dict[str, int]:
    """Blocks of a site, object for object and row for row; the days by key."""
    rows = host.query(
        "SELECT * FROM cache_metadata WHERE site = ? AND kind = 'block' ORDER BY object_key", site
    )
    assert [row["object_key"] for row in rows] == host.list_objects(site_prefix(site))
    for row in rows:
        content = host.get_object(row["object_key"])
        assert content is not None
        header = read_header(content, BlockKey(site=site, point=row["point"], month=row["month"]))
        assert (header.days, header.sample_count) == (row["covered_days"], row["sample_count"])
        assert len(content) == row["stored_bytes"]
    return {row["object_key"]: row["covered_days"] for row in rows}


class TestBlocks(BlocksConformance):
    @pytest.fixture
    def blocks(self, remote: Remote) -> Blocks:
        return remote

    @pytest.fixture(autouse=True)
    def _rows_and_objects_agree(self, host: Host, site: str) -> Iterator[None]:
        yield
        agrees(host, site)


class TestAnswers(AnswersConformance):
    @pytest.fixture
    def answers(self, remote: Remote) -> Answers:
        return RemoteAnswers(remote)

    def body_of(self, stream: object, content_encoding: str) -> bytes:
        assert isinstance(stream, bytes)
        return brotli.decompress(stream) if content_encoding == "br" else stream


def test_an_answer_leaves_as_it_lies_in_the_bucket(host: Host, remote: Remote) -> None:
    body = json.dumps({"made up": list(range(50_000))}).encode()
    answers, digest = RemoteAnswers(remote), "f" * 64
    run(answers.keep(digest, body, made_facts(body)))
    for _ in range(2):
        found = run(answers.find(digest, accepts_brotli=True))
        assert found is not None
        assert found.content_encoding == "br"
        wire: object = found.stream
        assert wire == host.get_object(answer_key(digest))
    row = host.query("SELECT * FROM cache_metadata WHERE object_key = ?", answer_key(digest))[0]
    assert (row["kind"], row["raw_bytes"]) == ("answer", len(body))


def test_a_copy_in_the_colo_cache_answers_until_a_purge(host: Host, remote: Remote) -> None:
    answers, digest = RemoteAnswers(remote), "e" * 64
    facts = made_facts(b"{}", site="made up colo")
    run(answers.keep(digest, b"{}", facts))
    assert run(answers.find(digest, accepts_brotli=True)) is not None
    host.delete_object(answer_key(digest))
    assert run(answers.find(digest, accepts_brotli=True)) is not None
    done = run(remote.forget("made up colo", points=None, span=None, dry_run=True))
    assert done.answers == 1
    assert run(answers.find(digest, accepts_brotli=True)) is not None
    assert run(remote.forget("made up colo", points=["any"], span=LEAP_DAY, dry_run=False)).answers == 1
    assert run(answers.find(digest, accepts_brotli=True)) is None
    assert host.query("SELECT * FROM cache_metadata WHERE site = 'made up colo'") == []


def test_an_object_that_is_no_answer_of_ours_is_none(host: Host, remote: Remote) -> None:
    host.put_object(answer_key("d" * 64), b"made up")
    assert run(RemoteAnswers(remote).find("d" * 64, accepts_brotli=True)) is None


def test_an_answer_lives_to_its_last_millisecond(remote: Remote) -> None:
    digest, life_ms = "c" * 64, 30 * 86_400_000
    run(RemoteAnswers(remote).keep(digest, b"{}", made_facts(b"{}")))
    for later_ms, there in ((life_ms - 1, True), (life_ms, False)):
        at = RemoteAnswers(replace(remote, now_ms=NOW_MS + later_ms))
        assert (run(at.find(digest, accepts_brotli=True)) is not None) is there


def test_lost_rows_are_made_again_from_the_bucket_alone(host: Host, remote: Remote) -> None:
    ours = "SELECT * FROM cache_metadata WHERE site = 'made up lost' ORDER BY object_key"
    run(remote.keep("made up lost", [made_kept([FEB_29]), made_kept([FEB_29], OTHER)]))
    before = host.query(ours)
    host.query("DELETE FROM cache_metadata WHERE site = 'made up lost'")
    assert run(remote._ask("compare", before_ms=4_102_444_800_000))["adopted"] >= 2
    assert host.query(ours) == before


def test_a_block_of_another_name_is_refused_and_counted(host: Host, remote: Remote) -> None:
    site = f"{SITE} name"
    run(remote.keep(site, [made_kept([FEB_29]), made_kept([FEB_29], OTHER)]))
    other = host.get_object(block_key(site, OTHER, "2024-02"))
    assert other is not None
    host.put_object(block_key(site, POINT, "2024-02"), other)
    fresh = replace(remote, memory="after name")
    assert run(fresh.read(site, [POINT], LEAP_DAY))[POINT].days == frozenset()
    assert fresh.faults == {"block_of_another_name": 1}
    run(fresh.keep(site, [made_kept([FEB_29])]))
    assert told(run(fresh.read(site, [POINT], LEAP_DAY))[POINT].samples) == expected([FEB_29])
    agrees(host, site)


def test_damaged_bytes_are_refused_and_counted(host: Host, remote: Remote) -> None:
    site = f"{SITE} damage"
    key = block_key(site, POINT, "2024-02")
    run(remote.keep(site, [made_kept([FEB_29])]))
    whole = host.get_object(key)
    assert whole is not None
    for place, broken in enumerate((b"", whole[:-1], whole + b"x", whole[:-9] + b"x" + whole[-8:])):
        host.put_object(key, broken)
        fresh = replace(remote, memory=f"damage {place}", faults={})
        assert run(fresh.read(site, [POINT], LEAP_DAY))[POINT].days == frozenset()
        assert fresh.faults == {"block_damaged": 1}


def test_a_block_is_the_same_bytes_on_either_host(host: Host, remote: Remote) -> None:
    """Written on workerd and read on CPython, and the other way round."""
    site = f"{SITE} either"
    key = BlockKey(site=site, point=POINT, month="2024-03")
    kept = made_kept(MARCH)
    days = by_month(MARCH)["2024-03"]
    here = encode_block(key, days, kept.samples, PackageCompression())
    run(remote.keep(site, [kept]))
    there = host.get_object(block_key(site, POINT, "2024-03"))
    assert there is not None
    assert told(decode_days(there, key, days, PackageCompression())) == expected(MARCH)
    host.put_object(block_key(site, POINT, "2024-03"), here)
    fresh = replace(remote, memory="after either")
    assert told(run(fresh.read(site, [POINT], WHOLE_MARCH))[POINT].samples) == expected(MARCH)
    assert fresh.faults == {}


@pytest.mark.parametrize("part", ["database", "bucket"])
def test_a_store_that_hangs_is_unavailable_in_time(remote: Remote, part: str) -> None:
    site = f"{SITE} hang {part}"
    hanging = replace(remote, hang=(part,))
    calls: list[Coroutine[Any, Any, object]] = [
        hanging.keep(site, [made_kept([FEB_29])]),
        hanging.forget(site, points=[POINT], span=None, dry_run=False),
        RemoteAnswers(hanging).keep("b" * 64, b"{}", made_facts(b"{}")),
    ]
    if part == "database":
        calls += [hanging.covered(site, [POINT], LEAP_DAY), hanging.densities(site, [POINT])]
    else:
        calls += [hanging.read(site, [POINT], WHOLE_MARCH)]

    async def all_at_once() -> None:
        for error in await asyncio.gather(*map(refused, calls)):
            assert "did not answer within" in error.detail

    run(all_at_once())
    # The same isolate goes on as if nothing had been.
    run(remote.keep(site, [made_kept([FEB_29])]))
    assert told(run(remote.read(site, [POINT], LEAP_DAY))[POINT].samples) == expected([FEB_29])


def test_a_database_without_its_tables_is_unavailable_and_blocks_still_read(
    host: Host, remote: Remote
) -> None:
    site = f"{SITE} tables"
    run(remote.keep(site, [made_kept(MARCH[:2])]))
    host.query("ALTER TABLE cache_metadata RENAME TO hidden")
    try:
        run(refused(remote.covered(site, [POINT], WHOLE_MARCH)))
        run(refused(remote.keep(site, [made_kept([MARCH[2]])])))
        fresh = replace(remote, memory="after tables")
        assert run(fresh.read(site, [POINT], WHOLE_MARCH))[POINT].days == frozenset(MARCH[:3])
    finally:
        host.query("ALTER TABLE hidden RENAME TO cache_metadata")
    run(remote.keep(site, [made_kept([MARCH[2]])]))
    assert list(agrees(host, site).values()) == [0b111]


def test_a_purge_of_many_points_leaves_nothing(host: Host, remote: Remote) -> None:
    site = f"{SITE} pages"
    names = [f"made_up_{n}" for n in range(60)]
    kept = [
        KeptDays(point=name, days=(FEB_29, MARCH[0]), samples=Samples(times_ms=(), values=()))
        for name in names
    ]
    run(remote.keep(site, kept))
    assert len(agrees(host, site)) == 120
    rehearsed = run(remote.forget(site, points=names[:55], span=LEAP_DAY, dry_run=True))
    assert len(agrees(host, site)) == 120
    assert run(remote.forget(site, points=names[:55], span=LEAP_DAY, dry_run=False)) == rehearsed
    assert len(agrees(host, site)) == 65
    assert run(remote.forget(site, points=None, span=None, dry_run=False)).blocks == 65
    assert agrees(host, site) == {}
