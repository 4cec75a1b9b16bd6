"""A Worker that runs the kernel as the system's Workers would, for `test_kernel.py`. Runs inside workerd.

POST a line of JSON (what to do), then the bytes that it is done with. A fault of the kernel is answered
with 422 and its sentence.
"""
# mypy: disable-error-code="misc"

import json
from typing import Any

from workers import Response, WorkerEntrypoint

from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.result_format import ResultFormat
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.block_encoding import encode_block
from edgeseries.blocks.header import BlockKey
from edgeseries.errors import EdgeError
from edgeseries.platform.compression_workers import RuntimeCompression
from edgeseries.platform.exchange import bounded_body
from edgeseries.platform.ffi import js_bytes
from edgeseries.platform.kernel import (
    KernelBlockCodec,
    KernelResultEncoder,
    TextStep,
    kernel_body,
    text_of_blocks,
)
from edgeseries.series.image import image_of, samples_from
from edgeseries.series.timerange import TimeRange

MAX_BODY_BYTES = 50_000_000


class Default(WorkerEntrypoint):
    """Bytes in, bytes out."""

    async def fetch(self, request: Any) -> Any:
        data = await bounded_body(request.js_object.body, MAX_BODY_BYTES)
        assert data is not None
        line, _, given = data.partition(b"\n")
        told = json.loads(line)
        try:
            return getattr(self, told.pop("do"))(given, **told)
        except EdgeError as error:
            return Response(f"{type(error).__name__}: {error.detail}", status=422)

    def decode(self, block: bytes, *, key: dict[str, str], days: int) -> Any:
        codec = KernelBlockCodec(PythonBlockCodec(compressor=RuntimeCompression()))
        return Response(js_bytes(image_of(codec.decode(block, BlockKey(**key), days))))

    def text(self, image: bytes, *, form: str, point: str) -> Any:
        text = KernelResultEncoder(PythonResultEncoder()).part(ResultFormat(form), point, samples_from(image))
        return Response(js_bytes(text))

    def blocks(
        self, given: bytes, *, blocks: list[tuple[int, dict[str, str], int]], span: list[int], form: str
    ) -> Any:
        """Blocks of so many bytes each, with the days that are wanted, straight to text."""
        parts, at = [], 0
        for size, key, days in blocks:
            parts.append((BlockKey(**key), given[at : at + size], days))
            at += size
        text = text_of_blocks(
            parts,
            TimeRange(start_ms=span[0], end_ms=span[1]),
            form=ResultFormat(form),
            point=parts[0][0].point,
        )
        return Response(js_bytes(text))

    def encode(self, image: bytes, *, key: dict[str, str], days: int) -> Any:
        codec = KernelBlockCodec(PythonBlockCodec(compressor=RuntimeCompression()))
        return Response(js_bytes(encode_block(BlockKey(**key), days, samples_from(image), codec)))

    def body(self, given: bytes, *, steps: list[tuple[int, str | None, str]]) -> Any:
        """Steps of so many bytes each: as they are, or columns that become a text of a point."""
        parts: list[bytes | TextStep] = []
        at = 0
        for size, form, point in steps:
            piece = given[at : at + size]
            at += size
            told = None if form is None else TextStep(form=ResultFormat(form), point=point, image=piece)
            parts.append(piece if told is None else told)
        return Response(kernel_body(parts))
