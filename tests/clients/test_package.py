"""The client is a package: it builds without a network, installs, has its command and its types."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by uv's own backend, which uv brings with it."""
    made = tmp_path_factory.mktemp("wheel")
    words = [
        "build",
        "--wheel",
        "--offline",
        "--quiet",
        "--out-dir",
        str(made),
        str(ROOT / "clients" / "python"),
    ]
    subprocess.run([str(UV), *words], check=True, timeout=60)
    return next(made.glob("*.whl"))


def test_it_carries_its_modules_and_its_types(wheel: Path) -> None:
    sources = {path.name for path in (ROOT / "clients" / "python" / "edgeseries_client").glob("*.py")}
    names = zipfile.ZipFile(wheel).namelist()
    assert {Path(name).name for name in names if name.endswith(".py")} == sources
    assert "edgeseries_client/py.typed" in names


def test_it_installs_with_its_command(wheel: Path, tmp_path: Path) -> None:
    words = ["pip", "install", "--offline", "--quiet", "--no-deps", "--target", str(tmp_path), str(wheel)]
    subprocess.run([str(UV), *words], check=True, timeout=60)
    told = subprocess.run(
        [sys.executable, str(tmp_path / "bin" / "edgeseries"), "--help"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "Building telemetry" in told.stdout


def test_it_needs_neither_pandas_nor_pyarrow() -> None:
    """What is optional is loaded when it is asked for."""
    program = (
        "import sys; import edgeseries_client, edgeseries_client.command; "
        "print({'pandas', 'polars', 'pyarrow', 'numpy', 'duckdb'} & set(sys.modules))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / "clients" / "python")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stdout.strip() == "set()"
