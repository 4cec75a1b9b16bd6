"""The stores of the test Worker (`store_worker.py`), asked over HTTP, and the host that runs it."""

import json
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from edgeseries.blocks.ports.answers import AnswerFacts, CachedAnswer
from edgeseries.blocks.ports.blocks import (
    DaysToStore,
    PurgeOutcome,
    StoredIndex,
    StoredSamples,
    StoreOutcome,
)
from edgeseries.blocks.stamps import Refresh, Stamp, Stamps
from edgeseries.blocks.year_rows import BlockRef, PointRefs, YearRef
from edgeseries.errors import StoreUnavailable
from edgeseries.http.messages import BodyStream
from edgeseries.planning.empty_days import Reading
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.series.days import day_span
from edgeseries.series.timerange import TimeRange
from local.hosting import Host
from local.limits import with_values
from local.logs import LogLine
from local.plan import plan_host, statements_of
from stack.bundle import bundle, vendored_sdk, vendored_wheels
from tests.loopback import NO_CERTIFICATES
from tests.made_days import (
    FEB_29,
    MARCH,
    NOW_MS,
    samples_of,
)
from tests.made_graph import BINDINGS, graph_of, stores, worker

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 120.0
POLL_S = 0.05
SITE = "made up / runtime"
LEAP_DAY = day_span(FEB_29, FEB_29)
WHOLE_MARCH = day_span(MARCH[0], MARCH[-1])

DAMAGED = "the stored bytes are damaged"
"""What the runtime complains of when a body breaks off because it was damaged, which a test provokes."""

HANG = """
const never = () => new Promise(() => {});
const statement = { bind: () => statement, raw: never };
export const database = { prepare: () => statement, batch: never };
export const bucket = { get: never, put: never, delete: never, list: never };
"""


def refs_of(one: Any) -> PointRefs:
    """Objects of a point as they came."""
    years = []
    for year in one["years"]:
        readings = tuple(Reading(**reading) for reading in year.pop("unsettled"))
        counts = tuple(year.pop("month_samples"))
        years.append(YearRef(**year, unsettled=readings, month_samples=counts))
    return PointRefs(years=tuple(years), months=tuple(BlockRef(**month) for month in one["months"]))


def wire_of(days: Sequence[DaysToStore]) -> list[dict[str, Any]]:
    return [
        {
            "point": one.point,
            "days": one.days,
            "times_ms": list(one.samples.times_ms),
            "values": list(one.samples.values),
        }
        for one in days
    ]


def stamps_of(wire: Mapping[str, Any]) -> Stamps:
    points = {point: Stamp(**stamp) for point, stamp in wire["points"].items()}
    return Stamps(site=wire["site"], points=points)


def outcome_of(wire: Mapping[str, Any]) -> StoreOutcome:
    return StoreOutcome(superseded=frozenset(wire["superseded"]), stamps=stamps_of(wire["stamps"]))


@dataclass(frozen=True)
class Remote:
    """Both ports over HTTP, as the test Worker has them."""

    url: str
    memory: str = "shared"
    now_ms: int = NOW_MS
    hang: tuple[str, ...] = ()
    stack: str = "made-up"
    faults: dict[str, int] = field(default_factory=dict)

    async def look_up(self, site: str, points: Sequence[str], span: TimeRange) -> StoredIndex:
        found = await self._ask("look_up", site=site, points=list(points), span=asdict(span))
        refs = found["refs"]
        return StoredIndex(
            covered={point: frozenset(days) for point, days in found["covered"].items()},
            density_per_day=found["densities"],
            stamps=stamps_of(found["stamps"]),
            refs=None if refs is None else {point: refs_of(some) for point, some in refs.items()},
        )

    async def fingerprint(self, site: str, points: Sequence[str], span: TimeRange) -> str | None:
        named = await self._ask("fingerprint", site=site, points=list(points), span=asdict(span))
        found: str | None = named["fingerprint"]
        return found

    async def read(
        self,
        site: str,
        points: Sequence[str],
        span: TimeRange,
        index: StoredIndex,
        *,
        bound: SampleBound | None = None,  # noqa: ARG002 - the port's
    ) -> Mapping[str, StoredSamples]:
        wire = {
            "covered": {point: sorted(days) for point, days in index.covered.items()},
            "refs": None
            if index.refs is None
            else {point: asdict(refs) for point, refs in index.refs.items()},
        }
        found = await self._ask("read", site=site, points=list(points), span=asdict(span), index=wire)
        return {
            point: StoredSamples(
                samples=samples_of(zip(one["times_ms"], one["values"], strict=True)),
                days=frozenset(one["days"]),
            )
            for point, one in found.items()
        }

    async def store(self, site: str, days: Sequence[DaysToStore], stamps: Stamps) -> StoreOutcome:
        return outcome_of(await self._ask("store", site=site, days=wire_of(days), stamps=asdict(stamps)))

    async def begin_refresh(self, site: str, points: Sequence[str]) -> Refresh:
        return Refresh(**await self._ask("begin_refresh", site=site, points=list(points)))

    async def refresh(self, site: str, days: Sequence[DaysToStore], begun: Refresh) -> StoreOutcome:
        return outcome_of(await self._ask("refresh", site=site, days=wire_of(days), begun=asdict(begun)))

    async def forget(
        self, site: str, *, points: Sequence[str] | None, span: TimeRange | None, dry_run: bool
    ) -> PurgeOutcome:
        chosen = None if span is None else asdict(span)
        names = None if points is None else list(points)
        return PurgeOutcome(
            **await self._ask("forget", site=site, points=names, span=chosen, dry_run=dry_run)
        )

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
            "stack": self.stack,
            "now_ms": self.now_ms,
            "hang": self.hang,
        }
        # Whoever takes brotli gets it from the host's front door, too, as from Cloudflare's edge.
        headers = {"Accept-Encoding": "br" if fields.get("accepts_brotli") else "identity"}
        async with (
            httpx.AsyncClient(
                timeout=TIMEOUT_S, trust_env=False, headers=headers, verify=NO_CERTIFICATES
            ) as client,
            client.stream("POST", self.url, content=json.dumps(call)) as reply,
        ):
            assert reply.status_code == 200, await reply.aread()
            yield reply


@dataclass(frozen=True)
class RemoteAnswers:
    """The Answers port. A stream is the bytes as they came over the wire."""

    remote: Remote

    async def store(self, digest: str, body: bytes, facts: AnswerFacts) -> None:
        await self.remote._ask("keep_answer", digest=digest, body=body.decode(), facts=asdict(facts))

    async def find(self, digest: str, *, accepts_brotli: bool) -> CachedAnswer | None:
        fields = {"digest": digest, "accepts_brotli": accepts_brotli}
        async with self.remote.asked("find_answer", fields) as reply:
            if "X-Facts" not in reply.headers:
                answer = json.loads(await reply.aread())
                self.remote.faults.update(answer["faults"])
                if answer["result"] is not None:
                    raise StoreUnavailable(str(answer))
                return None
            wire = b"".join([chunk async for chunk in reply.aiter_raw()])
            return CachedAnswer(
                facts=AnswerFacts(**json.loads(reply.headers["X-Facts"])),
                stream=BodyStream(wire),
                content_encoding=reply.headers.get("Content-Encoding", ""),
            )


def running_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    functions = tmp_path_factory.mktemp("probe") / "functions"
    shutil.copytree(
        ROOT / "functions" / "edgeseries",
        functions / "edgeseries",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (functions / "store_probe").mkdir()
    shutil.copy(Path(__file__).with_name("store_worker.py"), functions / "store_probe" / "entry.py")
    (functions / "store_probe" / "hang.mjs").write_text(HANG)
    built = bundle("store_probe", functions, vendored_sdk(), vendored_wheels())
    modules = {module.name: (module.content_type, module.content) for module in built.modules}
    graph = graph_of([*stores(), *worker("front", modules, public=True, bindings=BINDINGS)])
    schema = statements_of((ROOT / "schema.sql").read_text(encoding="utf-8"))
    complaints: list[str] = []

    def listen(line: LogLine) -> None:
        if line.level in {"warn", "warning", "error"}:
            complaints.append(line.text)

    state = tmp_path_factory.mktemp("state")
    # Objects are damaged and mended within a second here, which R2 would refuse.
    plan = replace(plan_host(graph, schema=schema), limits=with_values(r2_key_writes=1_000))
    with Host(plan, state=state, on_log=listen) as running:
        yield running
    unexpected = [text for text in complaints if DAMAGED not in text]
    assert unexpected == []
