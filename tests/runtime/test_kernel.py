"""The kernel on workerd, from a real block to text: the very bytes that Python makes."""

import json
import shutil
from array import array
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.text_form import TextForm
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.header import BlockKey
from edgeseries.blocks.year_encoding import merged_year
from edgeseries.blocks.year_header import YearKey
from edgeseries.series.days import in_year, month_days
from edgeseries.series.image import image_of, packed
from edgeseries.series.samples import Samples
from edgeseries.series.values import Value, ValueColumn
from local.graph import Graph
from local.hosting import Host
from local.plan import plan_host
from stack.bundle import WASM, bundle, vendored_sdk, vendored_wheels
from tests.loopback import NO_CERTIFICATES
from tests.made_graph import graph_of, worker
from tests.python_blocks import encode_block
from tests.sensor_columns import real_month

pytestmark = pytest.mark.runtime

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 120.0
ALL_DAYS = (1 << 31) - 1
MIXED: list[Value] = [
    72.0,
    1,
    True,
    None,
    'on "hold"',
    "\ud800",
    2**64,
    -(2**80),
    1e22,
    5e-324,
    False,
    0.1,
    "ü\n",
]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    functions = tmp_path_factory.mktemp("kernel") / "functions"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "functions" / "edgeseries", functions / "edgeseries", ignore=ignored)
    (functions / "kernel_probe").mkdir()
    shutil.copy(Path(__file__).with_name("kernel_worker.py"), functions / "kernel_probe" / "entry.py")
    built = bundle("kernel_probe", functions, vendored_sdk(), vendored_wheels())
    assert [module.name for module in built.modules if module.content_type == WASM] == ["kernel.wasm"]
    modules = {module.name: (module.content_type, module.content) for module in built.modules}
    return graph_of(worker("front", modules, public=True))


@pytest.fixture(scope="module")
def client(graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        Host(plan_host(graph), state=tmp_path_factory.mktemp("state")) as host,
        httpx.Client(base_url=host.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES) as client,
    ):
        yield client


def do(client: httpx.Client, what: str, given: bytes, **told: Any) -> bytes:
    reply = client.post("/", content=json.dumps({"do": what, **told}).encode() + b"\n" + given)
    assert reply.status_code == 200, reply.text
    return reply.content


def refusal(client: httpx.Client, what: str, given: bytes, **told: Any) -> str:
    reply = client.post("/", content=json.dumps({"do": what, **told}).encode() + b"\n" + given)
    assert reply.status_code == 422, reply.status_code
    return reply.text


def named(key: BlockKey) -> dict[str, str]:
    return {"site": key.site, "point": key.point, "month": key.month}


def mixed() -> tuple[BlockKey, bytes, Samples]:
    key = BlockKey(site="site", point='Zone 1 · "temp"', month="2024-02")
    start_ms = month_days(key.month).start * 86_400_000
    values = [MIXED[place % len(MIXED)] for place in range(700)]
    times_ms = array("q", range(start_ms, start_ms + 3_600_000 * 690, 3_550_001))
    samples = Samples(times_ms=times_ms[:690], values=values[: len(times_ms[:690])])
    return key, encode_block(key, (1 << 29) - 1, samples, PackageCompression()), samples


def test_a_real_block_becomes_columns_and_then_the_text_that_python_writes(client: httpx.Client) -> None:
    key, block, samples = real_month()
    days = ALL_DAYS & (1 << len(month_days(key.month))) - 1
    image = do(client, "decode", block, key=named(key), days=days)
    assert image == image_of(samples)
    for form in TextForm:
        text = do(client, "text", image, form=form, point=key.point)
        assert text == PythonResultEncoder().part(form, samples, key.point.encode())


def test_some_days_of_a_block_of_all_kinds_are_what_python_reads(client: httpx.Client) -> None:
    key, block, _ = mixed()
    for days in (1, 0b1010_0000_1100_0110_0001, 1 << 28, ALL_DAYS):
        found = PythonBlockCodec(compressor=PackageCompression()).decode(block, key, days)
        assert do(client, "decode", block, key=named(key), days=days) == image_of(found)
        for form in TextForm:
            text = do(client, "text", image_of(found), form=form, point=key.point)
            assert text == PythonResultEncoder().part(form, found, key.point.encode())


def test_a_block_is_written_as_python_writes_it(client: httpx.Client) -> None:
    codec = PythonBlockCodec(compressor=PackageCompression())
    for old, _, samples in (real_month(), mixed()):
        key = YearKey(site=old.site, point=old.point, year=old.month[:4])
        every = in_year(old.month, (1 << len(month_days(old.month))) - 1)
        block = merged_year(None, key, 0, every, samples, codec)
        assert block is not None
        named_key = {"site": key.site, "point": key.point, "year": key.year}
        assert do(client, "encode", image_of(samples), key=named_key, days=str(every)) == block.data


def test_samples_become_text_on_their_way_out(client: httpx.Client) -> None:
    key, _, samples = real_month()
    body = do(client, "stream", image_of(samples), point=key.point, fault="")
    assert body == b"head," + PythonResultEncoder().part(TextForm.CSV, samples, key.point.encode()) + b"tail"


def test_a_coded_body_is_not_made_before_its_reader_wants_it(client: httpx.Client) -> None:
    """The runtime's own CompressionStream would take all of them."""
    piece = Random(3).randbytes(300_000)  # noqa: S311 - what does not compress
    assert 1 <= int(do(client, "unread", piece, most=60)) <= 6


@pytest.mark.parametrize("fault", ["ours", "the store's"])
def test_a_fault_on_the_way_breaks_the_body_off(client: httpx.Client, fault: str) -> None:
    """Nobody waits for ever for the rest of a body that cannot come, nor takes what came for whole."""
    key, _, samples = real_month()
    with pytest.raises(httpx.RemoteProtocolError):
        do(client, "stream", image_of(samples), point=key.point, fault=fault)


def test_damage_is_one_clear_error_and_the_next_call_is_right(client: httpx.Client) -> None:
    key, block, samples = mixed()
    header_bytes = len(block) - 100
    for place, byte in ((header_bytes, block[header_bytes] ^ 1), (len(block) - 1, block[-1] ^ 128)):
        changed = bytearray(block)
        changed[place] = byte
        text = refusal(client, "decode", bytes(changed), key=named(key), days=ALL_DAYS)
        assert text == "BlockDamaged: a segment of the block does not fit its checksum"
    other = {**named(key), "point": "another"}
    assert refusal(client, "decode", block, key=other, days=1).startswith("BlockMismatch")
    broken = Samples(times_ms=[0], values=[float("inf")])
    assert "not a finite number" in refusal(client, "text", image_of(broken), form="json", point="x")
    beyond = ValueColumn(
        floats=broken.values.floats, places=array("I", [7]), kinds=b"\1", payloads=array("q", [0])
    )
    image = packed(broken.times_ms, beyond)
    assert "other bytes, than it is made for" in refusal(client, "text", image, form="json", point="x")
    image = do(client, "decode", block, key=named(key), days=ALL_DAYS)
    assert image == image_of(samples)


@pytest.mark.passes_limits("memory_bytes")
def test_a_million_samples_are_written_in_parts(client: httpx.Client) -> None:
    """The Worker of the test holds what it is sent and what it answers at once; ours never do."""
    count = 1_100_000
    large = Samples(times_ms=range(count), values=[0.5] * count)
    text = do(client, "text", image_of(large), form="json", point="x")
    assert text == b",".join(b"[%d,0.5]" % place for place in range(count))
    assert large.values[-1] == 0.5
