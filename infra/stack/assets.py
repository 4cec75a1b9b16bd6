"""Assets: the files that the public Worker's platform serves by itself, without starting its code.

Owns where they lie, what is refused, and their digest. `_headers` among them has the headers of answers.
Must not know what the page does, nor Pulumi.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DIRECTORY: Final = "console/assets"
"""From the root of the repository, which is where Pulumi resolves it, too."""

MAX_FILE_BYTES: Final = 25 * 1024 * 1024
"""Of one file (Workers platform limits, 2026-09)."""

HTML_HANDLING: Final = "auto-trailing-slash"
"""`/` is `index.html`."""

NOT_FOUND_HANDLING: Final = "none"
"""A path that no file has goes to the Worker."""

WORKER_FIRST: Final = ("/api/*", "/prometheus/*")
"""Paths of which no file is looked for. Of all others it is: a file is served by the platform itself, and no
Python starts for it.
"""


class AssetsFault(ValueError):
    """The folder of assets cannot be served; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    """A folder of files, from the root, and the digest of all names and bytes in it."""

    directory: str
    sha256: str


def read_assets(root: Path, directory: str = DIRECTORY) -> Assets:
    """Look through the folder. Raises AssetsFault without a page, or with a file that cannot be served."""
    digest = hashlib.sha256()
    files = sorted(path for path in (root / directory).rglob("*") if path.is_file())
    names = [path.relative_to(root / directory).as_posix() for path in files]
    if "index.html" not in names:
        raise AssetsFault(f"{directory} has no index.html")
    for name, path in zip(names, files, strict=True):
        content = path.read_bytes()
        if name.startswith(".") or "/." in name:
            raise AssetsFault(f"{directory}/{name}: hidden files are not served; remove it")
        if len(content) > MAX_FILE_BYTES:
            raise AssetsFault(
                f"{directory}/{name} has {len(content)} bytes; a file may have {MAX_FILE_BYTES}"
            )
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return Assets(directory=directory, sha256=digest.hexdigest())
