"""Each line of the promise in `docs/integration.md` names tests that are there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEADING = "## When an answer equals a direct fetch"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def lines() -> list[str]:
    section = (
        (ROOT / "docs" / "integration.md").read_text(encoding="utf-8").split(HEADING)[1].split("\n## ")[0]
    )
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_promise_has_lines() -> None:
    assert lines()


@pytest.mark.parametrize("line", lines(), ids=lambda line: line.split("|")[1].strip()[:40])
def test_every_line_names_tests_that_are_there(line: str) -> None:
    named = NAMED.findall(line.split("|")[-2])
    assert named
    assert not [(path, name) for path, name in named if name not in functions_of(path)]
