"""The commands in our documents: fenced blocks of code, with the mark that says who runs them.

A mark is the word after the language: `run` (a test runs it against a running stack), `engine` (`make engine`
runs it, with a real Pulumi engine and a stand-in for the account), `account` (it needs a Cloudflare account,
and nobody here runs it), or `tested=<path>` (that test runs it).
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))
"""The guides. Pages of formats and decisions show data, not commands."""

LANGUAGES = {"bash", "sh", "python", "javascript"}
COMMAND = re.compile(r"^(\$ )?(make|curl|pulumi|npx|wrangler|pywrangler|git|gh|python3?|node|export)\b")

_FENCE = re.compile(r"^```(.*)$")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block. `line` is that of its fence, from 1."""

    document: Path
    line: int
    language: str
    mark: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def blocks_of(document: Path) -> Iterator[Block]:
    """The fenced blocks of a document, in order."""
    opened: tuple[int, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if fence is None:
            lines.append(line)
        elif opened is None:
            opened, lines = (number, fence[1].strip()), []
        else:
            language, _, mark = opened[1].partition(" ")
            yield Block(
                document=document, line=opened[0], language=language, mark=mark.strip(), text="\n".join(lines)
            )
            opened = None
    assert opened is None, f"{document}: a fence is never closed"


BLOCKS = [block for document in DOCUMENTS for block in blocks_of(document)]


def user_environment(url: str, folder: Path) -> dict[str, str]:
    """The environment of a user who has installed the Python client and copied the JavaScript client into a
    folder; `url` is the server.
    """
    shutil.copy(ROOT / "clients" / "javascript" / "edgeseries.mjs", folder)
    command = folder / "bin" / "edgeseries"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m edgeseries_client.command "$@"\n')
    command.chmod(0o755)
    return {
        "PATH": f"{command.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "clients" / "python"),
        "URL": url,
        "EDGESERIES_URL": url,
        "NO_PROXY": "*",
    }
