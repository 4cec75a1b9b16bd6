"""The lock files: every package pinned with what its bytes must be, on Linux, macOS and Windows alike.

That a Python package has a wheel for all three is asked of the registry by `make lock`.
"""

import json
import re
from pathlib import Path

import pytest

from run import ROOT

REQUIREMENTS = sorted(ROOT.glob("requirements*.txt"))
PACKAGE_LOCKS = [ROOT / "local" / "package-lock.json", ROOT / "infra" / "wrangler" / "package-lock.json"]
PLATFORMS = {("darwin", "arm64"), ("darwin", "x64"), ("linux", "arm64"), ("linux", "x64"), ("win32", "x64")}

ONLY_SOMEWHERE = {"colorama": "sys_platform == 'win32'"}
"""Packages that one platform alone needs."""


def entries(path: Path) -> list[str]:
    """Each requirement with its hashes, on one line."""
    return path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_every_python_package_is_pinned_by_hash(path: Path) -> None:
    """pip demands hashes of all as soon as one has them."""
    assert entries(path)
    for entry in entries(path):
        assert re.match(r"[a-z0-9._-]+==\S+ ", entry), entry[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry[:80]


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_no_python_package_is_for_one_platform_by_accident(path: Path) -> None:
    for entry in entries(path):
        name, marker = re.match(r"([a-z0-9._-]+)==\S+(?: ; (.*?))?\s+--hash", entry).groups()  # type: ignore[union-attr]
        if marker is not None and "sys_platform" in marker:
            assert ONLY_SOMEWHERE[name] == marker, entry[:80]


@pytest.mark.parametrize("path", PACKAGE_LOCKS, ids=lambda path: path.parent.name)
def test_every_npm_package_has_its_digest(path: Path) -> None:
    packages = json.loads(path.read_text(encoding="utf-8"))["packages"]
    assert [name for name, one in packages.items() if name and "integrity" not in one] == []


@pytest.mark.parametrize("path", PACKAGE_LOCKS, ids=lambda path: path.parent.name)
def test_the_runtime_is_there_for_every_platform(path: Path) -> None:
    packages = json.loads(path.read_text(encoding="utf-8"))["packages"]
    found = {
        (system, machine)
        for name, one in packages.items()
        if "/@cloudflare/workerd-" in name
        for system in one["os"]
        for machine in one["cpu"]
    }
    assert found >= PLATFORMS


@pytest.mark.parametrize("folder", ["local", "infra/wrangler"])
def test_no_script_of_a_package_runs_when_it_is_installed(folder: str) -> None:
    """What installs has whatever the environment holds."""
    assert "ignore-scripts=true" in (ROOT / folder / ".npmrc").read_text(encoding="utf-8").splitlines()
    assert '"ci", "--silent", "--ignore-scripts"' in (ROOT / "run.py").read_text(encoding="utf-8")


def test_nothing_of_the_repository_is_a_symbolic_link() -> None:
    """Windows makes none without being asked to."""
    skipped = {".venv", "node_modules", "build", ".git"}
    links = [
        path
        for top in ROOT.iterdir()
        if top.name not in skipped
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.is_symlink() and not skipped & set(path.parts)
    ]
    assert links == []
