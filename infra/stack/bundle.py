"""Bundle: the exact modules that are uploaded for one function, and their hash.

Owns the closure of `functions/<function>/entry.py` over `functions/`, the names and content
types of modules, and what is refused. Reads code as bytes and imports none of it. Must not
know bindings' meaning, settings or Pulumi.

Names: `<function>/entry.py` becomes `entry.py`, because the runtime imports the main module
by its bare name; other Python files keep their path below `functions/`. A JavaScript module
that the code imports as "./x.mjs" lies beside the Python file that imports it and becomes
`x.mjs`: the runtime resolves such a name from the root of the bundle. What a JavaScript module
imports as "./y.mjs" or "./y.wasm" lies beside it and comes along. Files of the vendored
`workers-runtime-sdk` come below `python_modules/`, typed as wrangler types them. So do those of a locked
wheel (`wheels.py`), if the code of this function imports it.
"""

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Final

from stack.imports import STDLIB_MODULES, Import, RelativeImport, Taken, taken_by
from stack.wheels import Wheel, WheelError, locked_wheels, with_required

MAIN_MODULE: Final = "entry.py"

PYTHON: Final = "text/x-python"
JAVASCRIPT: Final = "application/javascript+module"
WASM: Final = "application/wasm"
"""WebAssembly. The runtime compiles it at upload: code may import such modules and compile none."""

DATA: Final = "application/octet-stream"

VENDOR_FOLDER: Final = "python_modules"
SDK_DISTRIBUTION: Final = "workers-runtime-sdk"
SDK_PACKAGE: Final = "workers"

RUNTIME_MODULES: Final = frozenset(
    {"js", "pyodide", "pyodide_js", "_pyodide", "_pyodide_entrypoint_helper", "_cloudflare_compat_flags"}
)
"""What the Workers runtime itself provides."""

MAX_BUNDLE_BYTES: Final = 64 * 1024 * 1024
"""Of all modules, uncompressed (Workers platform limits, 2026-09)."""

CONTENTS_REMEMBERED: Final = 1_024
"""Of how many files a digest is kept: some hundred make all bundles, most of them in each."""

_SCRIPT_IMPORT: Final = re.compile(
    rb"""^\s*(?:import|export)\b(?:[^"';]*\bfrom)?\s*["'](\.[^"']*)["']|\bimport\(([^)]*)\)""", re.MULTILINE
)
"""A static import of a relative name in JavaScript (across lines, too), or any dynamic import."""

_SCRIPT_TYPES: Final = {".mjs": JAVASCRIPT, ".wasm": WASM}


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One file of a bundle. `source` is where it comes from, for messages."""

    name: str
    content_type: str
    content: bytes
    source: str

    @property
    def sha256(self) -> str:
        """Hex digest of the content."""
        return _digest_of(self.content)


@lru_cache(maxsize=CONTENTS_REMEMBERED)
def _digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The modules of one function, sorted by name."""

    function: str
    modules: tuple[Module, ...]
    main_module: str = MAIN_MODULE

    @property
    def hash(self) -> str:
        """Hex digest over names, types and contents: equal bundles, equal hash, on any machine."""
        digest = hashlib.sha256()
        for module in self.modules:
            digest.update(f"{module.name}\0{module.content_type}\0{module.sha256}\n".encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingUse:
    """A place where the code takes a platform binding from `env`."""

    name: str
    path: str
    line: int


class BundleError(ValueError):
    """Code that cannot be deployed; the text names file, line and remedy."""


def bundle(
    function: str, functions_dir: Path, vendored: tuple[Module, ...], wheels: tuple[Wheel, ...] = ()
) -> Bundle:
    """The bundle of a function: its code, all of `vendored`, and those of the wheels that the code imports.

    Raises BundleError.
    """
    closure = _Closure(function, functions_dir, vendored, wheels)
    modules = (*closure.modules(), *vendored, *closure.of_wheels())
    size_bytes = sum(len(module.content) for module in modules)
    if size_bytes > MAX_BUNDLE_BYTES:
        raise BundleError(
            f"{function}: the bundle has {size_bytes} bytes, the platform takes {MAX_BUNDLE_BYTES}. "
            f"Find the large file with: du -a functions | sort -n"
        )
    return Bundle(function=function, modules=tuple(sorted(modules, key=lambda module: module.name)))


def bindings_used(built: Bundle) -> tuple[BindingUse, ...]:
    """The bindings that a bundle's own code takes: each `env.NAME` in capitals, by name and place."""
    uses = {
        BindingUse(name=one.name, path=module.source, line=one.line)
        for module in built.modules
        if module.content_type == PYTHON
        for one in taken_by(module.content, module.source).bindings
    }
    return tuple(sorted(uses, key=lambda use: (use.name, use.path, use.line)))


def names_imported(built: Bundle, module_name: str) -> tuple[BindingUse, ...]:
    """What a bundle's own code imports from one of its modules, by name and place."""
    uses = {
        BindingUse(name=one.member, path=module.source, line=one.line)
        for module in built.modules
        if module.content_type == PYTHON
        for one in taken_by(module.content, module.source).imports
        if one.module == module_name and one.member is not None
    }
    return tuple(sorted(uses, key=lambda use: (use.name, use.path, use.line)))


def vendored_sdk() -> tuple[Module, ...]:
    """The installed workers-runtime-sdk as modules; raises BundleError when it is not installed."""
    try:
        distribution = metadata.distribution(SDK_DISTRIBUTION)
    except metadata.PackageNotFoundError as error:
        raise BundleError(f"{SDK_DISTRIBUTION} is not installed here: make setup") from error
    modules = []
    for path in distribution.files or ():
        if path.suffix == ".pyc" or path.parts[0].endswith(".dist-info") or ".." in path.parts:
            continue
        is_script = path.parts[0] == SDK_PACKAGE and path.suffix in {".js", ".mjs"}
        modules.append(
            Module(
                name=f"{VENDOR_FOLDER}/{path.as_posix()}",
                content_type=JAVASCRIPT if is_script else DATA,
                content=path.read_binary(),
                source=f"{SDK_DISTRIBUTION}/{path.as_posix()}",
            )
        )
    if not modules:
        raise BundleError(f"{SDK_DISTRIBUTION} is installed without its list of files: make distclean setup")
    return tuple(sorted(modules, key=lambda module: module.name))


def vendored_wheels() -> tuple[Wheel, ...]:
    """The wheels that bundles may take from, each looked at when one does; raises BundleError."""
    try:
        return locked_wheels()
    except WheelError as error:
        raise BundleError(str(error)) from error


def _taken_by(content: bytes, source: str) -> Taken:
    """What a file takes; raises BundleError where it cannot be read."""
    try:
        return taken_by(content, source)
    except SyntaxError as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise BundleError(f"{source}:{error.lineno}: Python {version} cannot read it: {error.msg}") from error
    except RelativeImport as error:
        raise BundleError(
            f"{source}: relative import ({error}): write it in full, from functions/ down"
        ) from error


def _listed(root: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Folders and Python files below a folder, by their paths from there."""
    folders, files = set[str](), set[str]()
    for folder, names, found in os.walk(root):
        below = "" if folder == str(root) else f"{Path(folder).relative_to(root).as_posix()}/"
        names[:] = [name for name in names if name != "__pycache__"]
        folders |= {below + name for name in names}
        files |= {below + name for name in found if name.endswith(".py")}
    return frozenset(folders), frozenset(files)


class _Closure:
    """The walk from an entry over everything it imports. Used once, by `bundle`."""

    def __init__(
        self,
        function: str,
        functions_dir: Path,
        vendored: tuple[Module, ...],
        wheels: tuple[Wheel, ...],
    ) -> None:
        self._root = functions_dir
        self._function = function
        self._entry = f"{function}/{MAIN_MODULE}"
        roots = {PurePosixPath(module.name).parts[1] for module in vendored}
        self._provided = STDLIB_MODULES | RUNTIME_MODULES | {root.removesuffix(".py") for root in roots}
        self._wheels = wheels
        self._imported: set[str] = set()
        self._found: dict[str, Module] = {}
        self._waiting: list[str] = []
        # Most imports name what another file has named before, and asking the disk each time takes longest.
        self._folders, self._files = _listed(functions_dir)
        self._loaded = cache(self._find_loaded)

    def modules(self) -> Iterator[Module]:
        if not (self._root / self._entry).is_file():
            raise BundleError(f"{self._function}: there is no {self._source(self._entry)}; write it")
        self._waiting.append(self._entry)
        followed: set[str] = set()
        while self._waiting:
            path = self._waiting.pop()
            if path in followed:
                continue
            followed.add(path)
            name = MAIN_MODULE if path == self._entry else path
            content, source = (self._root / path).read_bytes(), self._source(path)
            if self._add(Module(name=name, content_type=PYTHON, content=content, source=source)):
                self._follow(path, _taken_by(content, source))
        yield from self._found.values()

    def of_wheels(self) -> Iterator[Module]:
        """What the wheels hold that the code imports; known once the closure is."""
        for wheel in with_required(self._imported, self._wheels):
            try:
                files = wheel.files()
            except WheelError as error:
                raise BundleError(f"{self._function}: {error}") from error
            for path, content in files.items():
                yield Module(
                    name=f"{VENDOR_FOLDER}/{path}",
                    content_type=DATA,
                    content=content,
                    source=f"{wheel.name}/{path}",
                )

    def _follow(self, path: str, taken: Taken) -> None:
        for found in taken.imports:
            self._resolve(path, found)
        for call in taken.javascript:
            self._add_javascript(path, call.specifier, call.line)

    def _resolve(self, path: str, found: Import) -> None:
        """Put the files that an import loads on the list, packages on the way included."""
        first = found.module.partition(".")[0]
        if not self._is_own(first):
            if first in self._provided:
                return
            taken = {wheel.name for wheel in self._wheels if wheel.gives(found.module, found.member)}
            if taken:
                self._imported |= taken
                return
            raise BundleError(
                f"{self._place(path, found.line)}: imports {found.module}, which is neither in functions/ "
                "nor in the standard library of the Workers, and no wheel of the lock file has it: "
                "write it against what is there"
            )
        if first in STDLIB_MODULES:
            raise BundleError(
                f"functions/{first} has the name of a standard library module and would hide it: rename it"
            )
        loaded = self._loaded(found.module, found.member)
        if loaded is None:
            raise BundleError(
                f"{self._place(path, found.line)}: imports {found.module}, which is not in functions/: "
                "correct the name"
            )
        self._waiting.extend(loaded)

    def _is_own(self, name: str) -> bool:
        """Whether a package or module of that name lies in functions/."""
        return name in self._folders or f"{name}.py" in self._files

    def _find_loaded(self, module: str, member: str | None) -> tuple[str, ...] | None:
        """All files that an import loads, None if the module is not there. Its last step may name a member of
        the module, so that need not be a file.
        """
        parts = module.split(".")
        reached = [self._files_of("/".join(parts[: depth + 1])) for depth in range(len(parts))]
        if None in reached:
            return None
        reached.append(self._files_of("/".join((*parts, member))) if member else None)
        return tuple(file for files in reached for file in files or ())

    def _files_of(self, module: str) -> tuple[str, ...] | None:
        """The file that a module is loaded from, none for a folder without __init__.py; None if neither."""
        if module in self._folders:
            package = f"{module}/__init__.py"
            return (package,) if package in self._files else ()
        return (f"{module}.py",) if f"{module}.py" in self._files else None

    def _add_javascript(self, path: str, specifier: str | None, line: int) -> None:
        if specifier is None:
            raise BundleError(
                f"{self._place(path, line)}: import_from_javascript needs a string literal, "
                "or the module would be left out of the bundle"
            )
        if not specifier.startswith("."):
            return  # The runtime's own, such as node:zlib.
        name = specifier.removeprefix("./")
        file = (PurePosixPath(path).parent / name).as_posix()
        if "/" in name or not name.endswith(".mjs") or not (self._root / file).is_file():
            raise BundleError(
                f"{self._place(path, line)}: imports {specifier!r} from JavaScript: name a .mjs file that "
                f"lies beside it, such as './native.mjs'"
            )
        self._add_script(file)

    def _add_script(self, file: str) -> None:
        """A file that JavaScript is made of, and what it imports in turn."""
        path = PurePosixPath(file)
        content, kind = (self._root / file).read_bytes(), _SCRIPT_TYPES[path.suffix]
        module = Module(name=path.name, content_type=kind, content=content, source=self._source(file))
        if not self._add(module) or kind != JAVASCRIPT:
            return
        for found in _SCRIPT_IMPORT.finditer(content):
            line = content.count(b"\n", 0, found.start(found.lastindex or 0)) + 1
            if found[1] is None:
                raise BundleError(
                    f"{self._place(file, line)}: imports at run time: import it at the top of the file, "
                    "or it would be left out of the bundle"
                )
            name = found[1].decode().removeprefix("./")
            beside = path.parent / name
            if "/" in name or beside.suffix not in _SCRIPT_TYPES or not (self._root / beside).is_file():
                raise BundleError(
                    f"{self._place(file, line)}: imports {found[1].decode()!r}: name a .mjs or .wasm file "
                    "that lies beside it, such as './native.wasm'"
                )
            self._add_script(beside.as_posix())

    def _add(self, module: Module) -> bool:
        """Whether the module is new to the bundle."""
        other = self._found.setdefault(module.name, module)
        if other.source != module.source:
            raise BundleError(f"{other.source} and {module.source} would both be {module.name}: rename one")
        return other is module

    def _source(self, path: str) -> str:
        return f"{self._root.name}/{path}"

    def _place(self, path: str, line: int) -> str:
        return f"{self._source(path)}:{line}"
