"""Wheels of the Workers: which a function carries, that they are the locked ones, and how they are locked."""

import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from delivery.programs import DeliveryFault
from delivery.wheels import ANY_TAG, TAG, fetch, locked
from stack.bundle import DATA, Bundle, BundleError, bundle, vendored_sdk, vendored_wheels
from stack.wheels import LOCK_FILE, Wheel, WheelError, locked_wheels, packages_of, with_required

ROOT = Path(__file__).resolve().parents[2]

CORE = {
    "arrow/core/__init__.py": "",
    "arrow/core/_core.so": "native",
    "arrow/core/__init__.pyi": "types",
    "arrow/core/py.typed": "",
    "arrow_core-1.dist-info/METADATA": "Name: arrow-core\n",
    "arrow_core-1.dist-info/RECORD": "",
}
IO = {
    "arrow/io/__init__.py": "import arrow.core",
    "arrow_io-1.dist-info/METADATA": "Name: arrow-io\nRequires-Dist: arrow-core\n",
}
ALONE = {"alone.cpython-314-wasm32-emscripten.so": "native", "alone-1.dist-info/METADATA": ""}


def zipped(files: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return content.getvalue()


def made(
    folder: Path, name: str, files: Mapping[str, str], imports: str, requires: tuple[str, ...] = ()
) -> Wheel:
    """A wheel that lies where it should."""
    content = zipped(files)
    digest = hashlib.sha256(content).hexdigest()
    wheel = Wheel(
        name=name,
        version="1",
        tag=TAG,
        sha256=digest,
        imports=(imports,),
        requires=requires,
        folder=folder,
    )
    wheel.path.write_bytes(content)
    return wheel


@pytest.fixture
def wheels(tmp_path: Path) -> tuple[Wheel, ...]:
    return (
        made(tmp_path, "alone", ALONE, "alone"),
        made(tmp_path, "arrow-core", CORE, "arrow.core"),
        made(tmp_path, "arrow-io", IO, "arrow.io", ("arrow-core",)),
    )


def build(folder: Path, code: str, wheels: tuple[Wheel, ...]) -> Bundle:
    (folder / "functions" / "app").mkdir(parents=True)
    (folder / "functions" / "app" / "entry.py").write_text(dedent(code), encoding="utf-8")
    return bundle("app", folder / "functions", (), wheels)


_CORE_FILES = ["arrow/core/__init__.py", "arrow/core/_core.so"]
_IO_FILES = [*_CORE_FILES, "arrow/io/__init__.py"]
CARRIED: dict[str, list[str]] = {
    "import json": [],
    "import alone": ["alone.cpython-314-wasm32-emscripten.so"],
    "def late():\n    import arrow.core": _CORE_FILES,
    "from arrow import core": _CORE_FILES,
    "from arrow.core.deep import thing": _CORE_FILES,
    "import arrow.io": _IO_FILES,
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import alone": [],
}


@pytest.mark.parametrize("code", CARRIED)
def test_a_function_carries_the_wheels_that_its_code_imports_and_what_they_require(
    tmp_path: Path, wheels: tuple[Wheel, ...], code: str
) -> None:
    built = build(tmp_path, code, wheels)
    carried = {module.name: module for module in built.modules if module.name != "entry.py"}
    assert sorted(carried) == [f"python_modules/{path}" for path in CARRIED[code]]
    assert {module.content_type for module in carried.values()} <= {DATA}
    texts = {f"python_modules/{path}": text.encode() for path, text in {**CORE, **IO, **ALONE}.items()}
    assert all(module.content == texts[name] for name, module in carried.items())


@pytest.mark.parametrize(
    "code", ["import arrow", "import arrow.other", "from arrow import other", "import lone"]
)
def test_an_import_that_no_wheel_has_is_refused_by_place(
    tmp_path: Path, wheels: tuple[Wheel, ...], code: str
) -> None:
    with pytest.raises(BundleError, match=r"functions/app/entry\.py:1: imports .*no wheel of the lock file"):
        build(tmp_path, code, wheels)


def test_a_wheel_that_is_missing_or_another_is_refused_by_name_where_it_is_needed(
    tmp_path: Path, wheels: tuple[Wheel, ...]
) -> None:
    alone = wheels[0]
    before = build(tmp_path / "before", "import alone", wheels)
    alone.path.write_bytes(zipped({**ALONE, "alone.cpython-314-wasm32-emscripten.so": "evil"}))
    with pytest.raises(
        BundleError, match=rf"^app: the wheel alone-1-{TAG}\.whl .* has the SHA-256 .*: make setup"
    ):
        build(tmp_path / "changed", "import alone", wheels)
    alone.path.unlink()
    with pytest.raises(BundleError, match=rf"^app: the wheel alone-1-{TAG}\.whl is not in .*: make setup$"):
        build(tmp_path / "missing", "import alone", wheels)
    # Who does not need it does not miss it.
    assert len(build(tmp_path / "other", "import arrow.core", wheels).modules) == 3
    alone.path.write_bytes(zipped(ALONE))
    assert build(tmp_path / "after", "import alone", wheels).hash == before.hash


def test_what_a_wheel_requires_is_found_once_however_it_is_reached(wheels: tuple[Wheel, ...]) -> None:
    _, core, arrow_io = wheels
    assert with_required(["arrow-io", "arrow-core"], wheels) == (core, arrow_io)


@pytest.mark.parametrize(
    ("files", "packages"),
    [
        (CORE, ("arrow.core",)),
        (IO, ("arrow.io",)),
        (ALONE, ("alone",)),
        ({**CORE, **IO}, ("arrow.core", "arrow.io")),
    ],
)
def test_the_packages_of_a_wheel_are_its_outermost(
    files: Mapping[str, str], packages: tuple[str, ...]
) -> None:
    assert packages_of(zipped(files)) == packages


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "cannot be read"),
        ('{"a": {"version": "1", "tag": "t"}}', "cannot be read"),
        ('{"a": {"version": "1", "tag": "t", "sha256": "0", "imports": "a"}}', "are lists"),
        (
            '{"a": {"version": "1", "tag": "t", "sha256": "0", "imports": [], "requires": ["b"]}}',
            "a requires b",
        ),
    ],
)
def test_a_lock_file_that_says_nothing_clear_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "wheels.lock.json").write_text(text, encoding="utf-8")
    with pytest.raises(WheelError, match=expected):
        locked_wheels(tmp_path / "wheels.lock.json", tmp_path)


def test_what_is_locked_is_what_lies_here_and_what_the_host_runs() -> None:
    pinned = dict(re.findall(r"^(\S+)==(\S+) ", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    wheels = vendored_wheels()
    assert wheels
    for wheel in wheels:
        assert pinned[wheel.name] == wheel.version
        assert wheel.tag == (ANY_TAG if wheel.zipped else TAG)
        assert packages_of(wheel.content()) == wheel.imports
    assert LOCK_FILE.read_text(encoding="utf-8") == (
        json.dumps(json.loads(LOCK_FILE.read_text(encoding="utf-8")), indent=2) + "\n"
    )


def test_a_package_that_the_host_has_not_is_not_locked() -> None:
    with pytest.raises(DeliveryFault, match="nothing is not in requirements"):
        locked([Wheel(name="nothing", version="1", tag=TAG, sha256="", imports=())], "msgspec==0.22.0 \\\n")


def test_a_wheel_that_is_the_locked_one_is_not_fetched(wheels: tuple[Wheel, ...]) -> None:
    """These are in no registry."""
    fetch(wheels)
    assert all(wheel.path.is_file() for wheel in wheels)


def test_who_hands_in_no_reader_of_parquet_carries_none(tmp_path: Path) -> None:
    """arro3 is 19 MB. The upstreams need it only where an entry hands it to them."""
    functions = tmp_path / "functions"
    shutil.copytree(ROOT / "functions" / "edgeseries", functions / "edgeseries")
    takes = "from edgeseries.platform.upstream import upstreams_of\n"
    hands_in = "from edgeseries.origins.adapters.arrow_parquet import ArrowParquetReader\n"
    carried = {}
    for name, code in (("pings", takes), ("reads", takes + hands_in)):
        (functions / name).mkdir()
        (functions / name / "entry.py").write_text(code, encoding="utf-8")
        modules = bundle(name, functions, vendored_sdk(), vendored_wheels()).modules
        carried[name] = any("/arro3/" in module.name for module in modules)
    assert carried == {"pings": False, "reads": True}
