"""A test Worker's entry: the real stores behind HTTP, one call a request. Run inside workerd, not here.

The source is uploaded as text by `test_stores.py`; nothing imports it on the host.
"""
# mypy: disable-error-code="misc"

import json
from array import array
from dataclasses import asdict
from typing import Any

import js
from workers import Response, WorkerEntrypoint, import_from_javascript

from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.adapters.block_store import BlockStore
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.ports.answers import AnswerFacts
from edgeseries.blocks.ports.blocks import DaysToStore, StoredIndex
from edgeseries.blocks.stamps import Refresh, Stamp, Stamps
from edgeseries.blocks.year_rows import BlockRef, PointRefs, YearRef
from edgeseries.errors import StoreUnavailable
from edgeseries.planning.empty_days import Reading
from edgeseries.platform.answer_store import AnswerStore
from edgeseries.platform.compression_workers import RuntimeCompression
from edgeseries.platform.d1 import D1Database
from edgeseries.platform.ffi import js_bytes, js_object, raw
from edgeseries.platform.kernel import KernelBlockCodec
from edgeseries.platform.r2 import R2Bucket
from edgeseries.platform.streaming import PlatformTimer
from edgeseries.series.samples import Samples
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.object_keys import answer_key
from edgeseries.upkeep.adapters.object_upkeep import ObjectUpkeep

MEMORIES: dict[str, BlockMemory] = {}


class Told:
    """A clock that says what the request says."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        """What was said."""
        return self.at_ms


def days_of(one: Any) -> DaysToStore:
    """Days as they came."""
    return DaysToStore(
        point=one["point"],
        days=tuple(one["days"]),
        samples=Samples(times_ms=array("q", one["times_ms"]), values=tuple(one["values"])),
    )


def refs_of(one: Any) -> PointRefs:
    """Objects of a point as they came."""
    years = []
    for year in one["years"]:
        readings = tuple(Reading(**reading) for reading in year.pop("unsettled"))
        counts = tuple(year.pop("month_samples"))
        years.append(YearRef(**year, unsettled=readings, month_samples=counts))
    return PointRefs(years=tuple(years), months=tuple(BlockRef(**month) for month in one["months"]))


def stamps_of(one: Any) -> Stamps:
    """Stamps as they came."""
    return Stamps(site=one["site"], points={point: Stamp(**stamp) for point, stamp in one["points"].items()})


def told(kept: Any) -> Any:
    """What became of days, as JSON has it."""
    return {"superseded": sorted(kept.superseded), "stamps": asdict(kept.stamps)}


class Default(WorkerEntrypoint):
    """POST a call as JSON."""

    async def fetch(self, request: Any) -> Any:
        call = json.loads(await request.text())
        hanging = import_from_javascript("./hang.mjs")
        database = D1Database(hanging.database if "database" in call["hang"] else raw(self.env.DB))
        bucket = R2Bucket(hanging.bucket if "bucket" in call["hang"] else raw(self.env.CACHE))
        clock, compression = Told(call["now_ms"]), RuntimeCompression()
        answers = AnswerStore(
            stack=call["stack"],
            bucket=bucket,
            database=database,
            compression=compression,
            clock=clock,
            wait_until=self.ctx.waitUntil,
        )
        blocks = BlockStore(
            bucket=bucket,
            database=database,
            codec=KernelBlockCodec(PythonBlockCodec(compressor=compression)),
            memory=MEMORIES.setdefault(call["memory"], BlockMemory()),
            clock=clock,
            pause=PlatformTimer().pause,
        )
        try:
            result = await getattr(self, call["verb"])(blocks, answers, **call["with"])
        except StoreUnavailable as error:
            result = {"unavailable": error.detail}
        if not isinstance(result, dict | None):
            return result
        faults = {**blocks.faults, **answers.faults}
        return Response(json.dumps({"result": result, "faults": faults}))

    async def look_up(self, blocks: Any, _: Any, *, site: str, points: list[str], span: Any) -> Any:
        found = await blocks.look_up(site, points, TimeRange(**span))
        return {
            "covered": {point: sorted(days) for point, days in found.covered.items()},
            "densities": found.density_per_day,
            "stamps": asdict(found.stamps),
            "refs": None
            if found.refs is None
            else {point: asdict(refs) for point, refs in found.refs.items()},
        }

    async def fingerprint(self, blocks: Any, _: Any, *, site: str, points: list[str], span: Any) -> Any:
        return {"fingerprint": await blocks.fingerprint(site, points, TimeRange(**span))}

    async def read(self, blocks: Any, _: Any, *, site: str, points: list[str], span: Any, index: Any) -> Any:
        refs = index["refs"]
        looked_up = StoredIndex(
            covered={point: frozenset(days) for point, days in index["covered"].items()},
            refs=None if refs is None else {point: refs_of(some) for point, some in refs.items()},
        )
        found = await blocks.read(site, points, TimeRange(**span), looked_up)
        return {
            point: {
                "times_ms": list(one.samples.times_ms),
                "values": list(one.samples.values),
                "days": sorted(one.days),
            }
            for point, one in found.items()
        }

    async def store(self, blocks: Any, _: Any, *, site: str, days: list[Any], stamps: Any) -> Any:
        return told(await blocks.store(site, [days_of(one) for one in days], stamps_of(stamps)))

    async def begin_refresh(self, blocks: Any, _: Any, *, site: str, points: list[str]) -> Any:
        return asdict(await blocks.begin_refresh(site, points))

    async def refresh(self, blocks: Any, _: Any, *, site: str, days: list[Any], begun: Any) -> Any:
        return told(await blocks.refresh(site, [days_of(one) for one in days], Refresh(**begun)))

    async def forget(
        self, blocks: Any, _: Any, *, site: str, points: list[str] | None, span: Any, dry_run: bool
    ) -> Any:
        chosen = None if span is None else TimeRange(**span)
        return asdict(await blocks.forget(site, points=points, span=chosen, dry_run=dry_run))

    async def compare(self, blocks: Any, _: Any, *, before_ms: int) -> Any:
        """Bucket and index made to agree, from the first key to the last."""
        upkeep = ObjectUpkeep(bucket=blocks._bucket, database=blocks._index._database)
        place, adopted, dropped = "", 0, 0
        while True:
            done = await upkeep.compare(place, before_ms=before_ms, now_ms=blocks._clock.now_ms())
            place, adopted, dropped = done.place, adopted + done.adopted, dropped + done.dropped
            if not place:
                return {"adopted": adopted, "dropped": dropped}

    async def spoil_answer(self, _: Any, __: Any, *, digest: str, where: int) -> Any:
        """One bit of a cached answer turned, what stands beside it as it was."""
        bucket, key = raw(self.env.CACHE), answer_key(digest)
        there = await bucket.get(key)
        spoilt = bytearray((await there.arrayBuffer()).to_bytes())
        spoilt[where] ^= 1
        options = {"customMetadata": there.customMetadata, "httpMetadata": there.httpMetadata}
        await bucket.put(key, js_bytes(bytes(spoilt)), js_object(options))

    async def spoil_copy(self, _: Any, answers: Any, *, digest: str) -> Any:
        """The copy in the colo cache with other bytes, what stands beside it as it was."""
        address = answers._colo.address_of(digest)
        there = await js.caches.default.match(address)
        spoilt = js.Response.new("spoilt", js_object({"headers": there.headers}))
        await js.caches.default.put(address, spoilt)

    async def keep_answer(self, _: Any, answers: Any, *, digest: str, body: str, facts: Any) -> Any:
        await answers.store(digest, body.encode(), AnswerFacts(**facts))

    async def find_answer(self, _: Any, answers: Any, *, digest: str, accepts_brotli: bool) -> Any:
        found = await answers.find(digest, accepts_brotli=accepts_brotli)
        if found is None:
            return None
        headers = {"Content-Type": "application/json", "X-Facts": json.dumps(asdict(found.facts))}
        if found.content_encoding:
            headers["Content-Encoding"] = found.content_encoding
        return js.Response.new(found.stream, js_object({"headers": headers, "encodeBody": "manual"}))
