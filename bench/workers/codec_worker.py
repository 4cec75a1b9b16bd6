"""The bench Worker's entry: encodes and decodes one month as blocks, and times itself. Runs inside workerd.

POST a month: a line of JSON (names, days, how often), then the instants and the values, eight bytes
each. The source is uploaded as text by `bench/measures/codec_runtime.py`; nothing imports it here.
"""
# mypy: disable-error-code="misc"

import json
import time
from array import array
from hashlib import sha256
from typing import Any

from workers import Response, WorkerEntrypoint

from edgeseries.blocks.block import decode_days, encode_block, same_samples
from edgeseries.blocks.header import BlockKey
from edgeseries.platform.compression_workers import RuntimeCompression
from edgeseries.platform.exchange import bounded_body
from edgeseries.series.samples import Samples

MAX_BODY_BYTES = 20_000_000


class Default(WorkerEntrypoint):
    """A month in, seconds out."""

    async def fetch(self, request: Any) -> Any:
        data = await bounded_body(request.js_object.body, MAX_BODY_BYTES)
        assert data is not None
        line, _, columns = data.partition(b"\n")
        order = json.loads(line)
        half = len(columns) // 2
        values = tuple(array("d", columns[half:]))
        samples = Samples(times_ms=array("q", columns[:half]), values=values)
        key = BlockKey(**order["key"])
        days, times, day_times = order["days"], order["times"], order["day_times"]
        compression = RuntimeCompression()
        block = encode_block(key, days, samples, compression)
        started = time.perf_counter()
        for _ in range(times):
            block = encode_block(key, days, samples, compression)
        encode_s = time.perf_counter() - started
        started = time.perf_counter()
        for _ in range(times):
            back = decode_days(block, key, days, compression)
        decode_s = time.perf_counter() - started
        assert same_samples(back, samples)
        started = time.perf_counter()
        for _ in range(day_times):
            decode_days(block, key, days & -days, compression)
        day_s = time.perf_counter() - started
        return Response(
            json.dumps(
                {
                    "encode_s": encode_s / times,
                    "decode_s": decode_s / times,
                    "day_s": day_s / day_times,
                    "bytes": len(block),
                    "sha256": sha256(block).hexdigest(),
                }
            )
        )
