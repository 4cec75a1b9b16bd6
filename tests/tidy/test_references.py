"""Comments and documents name files that are there, and importing a module calls nothing that acts."""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = sorted((ROOT / "functions").rglob("*.py"))
LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - from the path
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=False,
).stdout.split("\n")
FILES = frozenset(
    [name for name in LISTED if name]
    or [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*")
        if path.is_file() and not {".venv", "node_modules", ".git"} & set(path.parts)
    ]
)
FOLDERS = frozenset(str(folder) for name in FILES for folder in Path(name).parents)
ENDS = frozenset("/".join(Path(name).parts[-depth:]) for name in FILES for depth in range(1, 9))

REFERENCE = re.compile(
    r"(?<![\w/.<>*{}-])((?:[\w-]+/)*[\w-]+\.(?:py|md|mjs|sql|toml)|docs/[a-z-]+)(?![\w/.*-]*[\w/*-])"
)

OF_OTHERS = {
    "NNNN_what_it_adds.sql": "the form of a name",
    "migrations/NNNN_what_it_adds.sql": "the form of a name",
    "wrangler.toml": "of those who come from wrangler",
    "x.mjs": "any module of a bundle",
}
"""Names of files that are not ours, and why they are named."""

WRITTEN = [
    ROOT / name
    for name in sorted(FILES)
    if (name.startswith("docs/") and name.endswith(".md"))
    or (name.startswith(("functions/", "infra/", "local/", "bench/", "kernel/")) and name.endswith(".py"))
    or name in {"README.md", "run.py", "schema.sql"}
]


def prose_of(path: Path) -> Iterator[tuple[int, str]]:
    """Lines of a document, or the comments and docstrings of a module, with their numbers."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            for place, line in enumerate(node.value.value.splitlines()):
                yield node.lineno + place, line


def missing_in(line: str) -> list[str]:
    named = REFERENCE.findall(line)
    return [name for name in named if name not in ENDS and name not in FOLDERS and name not in OF_OTHERS]


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_is_there(path: Path) -> None:
    missing = [f"{number}: {name}" for number, line in prose_of(path) for name in missing_in(line)]
    assert not missing, f"{path.relative_to(ROOT)} names files that do not exist"


@pytest.mark.parametrize(
    "line", ["see docs/metrics.md", "(docs/limits)", "`core/hits.py` says", "# in bench/codec.py."]
)
def test_a_file_that_is_gone_is_found(line: str) -> None:
    assert missing_in(line)


CONSTRUCTORS = frozenset(
    [
        "NewType",
        "TypeVar",
        "MappingProxyType",
        "all",
        "array",
        "bytes",
        "dataclass",
        "date",
        "datetime",
        "field",
        "float",
        "frozenset",
        "lru_cache",
        "globals",
        "isinstance",
        "itemgetter",
        "len",
        "list",
        "map",
        "ord",
        "range",
        "replace",
        "set",
        "sorted",
        "str",
        "sum",
        "timedelta",
        "tuple",
        "type",
        "re.compile",
        "struct.Struct",
        "struct.pack",
        "bytes.maketrans",
        "Decoder",
    ]
)
"""What of the standard library and msgspec may be called while a module is imported: it makes a value."""

METHODS = frozenset(
    {"copy", "format", "index", "items", "join", "partition", "setdefault", "strip", "values"}
)
"""Of texts, tuples and mappings."""

OURS = ("edgeseries", "router", "consumer", "janitor")


def calls_at_import(node: ast.AST) -> Iterator[ast.Call]:
    """Calls that run while the module is imported: those in bodies of functions do not."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return  # A function inside of one that runs: it is made, not called.
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Lambda):
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            defaults = [one for one in (*child.args.defaults, *child.args.kw_defaults) if one is not None]
            for part in (*child.decorator_list, *defaults):
                yield from calls_at_import(ast.Expr(value=part))
            continue
        if isinstance(child, ast.Call):
            yield child
        yield from calls_at_import(child)


def names_of_ours(tree: ast.Module) -> set[str]:
    """What a module defines, and what it imports of us: none of it acts by itself."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
            found |= {alias.asname or alias.name for alias in node.names}
    return found


def acts(call: ast.Call, ours: set[str]) -> bool:
    """Whether a call may do more than make a value. Functions of ours are looked into, see below."""
    name = ast.unparse(call.func)
    method = call.func.attr if isinstance(call.func, ast.Attribute) else None
    return name.split(".")[0] not in ours and name not in CONSTRUCTORS and method not in METHODS


def acting_calls(source: str) -> list[str]:
    tree = ast.parse(source)
    ours = names_of_ours(tree)
    return [f"{call.lineno}: {ast.unparse(call.func)}" for call in calls_at_import(tree) if acts(call, ours)]


Functions = dict[str, ast.FunctionDef | ast.AsyncFunctionDef]


def functions_in(tree: ast.Module) -> Functions:
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def module_of(name: str) -> ast.Module:
    """A module of ours by its dotted name; an empty one where the name is not that of a module."""
    file = (ROOT / "functions").joinpath(*name.split(".")).with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8") if file.is_file() else "")


def definition_of(
    name: str, tree: ast.Module
) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.Module] | None:
    """Where a function of ours that a module calls as `name` stands; None for classes, which make a value."""
    head, _, attribute = name.partition(".")
    if not attribute and head in functions_in(tree):
        return functions_in(tree)[head], tree
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or (node.module or "").split(".")[0] not in OURS:
            continue
        for alias in node.names:
            if (alias.asname or alias.name) != head:
                continue
            home = module_of(f"{node.module}.{alias.name}" if attribute else str(node.module))
            function = functions_in(home).get(attribute or alias.name)
            return None if function is None else (function, home)
    return None


def acting_functions(tree: ast.Module) -> list[str]:
    """Calls that act in the bodies of functions of ours that run while a module is imported."""
    waiting = [(ast.unparse(call.func), tree) for call in calls_at_import(tree)]
    seen, found = set[str](), list[str]()
    while waiting:
        name, home = waiting.pop()
        defined = definition_of(name, home)
        if defined is None or defined[0].name in seen:
            continue
        function, home = defined
        seen.add(function.name)
        ours = names_of_ours(home)
        for call in (one for statement in function.body for one in calls_at_import(statement)):
            if acts(call, ours):
                found.append(f"{function.name}: {ast.unparse(call.func)}")
            waiting.append((ast.unparse(call.func), home))
    return found


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: str(path.relative_to(ROOT)))
def test_importing_a_module_calls_only_what_makes_a_value(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not acting_calls(source)
    assert not acting_functions(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "X = time.time()",
        "X = open('x').read()",
        "import js\nX = js.Date.new()",
        "@register('x')\ndef f(): ...",
        "def f(x=uuid4()): ...",
        "class A:\n    x = random.random()",
        "assert print('x') is None",
    ],
)
def test_a_call_that_acts_is_found(source: str) -> None:
    assert acting_calls(source)


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    return time.time()\nX = f()",
        "def f():\n    return g()\ndef g():\n    open('x')\nX = f()",
        "from edgeseries.platform.bindings import bindings_of_isolate\nX = bindings_of_isolate('r', ())",
    ],
)
def test_a_function_of_ours_that_acts_is_found(source: str) -> None:
    assert not acting_calls(source)
    assert acting_functions(ast.parse(source))
