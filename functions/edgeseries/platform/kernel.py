"""The kernel on Workers: the BlockCodec and ResultEncoder ports through `kernel.mjs` beside this file.

The module is imported by the first call in the isolate, since importing JavaScript needs a running event.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from pyodide.ffi import JsException, to_js
from workers import import_from_javascript

from edgeseries.answers.ports.result_encoder import ResultEncoder
from edgeseries.answers.text_form import TextForm
from edgeseries.blocks.header import BlockKey
from edgeseries.blocks.kernel_faults import NO_ROOM, OTHER_CODEC, error_of
from edgeseries.blocks.ports.block_codec import BlockCodec
from edgeseries.blocks.segment_pieces import SegmentPiece, pieces_of
from edgeseries.blocks.segments import Cut
from edgeseries.limits import BLOCK_QUALITY, DAY_MS, KERNEL_SEGMENT_DAYS
from edgeseries.platform.ffi import js_bytes, python_bytes, whole_number
from edgeseries.questions.bucket_words import sections_of
from edgeseries.series.image import image_of, samples_from
from edgeseries.series.samples import Samples

FAULT_NAME = "KernelFault"
"""What `kernel.mjs` throws; its `number` says which fault."""

LEFT_TO_PYTHON = frozenset({NO_ROOM, OTHER_CODEC})
"""Blocks that are sound but not the kernel's: too large for it at once, or compressed by another tool."""


class KernelBlockCodec:
    """See the port. `otherwise` reads and writes what the kernel does not."""

    def __init__(self, otherwise: BlockCodec) -> None:
        self._otherwise = otherwise

    def decode(self, data: bytes, key: BlockKey, days: int) -> Samples:
        """See the port."""
        pieces = [piece.to_wire() for piece in pieces_of(data, key, days)]
        try:
            image = kernel_module().columns(json.dumps({"pieces": pieces}), _parts((data,)))
        except JsException as error:
            number = fault_of(error)
            if number in LEFT_TO_PYTHON:
                return self._otherwise.decode(data, key, days)
            raise error_of(number) from error
        return samples_from(python_bytes(image))

    def pieces(self, parts: Sequence[bytes], pieces: Sequence[SegmentPiece]) -> Samples:
        """See the port. A segment of more days than the kernel takes has few samples: Python reads it."""
        if any(piece.days > KERNEL_SEGMENT_DAYS for piece in pieces):
            return self._otherwise.pieces(parts, pieces)
        try:
            image = kernel_module().columns(
                json.dumps({"pieces": [piece.to_wire() for piece in pieces]}), _parts(parts)
            )
        except JsException as error:
            number = fault_of(error)
            if number in LEFT_TO_PYTHON:
                return self._otherwise.pieces(parts, pieces)
            raise error_of(number) from error
        return samples_from(python_bytes(image))

    def segments(self, samples: Samples, cuts: Sequence[Cut]) -> list[bytes]:
        """See the port."""
        wanted = [{"originMs": cut.first_day * DAY_MS, "from": cut.start, "to": cut.stop} for cut in cuts]
        program = json.dumps({"cuts": wanted, "quality": BLOCK_QUALITY})
        try:
            joined = kernel_module().segments(program, js_bytes(image_of(samples)))
        except JsException as error:
            number = fault_of(error)
            if number == NO_ROOM:
                return self._otherwise.segments(samples, cuts)
            raise error_of(number) from error
        return sections_of(python_bytes(joined))


class KernelResultEncoder:
    """See the port. `otherwise` writes what the kernel has no room for."""

    def __init__(self, otherwise: ResultEncoder) -> None:
        self._otherwise = otherwise

    def part(self, form: TextForm, samples: Samples, prefix: bytes = b"") -> bytes:
        """See the port."""
        return python_bytes(self.platform_text(form, samples, prefix))

    def platform_text(self, form: TextForm, samples: Samples, prefix: bytes = b"") -> Any:
        """The same as a Uint8Array: its bytes do not enter Python."""
        try:
            return kernel_module().text(js_bytes(image_of(samples)), form.value, js_bytes(prefix))
        except JsException as error:
            number = fault_of(error)
            if number == NO_ROOM:
                return js_bytes(self._otherwise.part(form, samples, prefix))
            raise error_of(number) from error


def _parts(parts: Sequence[bytes]) -> Any:
    """An array of Uint8Arrays."""
    return to_js(list(parts))


def fault_of(error: JsException) -> int:
    """The number of the kernel's fault; any other exception goes on."""
    if getattr(error, "name", "") != FAULT_NAME:
        raise error
    return whole_number(error.number, "a fault of the kernel")


@cache
def kernel_module() -> Any:
    """The module beside this file. Imported in the isolate's first event that needs it."""
    return import_from_javascript("./kernel.mjs")
