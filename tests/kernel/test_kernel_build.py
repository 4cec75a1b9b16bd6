"""The built kernel is what its sources make, asks the host for nothing, and its memory is bounded."""

import json
import re
from pathlib import Path

import pytest
import wasmtime

from edgeseries.blocks.kernel_faults import error_of
from kernel.__main__ import BUILT, LOCK, MAX_MEMORY_BYTES, build, is_installed, lock_text, sources

ROOT = Path(__file__).resolve().parents[2]
MAX_BYTES = 150_000
MAX_SOURCE_LINES = 300
PAGE_BYTES = 65_536


def test_the_module_was_built_from_these_sources_with_these_flags() -> None:
    """Runs without the compiler: who changes a source and forgets `make kernel` is told here."""
    assert LOCK.read_text(encoding="utf-8") == lock_text(BUILT.read_bytes()), "run: make kernel"


@pytest.mark.skipif(not is_installed(), reason="needs the compiler (100 MB): make kernel CHECK=1, as CI does")
def test_the_sources_make_the_very_bytes() -> None:
    assert build() == BUILT.read_bytes()


def test_it_imports_nothing_and_its_memory_is_bounded() -> None:
    module = wasmtime.Module(wasmtime.Engine(), BUILT.read_bytes())
    assert module.imports == []
    exports = {one.name: one.type for one in module.exports}
    assert set(exports) == {
        "memory", "version", "reset", "reserve", "decode", "load", "settle", "count", "save", "write",
        "surrogates", "encode", "bucket", "resultAt", "resultSize",
    }  # fmt: skip
    memory = exports["memory"]
    assert isinstance(memory, wasmtime.MemoryType)
    assert memory.limits.max == MAX_MEMORY_BYTES // PAGE_BYTES
    assert len(BUILT.read_bytes()) <= MAX_BYTES


def test_every_fault_has_its_number_and_its_sentence() -> None:
    source = (ROOT / "kernel" / "src" / "faults.zig").read_text(encoding="utf-8")
    numbers = [int(number) for number in re.findall(r"error\.\w+ => (\d+),", source)]
    script = (ROOT / "functions/edgeseries/platform/kernel.mjs").read_text(encoding="utf-8")
    of_script = [int(number) for number in re.findall(r"^const [A-Z_]+ = (6\d);", script, re.MULTILINE)]
    assert len(set(numbers)) == len(numbers) >= 29
    assert of_script == [64, 65, 66, 67, 68]
    for number in (*numbers, *of_script):
        assert "does not know" not in str(error_of(number)) or number == 68
    page = (ROOT / "docs" / "formats" / "columns.md").read_text(encoding="utf-8")
    assert [number for number in (*numbers, *of_script) if f"| {number} |" not in page] == []


def test_sources_are_short() -> None:
    assert len(sources()) >= 10
    for path in sources():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_SOURCE_LINES, path.name


def test_the_lock_is_readable() -> None:
    recorded = json.loads(LOCK.read_text(encoding="utf-8"))
    assert (
        (ROOT / "requirements-kernel.txt").read_text(encoding="utf-8").startswith(recorded["compiler"] + " ")
    )
