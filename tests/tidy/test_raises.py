"""A public function says what it raises: every error of ours that its own code raises by name is in its
docstring.

What a port says of its methods need not be said again ("See ..."); what other functions raise is theirs
to say."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeseries import errors

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "functions").rglob("*.py"))
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
OURS = frozenset(name for name in vars(errors) if name[0].isupper())


def public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions of a module and methods of its classes."""
    for node in tree.body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        yield from (one for one in members if isinstance(one, FUNCTIONS) and one.name[0] != "_")


def raised_by(function: ast.AST) -> Iterator[str]:
    """Names of errors that its own code raises, not that of functions in it."""
    for node in ast.iter_child_nodes(function):
        if isinstance(node, (*FUNCTIONS, ast.Lambda)):
            continue
        if isinstance(node, ast.Raise):
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(raised, ast.Name) and raised.id in OURS:
                yield raised.id
        yield from raised_by(node)


def silent_about(source: str) -> list[str]:
    """What functions of a source raise and do not say."""
    found = []
    for function in public_functions(ast.parse(source)):
        told = ast.get_docstring(function) or ""
        if not told.startswith("See "):
            found += [f"{function.name}: {name}" for name in set(raised_by(function)) if name not in told]
    return sorted(found)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_say_what_is_raised(path: Path) -> None:
    assert silent_about(path.read_text(encoding="utf-8")) == []


def test_what_is_not_said_is_found() -> None:
    told = 'def told():\n    """Raises Defect."""\n    raise Defect("x")\n'
    silent = 'def silent():\n    """Nothing."""\n    if 1:\n        raise Gone("x") from None\n'
    within = "def within():\n    def renew():\n        raise Gone('x')\n"
    assert silent_about(told + silent + within) == ["silent: Gone"]
