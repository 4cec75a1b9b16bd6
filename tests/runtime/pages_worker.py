"""A Worker that makes samples of pages by both readers, for `test_pages.py`. Runs inside workerd.

POST a line of JSON (what was asked for, which reader, how often), then the page.
"""
# mypy: disable-error-code="misc"

import json
from collections.abc import Callable
from typing import Any

from workers import Response, WorkerEntrypoint

from edgeseries.errors import EdgeError
from edgeseries.origins.ace.rows import Asked, RowCollector
from edgeseries.origins.ace.wire import Page, document_of, page_in, page_of
from edgeseries.origins.ports.page_reader import ReadPage
from edgeseries.platform.exchange import bounded_body
from edgeseries.platform.page_reader import RuntimePageReader
from edgeseries.series.image import image_of
from edgeseries.series.timerange import TimeRange

MAX_BODY_BYTES = 50_000_000
JAVASCRIPT = RuntimePageReader()
READERS: dict[str, Callable[[bytes], Page]] = {
    "document": lambda body: page_of(document_of(body)),
    "python": page_in,
    "javascript": lambda body: page_in(body, JAVASCRIPT),
}


class Default(WorkerEntrypoint):
    """A page in; what becomes of it, or the refusal, out."""

    async def fetch(self, request: Any) -> Any:
        data = await bounded_body(request.js_object.body, MAX_BODY_BYTES)
        assert data is not None
        line, _, body = data.partition(b"\n")
        told = json.loads(line)
        span = TimeRange(start_ms=told["start_ms"], end_ms=told["end_ms"])
        asked = Asked(points=told["points"], span=span, along=frozenset(told["along"]))
        for _ in range(told.get("times", 1)):
            collector = RowCollector(asked.points)
            try:
                page = READERS[told["reader"]](body)
                settled = collector.add(page.rows, asked, point=told["point"])
            except EdgeError as error:
                return Response.json(
                    {"refused": f"{type(error).__name__}: {error.detail}", "javascript": False}
                )
            found = {name: collector.samples(name) for name in asked.points}
        return Response.json(
            {
                "cursor": page.cursor,
                "images": {name: image_of(samples).hex() for name, samples in found.items()},
                "settled": sorted(settled),
                "count": collector.count,
                "dropped": dict(collector.dropped),
                "javascript": told["reader"] == "javascript" and isinstance(page.rows, ReadPage),
            }
        )
