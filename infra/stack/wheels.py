"""Wheels: packages with native code that Workers carry, as the lock file names them.

Owns the reading of `functions/wheels.lock.json`, the look at each wheel's bytes before anything of it goes
into a bundle, and which of its files go. Must not know how wheels are fetched (`delivery/wheels.py`), which
function needs one (`bundle.py`), bindings or Pulumi.

A wheel is a zip. Its files go below `python_modules/`, shared objects too, and the runtime loads them from
there. What only type checkers and installers read stays behind.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
LOCK_FILE: Final = ROOT / "functions" / "wheels.lock.json"
WHEELS_DIR: Final = ROOT / "build" / "wheels"
"""Where `make setup` puts them."""

_UNUSED_SUFFIXES: Final = frozenset({".pyi", ".typed", ".pyc"})


class WheelError(ValueError):
    """A wheel that cannot be used; the text names it and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A locked wheel. `tag` is Python, ABI and platform; `imports` the packages in it, in dotted form;
    `requires` the distributions of the lock file that it imports in turn. A `zipped` one is many small files,
    all data and Python: it goes into a bundle as it is, one zip, and the code puts that on the path.
    """

    name: str
    version: str
    tag: str
    sha256: str
    imports: tuple[str, ...]
    requires: tuple[str, ...] = ()
    zipped: bool = False
    folder: Path = WHEELS_DIR

    @property
    def file_name(self) -> str:
        """As the registry names it."""
        return f"{self.name.replace('-', '_')}-{self.version}-{self.tag}.whl"

    @property
    def path(self) -> Path:
        """Where it lies here."""
        return self.folder / self.file_name

    def gives(self, module: str, member: str | None) -> bool:
        """Whether an import loads something of this wheel. A package may share its first name with others."""
        names = (module,) if member is None else (module, f"{module}.{member}")
        return any(name == one or name.startswith(f"{one}.") for one in self.imports for name in names)

    def files(self) -> dict[str, bytes]:
        """What goes into a bundle, by path. Raises WheelError if the wheel is not here, or is another."""
        content = self.content()
        return {f"{self.name}.zip": content} if self.zipped else _used(content)

    def content(self) -> bytes:
        """The wheel's bytes. Raises WheelError if it is not here, or is another."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError as error:
            raise WheelError(
                f"the wheel {self.file_name} is not in {_place(self.folder)}: make setup"
            ) from error
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise WheelError(
                f"the wheel {self.file_name} in {_place(self.folder)} has the SHA-256 {found}, "
                f"{LOCK_FILE.name} says {self.sha256}: make setup fetches it anew"
            )
        return content


def locked_wheels(lock_file: Path = LOCK_FILE, folder: Path = WHEELS_DIR) -> tuple[Wheel, ...]:
    """Every wheel of the lock file, by name. None of them needs to be here. Raises WheelError."""
    try:
        entries = json.loads(lock_file.read_text(encoding="utf-8"))
        wheels = tuple(_wheel(name, entry, folder) for name, entry in sorted(entries.items()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WheelError(f"{lock_file.name} cannot be read ({error!r}): restore it, or make lock") from error
    known = {wheel.name for wheel in wheels}
    for wheel in wheels:
        if missing := sorted(set(wheel.requires) - known):
            raise WheelError(f"{lock_file.name}: {wheel.name} requires {', '.join(missing)}: make lock")
    return wheels


def with_required(needed: Iterable[str], wheels: Iterable[Wheel]) -> tuple[Wheel, ...]:
    """The wheels of these names and all that they import in turn, by name."""
    by_name = {wheel.name: wheel for wheel in wheels}
    found: set[str] = set()
    waiting = list(needed)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(by_name[name].requires)
    return tuple(by_name[name] for name in sorted(found))


def packages_of(content: bytes) -> tuple[str, ...]:
    """The outermost packages and modules of a wheel, in dotted form: what `imports` says."""
    paths = [PurePosixPath(path) for path in _used(content)]
    packages = {path.parent for path in paths if path.name == "__init__.py"}
    alone = {path.parent / path.name.partition(".")[0] for path in paths if not {*path.parents} & packages}
    outermost = {one for one in packages if not {*one.parents} & packages}
    return tuple(sorted(".".join(one.parts) for one in outermost | alone))


def _wheel(name: str, entry: Mapping[str, object], folder: Path) -> Wheel:
    texts = {key: str(entry[key]) for key in ("version", "tag", "sha256")}
    imports, requires = entry["imports"], entry.get("requires", [])
    if not isinstance(imports, list) or not isinstance(requires, list):
        raise TypeError(f"{name}: imports and requires are lists")
    zipped = entry.get("zipped", False) is True
    return Wheel(
        name=name, imports=tuple(imports), requires=tuple(requires), zipped=zipped, folder=folder, **texts
    )


@cache
def _used(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name: archive.read(name) for name in sorted(archive.namelist()) if _is_used(PurePosixPath(name))
        }


def _is_used(path: PurePosixPath) -> bool:
    is_data = path.parts[0].endswith((".dist-info", ".data"))
    return not is_data and path.suffix not in _UNUSED_SUFFIXES


def _place(folder: Path) -> str:
    return folder.relative_to(ROOT).as_posix() if folder.is_relative_to(ROOT) else str(folder)
