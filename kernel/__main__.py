"""`make kernel`: build the kernel from `src/`, or compare with what stands in the repository.

Owns the compiler's flags and what is recorded beside the built module. The module's bytes follow from
the sources, the flags and the compiler's version alone, so anybody can make them again; `kernel.lock` says
of which sources the module was made, so that one cannot change without the other.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCE_DIR: Final = ROOT / "kernel" / "src"
LOCK: Final = ROOT / "kernel" / "kernel.lock"
BUILT: Final = ROOT / "functions" / "edgeseries" / "platform" / "kernel.wasm"

COMPILER: Final = "ziglang"

MAX_MEMORY_BYTES: Final = 64 * 1024 * 1024
"""The arena's bound: half of an isolate's 128 MB. The largest segment that a block may hold (a million
samples of 24 bytes) is decoded in it."""

STACK_BYTES: Final = 128 * 1024
"""Shapes nest ten deep at most; the deepest call takes a tenth of this."""

FLAGS: Final = (
    "-target",
    "wasm32-freestanding",
    # What every engine that we meet has had for years: the module must not ask for what one lacks.
    "-mcpu=mvp+bulk_memory+sign_ext+nontrapping_fptoint",
    "-fno-entry",
    "-rdynamic",
    "-fstrip",
    # Bounds, overflows and casts stay checked: a mistake of ours stops the instance and makes no wrong data.
    "-O",
    "ReleaseSafe",
    "--stack",
    str(STACK_BYTES),
    f"--max-memory={MAX_MEMORY_BYTES}",
)


def sources() -> list[Path]:
    """The kernel's sources, sorted."""
    return sorted(SOURCE_DIR.glob("*.zig"))


def lock_text(module: bytes) -> str:
    """What is recorded of a build: digests of the module and of each source, the flags, the compiler."""
    recorded = {
        "module": hashlib.sha256(module).hexdigest(),
        "compiler": pinned_compiler(),
        "flags": list(FLAGS),
        "sources": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sources()},
    }
    return json.dumps(recorded, indent=2) + "\n"


def is_installed() -> bool:
    """Whether the compiler is here, in the version that is pinned."""
    try:
        version = metadata.version(COMPILER)
    except metadata.PackageNotFoundError:
        return False
    return f"{COMPILER}=={version}" == pinned_compiler()


def pinned_compiler() -> str:
    """The compiler as its lock file names it, without the hashes of its wheels."""
    return (ROOT / "requirements-kernel.txt").read_text(encoding="utf-8").split()[0]


def build() -> bytes:
    """The module's bytes. Raises CalledProcessError, with what the compiler says on stderr."""
    with tempfile.TemporaryDirectory(prefix="kernel-") as folder:
        out = Path(folder) / "kernel.wasm"
        _zig(
            "build-exe",
            "main.zig",
            *FLAGS,
            f"-femit-bin={out}",
            "--cache-dir",
            folder,
            "--global-cache-dir",
            folder,
        )
        return out.read_bytes()


def _zig(*words: str) -> None:
    subprocess.run([sys.executable, "-m", COMPILER, *words], cwd=SOURCE_DIR, check=True)  # noqa: S603 - our own words


def main(words: Sequence[str]) -> int:
    """Exit status 0 when built, or when what is built is what stands there; 1 with what is wrong."""
    parser = argparse.ArgumentParser(prog="make kernel", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    asked = parser.parse_args(words)
    try:
        _zig("fmt", "--check", ".") if asked.check else _zig("fmt", ".")
        module = build()
    except subprocess.CalledProcessError as fault:
        print(f"make kernel: the compiler ended with status {fault.returncode}", file=sys.stderr)
        return 1
    if not asked.check:
        BUILT.write_bytes(module)
        LOCK.write_text(lock_text(module), encoding="utf-8")
        print(f"{BUILT.relative_to(ROOT)}: {len(module):,} bytes")
        return 0
    if module != BUILT.read_bytes():
        print(
            f"make kernel: {BUILT.relative_to(ROOT)} is not what the sources make; build it anew: make kernel"
        )
        return 1
    print(f"{BUILT.relative_to(ROOT)} is what the sources make")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
