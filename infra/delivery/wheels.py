"""The wheels that Workers carry: fetched as the lock file has them, or locked anew.

`python -m delivery.wheels` fetches what is missing or is another. `--lock` writes the lock file for the same
packages, in the versions of requirements.txt: the host's tests run what the Workers run. What a lock file's
entry means is `stack/wheels.py`'s affair.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from email.parser import HeaderParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from delivery.programs import ROOT, DeliveryFault
from stack.wheels import LOCK_FILE, WHEELS_DIR, Wheel, WheelError, locked_wheels, packages_of

TAG: Final = "cp314-cp314-pyemscripten_2026_0_wasm32"
"""Python, ABI and platform of the Workers: Pyodide 314, for compatibility dates from 2026-09-08."""

ANY_TAG: Final = "py2.py3-none-any"
"""Of wheels without machine code."""

_PINNED: Final = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)
_REQUIREMENT: Final = re.compile(r"^[A-Za-z0-9._-]+")


def fetch(wheels: tuple[Wheel, ...]) -> None:
    """Put every wheel that is missing, or is another, where bundles look for it. Raises DeliveryFault."""
    for wheel in wheels:
        try:
            wheel.content()
        except WheelError:
            wheel.path.unlink(missing_ok=True)
            requirement = f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}"
            _download(requirement, wheel.tag, wheel.folder)
            _looked_at(wheel)


def locked(wheels: Sequence[Wheel], requirements: str) -> dict[str, dict[str, Any]]:
    """The lock file's entries for the packages of some wheels in the versions of a requirements file, and
    what they require.
    """
    tags = {wheel.name: wheel.tag if wheel.tag == ANY_TAG else TAG for wheel in wheels}
    zipped = {wheel.name for wheel in wheels if wheel.zipped}
    versions = dict(_PINNED.findall(requirements))
    entries: dict[str, dict[str, Any]] = {}
    waiting = [wheel.name for wheel in wheels]
    while waiting:
        name = waiting.pop()
        if name in entries:
            continue
        if name not in versions:
            raise DeliveryFault(
                f"{name} is not in requirements.txt: name it in pyproject.toml, then make lock"
            )
        with TemporaryDirectory() as folder:
            tag = tags.get(name, TAG)
            _download(f"{name}=={versions[name]}", tag, Path(folder))
            (path,) = Path(folder).glob("*.whl")
            entries[name] = _entry(path, versions[name], tag, zipped=name in zipped)
        waiting.extend(entries[name]["requires"])
    return dict(sorted(entries.items()))


def _entry(path: Path, version: str, tag: str, *, zipped: bool) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "version": version,
        "tag": tag,
        "sha256": hashlib.sha256(content).hexdigest(),
        "imports": list(packages_of(content)),
        "requires": _required(path),
        **({"zipped": True} if zipped else {}),
    }


def _required(path: Path) -> list[str]:
    """The distributions that a wheel needs on the Workers: its requirements without a condition."""
    with zipfile.ZipFile(path) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        metadata = HeaderParser().parsestr(archive.read(name).decode())
    found = [_REQUIREMENT.match(line) for line in metadata.get_all("Requires-Dist", []) if ";" not in line]
    return sorted(match[0].lower().replace("_", "-") for match in found if match)


def _download(requirement: str, tag: str, folder: Path) -> None:
    """One wheel into a folder, by pip, which compares the hash if the requirement has one."""
    python, abi, platform = tag.split("-")
    native = (
        *("--python-version", f"{python[2]}.{python[3:]}", "--implementation", python[:2]),
        *("--abi", abi, "--platform", platform),
    )
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        listed = Path(scratch) / "requirements.txt"
        listed.write_text(requirement + "\n", encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - the words are ours
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
                *("--no-deps", "--only-binary", ":all:", "--requirement", str(listed), "--dest", str(folder)),
                *(() if tag == ANY_TAG else native),
            ],
            check=False,
        )
    if done.returncode:
        raise DeliveryFault(
            f"{requirement.split(maxsplit=1)[0]} cannot be fetched for {tag}; pip says why above"
        )


def _looked_at(wheel: Wheel) -> None:
    try:
        wheel.content()
    except WheelError as error:
        raise DeliveryFault(str(error)) from error


def main(words: list[str]) -> int:
    """Exit status 0 when done, 1 with what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m delivery.wheels", description=__doc__)
    parser.add_argument("--lock", action="store_true", help="write the lock file anew")
    asked = parser.parse_args(words)
    try:
        wheels = locked_wheels()
        if asked.lock:
            requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
            entries = locked(wheels, requirements)
            LOCK_FILE.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
            wheels = locked_wheels()
        for stale in {*WHEELS_DIR.glob("*.whl")} - {wheel.path for wheel in wheels}:
            stale.unlink()
        fetch(wheels)
    except (DeliveryFault, WheelError) as fault:
        print(f"wheels: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
