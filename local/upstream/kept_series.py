"""Data files that were read, kept for the next process that reads the very same file.

Reading stamps takes more time than all else of a first answer, and every stack that starts reads the sample.
Owns the folder and the form of what is kept, named by the digest of the file's bytes, so that nothing old is
ever found. Must not know how a file is read. It may be removed at any time.
"""

import contextlib
import hashlib
import os
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Final

from local.upstream.series import INSTANT_CODE, Series

FOLDER: Final = Path(__file__).resolve().parents[2] / "build" / "upstream"

FORM: Final = b"1"
"""Of what is kept, and of how files are read: raise it when either changes."""

KEPT_ROWS: Final = 5_000
"""Of a file that is kept: smaller ones are read as fast."""

KEPT_S: Final = 7 * 86_400
"""How long what nobody has used is kept."""

_COUNT_BYTES: Final = 8


def kept_or_read(path: Path, read: Callable[[Path], Series], *, folder: Path = FOLDER) -> Series:
    """The series of a file, read only if it was not read before. Raises what `read` raises."""
    try:
        digest = hashlib.sha256(FORM + path.read_bytes()).hexdigest()
    except OSError:
        return read(path)  # It says what is wrong.
    file = folder / digest
    with contextlib.suppress(OSError, ValueError):
        series = _series_of(file.read_bytes())
        os.utime(file)
        return series
    series = read(path)
    if len(series.times_us) >= KEPT_ROWS:
        with contextlib.suppress(OSError):
            _keep(series, file)
    return series


def _keep(series: Series, file: Path) -> None:
    """Write it in one step. Texts with line feeds, which no telemetry has, are not kept."""
    texts = "\n".join(series.texts)
    if texts.count("\n") != len(series.texts) - 1:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    for old in file.parent.iterdir():
        if old.stat().st_mtime < time.time() - KEPT_S:
            old.unlink(missing_ok=True)
    unfinished = file.with_suffix(f".{os.getpid()}")
    count = len(series.texts).to_bytes(_COUNT_BYTES, "little")
    unfinished.write_bytes(count + series.times_us.tobytes() + texts.encode())
    unfinished.replace(file)


def _series_of(content: bytes) -> Series:
    """Raises ValueError for what is no series."""
    count = int.from_bytes(content[:_COUNT_BYTES], "little")
    times_us = array(INSTANT_CODE)
    end = _COUNT_BYTES + count * times_us.itemsize
    times_us.frombytes(content[_COUNT_BYTES:end])
    texts = content[end:].decode().split("\n")
    if len(times_us) != count or len(texts) != count:
        raise ValueError("cut")
    same: dict[str, str] = {}  # as where files are read: one string object a distinct value
    return Series(times_us=times_us, texts=list(map(same.setdefault, texts, texts)))
