"""Parts of a download on the disk: one that broke off goes on where it stopped, in this run or another.

A folder beside the file that is wanted holds a file a part. Of a part that is under way its ETag is kept: if
the server sends the same one again, the bytes that are there are passed over; if not, the part begins anew.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

OF: Final = "of"
"""The file that says what the parts are parts of."""


class Spool:
    """The folder `<target>.<kind>`. What lies there of another download (`identity`) is removed first."""

    def __init__(self, target: Path, identity: str, *, kind: str = "parts") -> None:
        self.folder = target.with_name(f"{target.name}.{kind}")
        mark = self.folder / OF
        if not mark.is_file() or mark.read_text(encoding="utf-8") != identity:
            self.remove()
            self.folder.mkdir(parents=True)
            mark.write_text(identity, encoding="utf-8")

    def part(self, number: int) -> "PartSink":
        """Where a part goes, or is already."""
        return PartSink(self.folder / f"{number:06}")

    def remove(self) -> None:
        """Remove the folder, with all parts."""
        shutil.rmtree(self.folder, ignore_errors=True)


class PartSink:
    """One part, from its first byte or from where it broke off. `received` counts bytes that are there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._under_way = path.with_suffix(".begun")
        self._tag = path.with_suffix(".tag")
        self._to_skip = 0

    @property
    def complete(self) -> bool:
        """Whether all of it is there."""
        return self.path.is_file()

    @property
    def received(self) -> int:
        """Bytes that are there."""
        return self._under_way.stat().st_size if self._under_way.is_file() else 0

    def begin(self, headers: Mapping[str, str]) -> None:
        """A body begins: of the same tag, to be gone on with; of another, or of none, to begin anew."""
        tag = strong(headers.get("etag", ""))
        known = self._tag.read_text(encoding="utf-8") if self._tag.is_file() else ""
        self._to_skip = self.received if tag and tag == known else 0
        if not self._to_skip:
            self._under_way.write_bytes(b"")
            self._tag.write_text(tag, encoding="utf-8")

    def write(self, chunk: bytes) -> None:
        """The next bytes of the body, from its first."""
        passed = min(self._to_skip, len(chunk))
        self._to_skip -= passed
        if passed < len(chunk):
            with self._under_way.open("ab") as file:
                file.write(chunk[passed:])

    def end(self) -> None:
        """The body came to its end."""
        self._under_way.rename(self.path)
        self._tag.unlink(missing_ok=True)


def strong(tag: str) -> str:
    """A strong ETag; empty for a weak one, which promises no equal bytes."""
    return tag if tag.startswith('"') else ""
