"""The house rules that a machine can check and ruff and import-linter do not."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from run import TARGETS

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for folder in ("functions", "infra", "kernel", "local", "bench", "clients", "tests")
    for path in (ROOT / folder).rglob("*.py")
    if "node_modules" not in path.parts
)
MODULES = [path for path in SOURCES if "tests" not in path.relative_to(ROOT).parts]
FUNCTIONS = sorted((ROOT / "functions").rglob("*.py"))
MAX_LINES = 400
DRAWERS = {"utils", "util", "common", "helpers", "helper", "misc", "manager", "base", "types", "shared"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_no_module_is_longer_than_the_hard_stop(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_are_named_by_responsibility(path: Path) -> None:
    assert not DRAWERS & set(path.with_suffix("").relative_to(ROOT).parts)


@pytest.mark.parametrize("path", FUNCTIONS, ids=relative)
def test_importing_a_module_does_nothing(path: Path) -> None:
    """Only definitions, constants and assertions about constants stand at the top of a module."""
    allowed = (
        ast.Import | ast.ImportFrom | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Assert
    ) | (ast.Assign | ast.AnnAssign)
    for statement in ast.parse(path.read_text()).body:
        documented = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        gated = isinstance(statement, ast.If) and "sys.version_info" in ast.unparse(statement.test)
        assert isinstance(statement, allowed) or documented or gated, f"{relative(path)}:{statement.lineno}"


@pytest.mark.parametrize("path", FUNCTIONS, ids=relative)
def test_exceptions_are_caught_by_name(path: Path) -> None:
    """`except Exception` only in an entry; BaseException (the platform's aborts) nowhere."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else ""
            assert caught not in {"", "BaseException"}, f"{relative(path)}:{node.lineno}"
            assert caught != "Exception" or path.name == "entry.py", f"{relative(path)}:{node.lineno}"


@pytest.mark.parametrize("path", [path for path in FUNCTIONS if "ports" in path.parts], ids=relative)
def test_a_port_has_at_most_seven_methods(path: Path) -> None:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in node.bases):
            methods = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
            assert len(methods) <= 7
            assert methods or len(node.bases) > 1


@pytest.mark.parametrize("worker", ["router", "consumer", "janitor"])
def test_an_entry_has_one_public_class(worker: str) -> None:
    tree = ast.parse((ROOT / "functions" / worker / "entry.py").read_text())
    assert [node.name for node in tree.body if isinstance(node, ast.ClassDef)] == ["Default"]


# What may name the runtime, a clock, entropy or a library of the runtime: everything else is pure.
IMPURE = {"platform", "adapters", "entry.py", "bounded_gather.py", "calls.py"}
PURE = [path for path in FUNCTIONS if not IMPURE & set(path.relative_to(ROOT).parts)]


@pytest.mark.parametrize("path", PURE, ids=relative)
def test_pure_modules_and_ports_know_no_adapter(path: Path) -> None:
    """Inside a domain the rings point inward: pure modules and ports <- adapters <- platform, entries."""
    # The adapter of a vendor is its folder.
    inside = path.parent.parent.name == "origins" and path.parent.name not in {"adapters", "ports"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not inside:
            parts = node.module.split(".")
            assert not {"adapters", "platform"} & set(parts), f"{relative(path)}:{node.lineno}: {node.module}"


def test_pure_modules_ports_and_flows_import_on_a_plain_python() -> None:
    """What they name is the standard library, locked wheels and each other: no platform module is there."""
    names = [".".join(path.relative_to(ROOT / "functions").with_suffix("").parts) for path in PURE]
    program = f"import importlib; [importlib.import_module(name) for name in {names!r}]"
    subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT / 'functions')!r}); {program}",
        ],
        check=True,
    )


def test_the_lock_file_pins_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(one for group in project["optional-dependencies"].values() for one in group),
    ]
    pinned = {line.partition("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines()}
    assert {re.split(r"[<>=\[]", one)[0] for one in wanted} <= pinned


@pytest.mark.parametrize("group", ["bench", "kernel"])
def test_what_one_command_needs_has_a_lock_file_of_its_own(group: str) -> None:
    """`make test` must not install what only `make bench`, or `make kernel`, needs."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"][group]
    lines = (ROOT / f"requirements-{group}.txt").read_text().splitlines()
    assert {re.split(r"[<>=]", one)[0] for one in wanted} <= {line.partition("==")[0] for line in lines}
    others = {line.partition("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines()}
    assert not others & {line.partition("==")[0] for line in lines}


def test_every_make_command_of_the_readme_exists() -> None:
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    named = {name for document in documents for name in re.findall(r"`make ([a-z-]+)", document.read_text())}
    assert named <= TARGETS.keys(), f"documented, but not in run.py: {named - TARGETS.keys()}"


def test_no_document_leads_nowhere() -> None:
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / link).exists(), f"{relative(document)} links to {link}"


def test_files_of_stacks_do_not_show_in_git() -> None:
    """The files of stacks are nobody else's: git does not show them."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert lines.index("/Pulumi.*.yaml") < lines.index("!/Pulumi.prod.yaml")


HTTP_CALLS = {"Client", "AsyncClient", "get", "post", "put", "delete", "request", "stream"}
RUNTIME_TESTS = [path for path in SOURCES if {"runtime", "soak"} & set(path.relative_to(ROOT).parts)]


@pytest.mark.parametrize("path", RUNTIME_TESTS, ids=relative)
def test_clients_of_tests_on_the_runtime_read_no_certificates(path: Path) -> None:
    """Each would read all of them (`tests/loopback.py`), half the CPU time of a process of tests."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"httpx.{name}" for name in HTTP_CALLS}:
            given = {keyword.arg for keyword in node.keywords}
            assert {"verify", "transport", None} & given, f"{relative(path)}:{node.lineno}"
