"""Compiler: Python source to what an interpreter keeps of it, run inside Pyodide by `compiler.mjs`."""

# ruff: noqa: INP001 - the folder is JavaScript; this one file is read as text, never imported

import io
import zipfile
from importlib._bootstrap_external import _code_to_hash_pyc  # type: ignore[attr-defined]
from importlib.util import source_hash
from typing import Any

STDLIB = "/lib/python314.zip"
"""Where Pyodide keeps its standard library. Code of a zip keeps the name that it is compiled with."""


def with_bytecode(buffer: Any) -> bytes:
    """A zip of Python files with the bytecode of each beside it; the sources stay, for tracebacks."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(buffer.to_bytes())) as there,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for info in there.infolist():
            content = there.read(info)
            out.writestr(info, content, zipfile.ZIP_DEFLATED)
            if info.filename.endswith(".py") and (
                compiled := _bytecode(content, f"{STDLIB}/{info.filename}")
            ):
                out.writestr(f"{info.filename}c", compiled)
    return made.getvalue()


def bytecode(buffer: Any, name: str) -> bytes:
    """The bytecode of one file, empty if it does not compile. Import gives it the name of its place."""
    return _bytecode(buffer.to_bytes(), name)


def _bytecode(content: bytes, name: str) -> bytes:
    try:
        code = compile(content, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return b""
    # By the hash of the source, which nobody looks at again: files get new times with every start.
    pyc: bytes = _code_to_hash_pyc(code, source_hash(content), checked=False)
    return pyc
