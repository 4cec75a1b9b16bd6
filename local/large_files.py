"""Large files of bundles, kept once for this machine under `build/large` and named by their contents.

Shared objects of wheels have megabytes. In the plan they would be written as text, parsed and decoded at
every start; so the plan names their paths. Must not know what the files are.
"""

import base64
import os
import time
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parents[1] / "build" / "large"

LARGE_CHARS: Final = 200_000
"""Base64 of a file that is kept here; what is smaller costs less as text than as a file."""

KEPT_S: Final = 7 * 86_400
"""How long what no start has named is kept."""


REMEMBERED: Final = 16
"""Files whose texts and names a process remembers: four are in the bundles, the largest has 11 MB."""


def is_large(content_base64: str) -> bool:
    """Whether a file is kept here."""
    return len(content_base64) > LARGE_CHARS


def kept_file(content_base64: str, *, folder: Path = FOLDER) -> Path:
    """The path of a file with this content; it is written unless it is there. Starts may run side by side."""
    path = folder / _name_of(content_base64)
    try:
        os.utime(path)
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        _forget_old(folder)
        own = path.with_name(f"{path.name}.{os.getpid()}")
        own.write_bytes(base64.b64decode(content_base64))
        own.replace(path)
    return path


def text_of(name: str, *, folder: Path = FOLDER) -> str:
    """The content of a file as base64, by its name. Raises FileNotFoundError if it is gone."""
    text = _text_of(folder / name)
    os.utime(folder / name)
    return text


@lru_cache(maxsize=REMEMBERED)
def _text_of(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")


@lru_cache(maxsize=REMEMBERED)
def _name_of(content_base64: str) -> str:
    return sha256(base64.b64decode(content_base64)).hexdigest()


def _forget_old(folder: Path) -> None:
    oldest_s = time.time() - KEPT_S
    for path in folder.iterdir():
        if path.stat().st_mtime < oldest_s:
            path.unlink(missing_ok=True)
