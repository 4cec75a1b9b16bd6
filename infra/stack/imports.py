"""Imports of Python source, found with `ast`: what a module names, and at which line.

Owns the reading of import statements and of calls that import JavaScript. Must not know
folders, bundles or Pulumi: where a name leads is for `bundle` to decide.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
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


class RelativeImport(ValueError):
    """A relative import; the text names the line."""


def imports_of(tree: ast.Module) -> tuple[Import, ...]:
    """Every import that may run, in the order of the source; raises RelativeImport.

    What stands under `if TYPE_CHECKING:` never runs and is left out.
    """
    found: list[Import] = []
    for node in _running_nodes(tree):
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


def javascript_imports_of(tree: ast.Module) -> tuple[JavaScriptImport, ...]:
    """Every call of import_from_javascript, by whatever path it is named."""
    return tuple(
        JavaScriptImport(specifier=_literal(node), line=node.lineno)
        for node in _running_nodes(tree)
        if isinstance(node, ast.Call) and _last_name(node.func) == JAVASCRIPT_IMPORT
    )


def _running_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below one, in source order, without the bodies that only type checkers read."""
    if isinstance(node, ast.If) and _last_name(node.test) == "TYPE_CHECKING":
        children: Iterator[ast.AST] = iter(node.orelse)
    else:
        children = ast.iter_child_nodes(node)
    for child in children:
        yield child
        yield from _running_nodes(child)


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _literal(call: ast.Call) -> str | None:
    argument = call.args[0] if call.args else None
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    return None
