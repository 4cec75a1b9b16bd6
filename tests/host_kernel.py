"""The kernel on the host, by wasmtime: the built module of the repository, called as its page says.

For tests and measurements alone. `Session` is one run from `reset` on; a fault ends it.
"""

import atexit
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import wasmtime

from edgeseries.answers.text_form import UTF_8_FORMS, TextForm
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.codecs import Codec, Compressor
from edgeseries.blocks.header import BlockKey
from edgeseries.blocks.kernel_faults import LEFT_TO_PYTHON, error_of
from edgeseries.blocks.segment_pieces import SegmentPiece, pieces_of
from edgeseries.blocks.segments import Cut
from edgeseries.blocks.wire import Reader, uvarint
from edgeseries.limits import BLOCK_QUALITY, DAY_MS, KERNEL_SEGMENT_DAYS
from edgeseries.questions.bucket_words import folded_from, sections_of, words_of
from edgeseries.questions.open_bucket import OpenBucket
from edgeseries.questions.ports.bucketing import Bucketing, Fold, Folded
from edgeseries.series.image import image_of, samples_from
from edgeseries.series.samples import Samples

WASM: Final = Path(__file__).parents[1] / "functions" / "edgeseries" / "platform" / "kernel.wasm"

NO_ROOM: Final = 1
MISUSE: Final = 2
NOT_FINITE: Final = 4
NO_INSTANT: Final = 5
TOO_LONG: Final = 6

CHECKSUM: Final = 65
"""Of `platform/kernel.mjs`."""

FORMATS: Final = {
    "json": 0,
    "json-ascii": 1,
    "ndjson": 2,
    "csv": 3,
    "values": 4,
    "values-ascii": 5,
    "times": 6,
    "seconds": 7,
}
EVER_MS: Final = (-(2**63), 2**63 - 1)


DAMAGED_FROM: Final = 16
"""Numbers of faults from here on say that stored bytes are damaged."""


class KernelFault(Exception):
    """A call that failed, by the number of its fault."""

    def __init__(self, number: int) -> None:
        super().__init__(f"the kernel's fault {number}")
        self.number = number


@cache
def _module(path: Path) -> tuple[wasmtime.Engine, wasmtime.Module]:
    engine = wasmtime.Engine()
    return engine, wasmtime.Module.from_file(engine, str(path))


class HostKernel:
    """An instance of the module."""

    def __init__(self, path: Path = WASM) -> None:
        engine, module = _module(path)
        self._store = wasmtime.Store(engine)
        # Left to the end of the interpreter, its memory would be given back when half of wasmtime is gone.
        atexit.register(self._store.close)
        self._exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._memory: Any = self._exports["memory"]

    @property
    def memory_bytes(self) -> int:
        """What the instance's memory has grown to."""
        return int(self._memory.data_len(self._store))

    def call(self, name: str, *values: int) -> int:
        """What an export returns, as an unsigned number."""
        export: Any = self._exports[name]
        return int(export(self._store, *values) or 0) & 0xFFFFFFFF

    def checked(self, name: str, *values: int) -> None:
        """Call what returns a status."""
        number = self.call(name, *values)
        if number:
            raise KernelFault(number)

    def reserve(self, samples: int, data: bytes) -> None:
        """Bring bytes in."""
        address = self.call("reserve", samples, len(data))
        if not address:
            raise KernelFault(NO_ROOM)
        self._memory.write(self._store, data, address)

    def result(self) -> bytes:
        """Take bytes out."""
        start, size = self.call("resultAt"), self.call("resultSize")
        return bytes(self._memory.read(self._store, start, start + size))


def refuse_unless(sound: bool, number: int) -> None:  # noqa: FBT001 - read as a sentence
    """Raise a fault."""
    if not sound:
        raise KernelFault(number)


class Session:
    """Pieces in, settled samples out."""

    def __init__(self, kernel: HostKernel) -> None:
        self.kernel = kernel
        kernel.call("reset")

    def decode(
        self,
        columns: bytes,
        samples: int,
        *,
        origin_ms: int = 0,
        days: int = 1,
        covered: int = -1,
        wanted: int = -1,
    ) -> "Session":
        """Add a segment's columns."""
        self.kernel.reserve(samples, columns)
        self.kernel.checked("decode", origin_ms, days, covered, wanted)
        return self

    def load(self, image: bytes) -> "Session":
        """Add columns."""
        self.kernel.reserve(0, image)
        self.kernel.checked("load")
        return self

    def settle(self, start_ms: int = EVER_MS[0], end_ms: int = EVER_MS[1]) -> "Session":
        """Put the pieces together."""
        self.kernel.checked("settle", start_ms, end_ms)
        return self

    def image(self) -> bytes:
        """The settled samples."""
        self.kernel.checked("save")
        return self.kernel.result()

    def text(self, form: str, prefix: bytes = b"", first: int = 0, last: int | None = None) -> bytes:
        """The text of settled samples."""
        if prefix:
            self.kernel.reserve(0, prefix)
        self.kernel.checked("write", FORMATS[form], first, self.count if last is None else last)
        return self.kernel.result()

    def segment(self, *, origin_ms: int = 0, first: int = 0, last: int | None = None) -> bytes:
        """The columns of a segment."""
        self.kernel.checked("encode", origin_ms, first, self.count if last is None else last)
        return self.kernel.result()

    @property
    def count(self) -> int:
        """Settled samples."""
        return self.kernel.call("count")

    def has_surrogates(self) -> bool:
        """Whether a text holds half of a surrogate pair."""
        return bool(self.kernel.call("surrogates", 0, self.count))


class HostBlockCodec:
    """The BlockCodec port by the host's kernel: what `platform/kernel.mjs` does, in Python."""

    def __init__(self, kernel: HostKernel, compressor: Compressor) -> None:
        self._kernel = kernel
        self._compressor = compressor

    def decode(self, data: bytes, key: BlockKey, days: int) -> Samples:
        """See the port."""
        return self.pieces((data,), pieces_of(data, key, days))

    def pieces(self, parts: Sequence[bytes], pieces: Sequence[SegmentPiece]) -> Samples:
        """See the port."""
        if any(piece.days > KERNEL_SEGMENT_DAYS for piece in pieces):
            return PythonBlockCodec(compressor=self._compressor).pieces(parts, pieces)
        session = Session(self._kernel)
        try:
            for piece in pieces:
                stored = parts[piece.part][piece.at : piece.at + piece.size]
                refuse_unless(zlib.crc32(stored) == piece.crc, CHECKSUM)
                reader = Reader(stored)
                codec, size = Codec(reader.byte()), reader.uvarint()
                rest = reader.rest()
                columns = (
                    rest if codec is Codec.STORED else self._compressor.decompress(codec, rest, size=size)
                )
                session.decode(
                    columns,
                    piece.samples,
                    origin_ms=piece.origin_ms,
                    days=piece.days,
                    covered=piece.covered,
                    wanted=piece.wanted,
                )
            return samples_from(session.settle().image())
        except KernelFault as fault:
            raise error_of(fault.number) from fault

    def segments(self, samples: Samples, cuts: Sequence[Cut]) -> list[bytes]:
        """See the port."""
        try:
            return self._segments(samples, cuts)
        except KernelFault as fault:
            raise error_of(fault.number) from fault

    def _segments(self, samples: Samples, cuts: Sequence[Cut]) -> list[bytes]:
        session = Session(self._kernel).load(image_of(samples)).settle()
        found = []
        for cut in cuts:
            columns = session.segment(origin_ms=cut.first_day * DAY_MS, first=cut.start, last=cut.stop)
            packed = self._compressor.compress(columns, quality=BLOCK_QUALITY)
            stored = len(packed) >= len(columns)
            codec = Codec.STORED if stored else Codec.BROTLI
            found.append(bytes((codec,)) + uvarint(len(columns)) + (columns if stored else packed))
        return found


class HostResultEncoder:
    """The ResultEncoder port by the host's kernel."""

    def __init__(self, kernel: HostKernel) -> None:
        self._kernel = kernel

    def part(self, form: TextForm, columns: Samples, prefix: bytes = b"") -> bytes:
        """See the port."""
        session = Session(self._kernel)
        try:
            session.load(image_of(columns)).settle()
            escaped = form in UTF_8_FORMS and session.has_surrogates()
            return session.text(f"{form}-ascii" if escaped else str(form), prefix)
        except KernelFault as fault:
            raise error_of(fault.number) from fault


class HostBucketing:
    """The Bucketing port by the host's kernel."""

    def __init__(self, kernel: HostKernel, otherwise: Bucketing) -> None:
        self._kernel = kernel
        self._otherwise = otherwise

    def fold(self, fold: Fold, before: OpenBucket, samples: Samples) -> Folded:
        """See the port."""
        session = Session(self._kernel)
        try:
            session.load(image_of(before.carried)).load(image_of(samples)).settle()
            self._kernel.reserve(0, words_of(fold, before))
            self._kernel.checked("bucket")
        except KernelFault as fault:
            if fault.number in (NO_ROOM, LEFT_TO_PYTHON):
                return self._otherwise.fold(fold, before, samples)
            raise error_of(fault.number) from fault
        return folded_from(sections_of(self._kernel.result()))
