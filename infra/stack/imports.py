"""Imports of Python source, found with `ast`: what a module takes from elsewhere, and at which line.

Owns the reading of import statements, of calls that import JavaScript, and of what is taken from `env`.
Must not know folders, bundles or Pulumi: where a name leads is for `bundle` to decide.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_ADDED_SINCE_3_11: Final = frozenset({"annotationlib", "compression"})
# fmt: off
_REMOVED_SINCE_3_11: Final = frozenset({
    "aifc", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk", "crypt", "distutils",
    "imghdr", "imp", "lib2to3", "mailcap", "msilib", "nis", "nntplib", "ossaudiodev", "pipes",
    "smtpd", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib",
})
# fmt: on
STDLIB_MODULES: Final = (sys.stdlib_module_names | _ADDED_SINCE_3_11) - _REMOVED_SINCE_3_11
"""The standard library of the Workers (CPython 3.14), whatever Python runs the program here."""

JAVASCRIPT_IMPORT: Final = "import_from_javascript"

FILES_REMEMBERED: Final = 1_024
"""Some hundred files make all bundles, most of them in each."""

_BLOCKS: Final = ("body", "cases", "handlers", "orelse", "finalbody")
"""Where statements hold others, in source order."""

_BINDING_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported module and, for `from module import member`, the member. `*` counts as none."""

    module: str
    member: str | None
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JavaScriptImport:
    """One call of import_from_javascript; the specifier is None when it is not a literal."""

    specifier: str | None
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingTaken:
    """One `env.NAME` in capitals."""

    name: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """All that one file takes from elsewhere. Imports for type checkers never run and are left out."""

    imports: tuple[Import, ...]
    javascript: tuple[JavaScriptImport, ...]
    bindings: tuple[BindingTaken, ...]


class RelativeImport(ValueError):
    """A relative import; the text names the line."""


@lru_cache(maxsize=FILES_REMEMBERED)
def taken_by(content: bytes, source: str) -> Taken:
    """What a file takes; raises SyntaxError and RelativeImport. `source` is its name, for messages.

    The same file stands in several bundles and is asked about several times for each; reading it takes
    longer than all else that makes a bundle, so it is read once.
    """
    tree = ast.parse(content, source)
    # Expressions are most of a tree; they are gone through where a file has one that is looked for.
    calls = _running_nodes(tree) if JAVASCRIPT_IMPORT.encode() in content else ()
    named = ast.walk(tree) if b"env" in content else ()
    return Taken(
        imports=_imports_of(_running_statements(tree.body)),
        javascript=_javascript_imports_of(calls),
        bindings=_bindings_of(named),
    )


def _imports_of(running: Iterable[ast.AST]) -> tuple[Import, ...]:
    """Every import that may run, in the order of the source; raises RelativeImport."""
    found: list[Import] = []
    for node in running:
        if isinstance(node, ast.Import):
            found.extend(Import(module=alias.name, member=None, line=node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise RelativeImport(f"line {node.lineno}: from {'.' * node.level}{node.module or ''}")
            found.extend(
                Import(module=node.module, member=None if alias.name == "*" else alias.name, line=node.lineno)
                for alias in node.names
            )
    return tuple(found)


def _javascript_imports_of(running: Iterable[ast.AST]) -> tuple[JavaScriptImport, ...]:
    """Every call of import_from_javascript, by whatever path it is named."""
    return tuple(
        JavaScriptImport(specifier=_literal(node), line=node.lineno)
        for node in running
        if isinstance(node, ast.Call) and _last_name(node.func) == JAVASCRIPT_IMPORT
    )


def _bindings_of(nodes: Iterable[ast.AST]) -> tuple[BindingTaken, ...]:
    """Every `env.NAME` in capitals, under whatever condition."""
    return tuple(
        BindingTaken(name=node.attr, line=node.lineno)
        for node in nodes
        if isinstance(node, ast.Attribute)
        and _BINDING_NAME.fullmatch(node.attr)
        and _last_name(node.value) == "env"
    )


def _running_statements(statements: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The statements of a file and those inside of them, in source order, without what only type checkers
    read.
    """
    for statement in statements:
        yield statement
        checked = isinstance(statement, ast.If) and _last_name(statement.test) == "TYPE_CHECKING"
        for block in ("orelse",) if checked else _BLOCKS:
            yield from _running_statements(getattr(statement, block, ()))


def _running_nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes of a file, in source order, without the bodies that only type checkers read."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        children: Iterable[ast.AST] = ast.iter_child_nodes(node)
        if isinstance(node, ast.If) and _last_name(node.test) == "TYPE_CHECKING":
            children = node.orelse
        waiting.extend(reversed(list(children)))


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _literal(call: ast.Call) -> str | None:
    argument = call.args[0] if call.args else None
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    return None
