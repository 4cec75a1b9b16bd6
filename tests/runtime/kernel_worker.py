"""A Worker that runs the kernel as the system's Workers would, for `test_kernel.py`. Runs inside workerd.

POST a line of JSON (what to do), then the bytes that it is done with. A fault of the kernel is answered
with 422 and its sentence.
"""
# mypy: disable-error-code="misc"

import asyncio
import json
from collections.abc import AsyncGenerator
from inspect import isawaitable
from typing import Any

from workers import Response, WorkerEntrypoint

from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.pieces import Piece, rendered, texts_of
from edgeseries.answers.text_form import TextForm
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.header import BlockKey
from edgeseries.blocks.year_encoding import merged_year
from edgeseries.blocks.year_header import YearKey
from edgeseries.errors import EdgeError, StoreUnavailable
from edgeseries.http.messages import HttpResponse
from edgeseries.platform.compression_workers import RuntimeCompression
from edgeseries.platform.exchange import bounded_body, platform_response
from edgeseries.platform.ffi import js_bytes
from edgeseries.platform.kernel import KernelBlockCodec, KernelResultEncoder
from edgeseries.platform.streaming import PlatformStreaming
from edgeseries.series.image import image_of, samples_from

MAX_BODY_BYTES = 50_000_000
READER_PAUSE_S = 0.5


class PrintedJournal:
    """Lines for the host's log."""

    def line(self, level: str, what: str, **facts: object) -> None:
        print(json.dumps({"level": level, "message": what, **facts}))


class Default(WorkerEntrypoint):
    """Bytes in, bytes out."""

    async def fetch(self, request: Any) -> Any:
        data = await bounded_body(request.js_object.body, MAX_BODY_BYTES)
        assert data is not None
        line, _, given = data.partition(b"\n")
        told = json.loads(line)
        try:
            answer = getattr(self, told.pop("do"))(given, **told)
            return await answer if isawaitable(answer) else answer
        except EdgeError as error:
            return Response(f"{type(error).__name__}: {error.detail}", status=422)

    def decode(self, block: bytes, *, key: dict[str, str], days: int) -> Any:
        codec = KernelBlockCodec(PythonBlockCodec(compressor=RuntimeCompression()))
        return Response(js_bytes(image_of(codec.decode(block, BlockKey(**key), days))))

    def text(self, image: bytes, *, form: str, point: str) -> Any:
        """In chunks, as answers are written."""
        chosen, encoder = TextForm(form), KernelResultEncoder(PythonResultEncoder())
        chunks = texts_of(chosen, samples_from(image), point.encode())
        texts = [rendered([chunk], encoder) for chunk in chunks]
        lines = chosen in {TextForm.LINES, TextForm.CSV}
        return Response(js_bytes((b"" if lines else b",").join(texts)))

    def stream(self, image: bytes, *, point: str, fault: str) -> Any:
        """Samples on their way out as CSV, and then perhaps a fault."""
        encoder = KernelResultEncoder(PythonResultEncoder())
        streaming = PlatformStreaming(
            wait_until=self.ctx.waitUntil,
            journal=PrintedJournal(),  # type: ignore[arg-type]  # lines are all that is written here
            text_of=lambda text: encoder.platform_text(text.form, text.samples, text.prefix),
        )

        async def pieces() -> AsyncGenerator[Piece]:
            yield b"head,"
            for text in texts_of(TextForm.CSV, samples_from(image), point.encode()):
                yield text
            if fault == "ours":
                raise ValueError("a fault of ours")
            if fault == "the store's":
                raise StoreUnavailable("the store is gone")
            yield b"tail"

        return Response(streaming.stream_text(pieces()))

    async def unread(self, piece: bytes, *, most: int) -> Any:
        """How many pieces of a body that leaves as gzip are made while its reader takes the first bytes
        alone.
        """
        made = 0

        async def pieces() -> AsyncGenerator[bytes]:
            nonlocal made
            while made < most:
                made += 1
                yield piece

        streaming = PlatformStreaming(
            wait_until=self.ctx.waitUntil,
            journal=PrintedJournal(),  # type: ignore[arg-type]  # lines are all that is written here
            text_of=js_bytes,  # type: ignore[arg-type]  # no samples are written here
        )
        response = HttpResponse(status=200, headers={}, stream=streaming.stream(pieces()), coding="gzip")
        reader = (await platform_response(response, method="GET")).body.getReader()
        await reader.read()
        await asyncio.sleep(READER_PAUSE_S)
        found = made
        await reader.cancel()
        return Response(str(found))

    def encode(self, image: bytes, *, key: dict[str, str], days: str) -> Any:
        codec = KernelBlockCodec(PythonBlockCodec(compressor=RuntimeCompression()))
        block = merged_year(None, YearKey(**key), 0, int(days), samples_from(image), codec)
        return Response(js_bytes(b"" if block is None else block.data))
