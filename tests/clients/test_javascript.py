"""The JavaScript client: its own tests under Node, and that its types are those of the API."""

import os
import subprocess
from pathlib import Path

from local.hosting import NODE
from tests.clients.openapi_types import fields_of, types_text

FOLDER = Path(__file__).parents[2] / "clients" / "javascript"
TYPES = FOLDER / "documents.d.mts"


def test_its_own_tests_pass() -> None:
    done = subprocess.run(
        [str(NODE), "--test", "edgeseries.test.mjs"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fail 0" in done.stdout


def test_its_types_are_those_of_the_api() -> None:
    """A field that the API has not, or has with another type, fails. What it has more is added by the next
    rewriting: fields are only ever added.
    """
    made = types_text()
    if os.environ.get("UPDATE_GOLDEN") == "1":
        TYPES.write_text(made, encoding="utf-8")
    kept = TYPES.read_text(encoding="utf-8")
    assert not [field for field in fields_of(kept) if field not in {*fields_of(made)}]


def test_the_page_has_the_same_module() -> None:
    """The page has no build step: the module lies among its files as it is."""
    page = FOLDER.parents[1] / "console" / "assets" / "edgeseries.mjs"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        page.write_bytes((FOLDER / "edgeseries.mjs").read_bytes())
    assert page.read_bytes() == (FOLDER / "edgeseries.mjs").read_bytes()


def test_every_export_has_a_type() -> None:
    exported = {
        line.split("(")[0].split("{")[0].split()[-1 if "function" in line else 2]
        for line in (FOLDER / "edgeseries.mjs").read_text().splitlines()
        if line.startswith("export ")
    }
    exported = {name.removeprefix("*") for name in exported}
    typed = (FOLDER / "edgeseries.d.mts").read_text()
    assert exported
    assert [name for name in exported if f" {name}" not in typed] == []
