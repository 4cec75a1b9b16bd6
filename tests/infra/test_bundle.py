"""Bundles: the closure of an entry, what is refused, and that equal code gives equal bundles."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from stack.bundle import (
    DATA,
    JAVASCRIPT,
    PYTHON,
    WASM,
    Bundle,
    BundleError,
    Module,
    bindings_used,
    bundle,
    vendored_sdk,
)

VENDORED = (
    Module(name="python_modules/workers/__init__.py", content_type=DATA, content=b"", source="sdk"),
    Module(name="python_modules/asgi.py", content_type=DATA, content=b"", source="sdk"),
)

TREE = {
    "app/__init__.py": "",
    "app/entry.py": """
        import json
        from workers import WorkerEntrypoint
        from app.flow import run
        import lib.deep.leaf
    """,
    "app/flow.py": "from lib import shape, SIDE\n",
    "lib/__init__.py": "SIDE = 1\n",
    "lib/shape.py": "def f():\n    from lib import late\n",
    "lib/late.py": "",
    "lib/unused.py": "import numpy\n",
    "lib/deep/leaf.py": "import lib.shape as again\n",
    "other/__init__.py": "",
    "other/entry.py": "",
}


def build(root: Path, files: Mapping[str, str], function: str = "app") -> Bundle:
    functions = root / "functions"
    for path, text in files.items():
        (functions / path).parent.mkdir(parents=True, exist_ok=True)
        (functions / path).write_text(dedent(text), encoding="utf-8")
    return bundle(function, functions, VENDORED)


def own(built: Bundle) -> list[str]:
    return [module.name for module in built.modules if module.content_type != DATA]


def test_the_closure_holds_what_the_entry_reaches_and_no_more(tmp_path: Path) -> None:
    built = build(tmp_path, TREE)
    assert own(built) == [
        "app/__init__.py",
        "app/flow.py",
        "entry.py",
        "lib/__init__.py",
        "lib/deep/leaf.py",
        "lib/late.py",
        "lib/shape.py",
    ]
    assert built.main_module == "entry.py"
    assert {module.content_type for module in built.modules if module.name in own(built)} == {PYTHON}
    assert [module.name for module in built.modules] == sorted(module.name for module in built.modules)


def test_what_only_type_checkers_read_is_left_out(tmp_path: Path) -> None:
    built = build(
        tmp_path,
        {
            "app/entry.py": """
                import typing
                from typing import TYPE_CHECKING
                if TYPE_CHECKING:
                    import numpy
                elif True:
                    import lib.real
                if typing.TYPE_CHECKING:
                    from .relative import x
                else:
                    import lib.other
            """,
            "lib/real.py": "",
            "lib/other.py": "",
        },
    )
    assert own(built) == ["entry.py", "lib/other.py", "lib/real.py"]


REFUSED = [
    ("from . import flow", "functions/app/entry.py: relative import (line 2: from .): write it in full"),
    ("from .flow import run", "functions/app/entry.py: relative import (line 2: from .flow)"),
    (
        "import numpy",
        "functions/app/entry.py:2: imports numpy, which is neither in functions/ nor in the standard",
    ),
    ("def f():\n    import brotli", "functions/app/entry.py:3: imports brotli"),
    ("import distutils", "imports distutils, which is neither"),
    ("import lib.missing", "functions/app/entry.py:2: imports lib.missing, which is not in functions/"),
    ("from lib.missing import x", "imports lib.missing, which is not in functions/"),
    ("import lib.shape.x", "imports lib.shape.x, which is not in functions/"),
    ("import json.decoder", "functions/json has the name of a standard library module"),
    ("from compression import y", "functions/compression has the name of a standard library module"),
    (
        "import_from_javascript(name)",
        "functions/app/entry.py:2: import_from_javascript needs a string literal",
    ),
    ("workers.import_from_javascript()", "needs a string literal"),
    ("import_from_javascript('./gone.mjs')", "lies beside it"),
    ("import_from_javascript('../lib/native.mjs')", "lies beside it"),
    ("import_from_javascript('./native.js')", "lies beside it"),
]


@pytest.mark.parametrize(("code", "expected"), REFUSED, ids=[code for code, _ in REFUSED])
def test_code_that_could_not_run_is_refused_by_place(tmp_path: Path, code: str, expected: str) -> None:
    files = {
        "app/entry.py": f"#\n{code}\n",
        "app/native.js": "",
        "lib/shape.py": "",
        "lib/native.mjs": "",
        "json/decoder.py": "" if "json" in code else None,
        "compression/__init__.py": "" if "compression" in code else None,
    }
    with pytest.raises(BundleError) as caught:
        build(tmp_path, {path: text for path, text in files.items() if text is not None})
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    "module", ["js", "pyodide.ffi", "workers", "asgi", "compression.zstd", "_pyodide", "sqlite3"]
)
def test_what_the_workers_have_may_be_imported(tmp_path: Path, module: str) -> None:
    assert own(build(tmp_path, {"app/entry.py": f"import {module}\n"})) == ["entry.py"]


def test_a_missing_entry_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"gone: there is no functions/gone/entry\.py; write it"):
        build(tmp_path, TREE, "gone")


def test_a_javascript_module_comes_along_from_beside_its_importer(tmp_path: Path) -> None:
    built = build(
        tmp_path,
        {
            "app/entry.py": "import lib.codec\nimport lib.again\n",
            "lib/codec.py": """
                zlib = import_from_javascript('node:zlib')
                native = import_from_javascript('./native.mjs')
            """,
            "lib/again.py": "x = workers.import_from_javascript('./native.mjs')\n",
            "lib/native.mjs": "export const x = 1;\n",
        },
    )
    assert [
        (module.name, module.content_type) for module in built.modules if module.content_type == JAVASCRIPT
    ] == [("native.mjs", JAVASCRIPT)]


def test_two_files_cannot_become_one_module(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"would both be native\.mjs: rename one"):
        build(
            tmp_path,
            {
                "app/entry.py": "import lib.codec\nimport_from_javascript('./native.mjs')\n",
                "app/native.mjs": "",
                "lib/codec.py": "import_from_javascript('./native.mjs')\n",
                "lib/native.mjs": "",
            },
        )
    with pytest.raises(BundleError, match=r"would both be entry\.py: rename one"):
        build(tmp_path / "b", {"app/entry.py": "import entry\n", "entry.py": ""})


def test_equal_code_gives_equal_bundles_anywhere(tmp_path: Path) -> None:
    first, second = build(tmp_path / "a", TREE), build(tmp_path / "b", dict(reversed(TREE.items())))
    assert first == second
    assert first.hash == second.hash


@pytest.mark.parametrize("path", ["app/flow.py", "lib/__init__.py", "lib/late.py", "app/entry.py"])
def test_any_byte_of_the_closure_changes_the_hash(tmp_path: Path, path: str) -> None:
    before = build(tmp_path / "a", TREE)
    after = build(tmp_path / "b", {**TREE, path: "# a remark\n" + dedent(TREE[path])})
    assert before.hash != after.hash


def test_a_file_outside_the_closure_changes_nothing(tmp_path: Path) -> None:
    before = build(tmp_path / "a", TREE)
    after = build(tmp_path / "b", {**TREE, "lib/unused.py": "x = 1\n", "other/entry.py": "x = 1\n"})
    assert before.hash == after.hash


def test_what_javascript_imports_comes_along_compiled_modules_too(tmp_path: Path) -> None:
    built = build(
        tmp_path,
        {
            "app/entry.py": "from lib import take\n",
            "lib/take.py": "def take():\n    return import_from_javascript('./a.mjs')\n",
            "lib/a.mjs": """
                import { crc32 } from "node:zlib";
                import {
                  one,
                  other,
                } from "./b.mjs";
                import compiled from './native.wasm';
                export default "./not-an-import.wasm";
            """,
            "lib/b.mjs": "export { two } from './c.mjs';\nimport a from './a.mjs';\n",
            "lib/c.mjs": "export const two = 2;\n",
            "lib/native.wasm": "\0asm",
            "lib/other.wasm": "",
            "lib/not-an-import.wasm": "",
        },
    )
    scripts = {one.name: one.content_type for one in built.modules if one.content_type in (JAVASCRIPT, WASM)}
    expected = {"a.mjs": JAVASCRIPT, "b.mjs": JAVASCRIPT, "c.mjs": JAVASCRIPT, "native.wasm": WASM}
    assert scripts == expected
    (native,) = (one for one in built.modules if one.content_type == WASM)
    assert (native.content, native.source) == (b"\0asm", "functions/lib/native.wasm")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "import x from './gone.wasm';",
            "functions/lib/a.mjs:2: imports './gone.wasm': name a .mjs or .wasm",
        ),
        ("import x from '../app/x.wasm';", "imports '../app/x.wasm'"),
        ("import './a.js';", "imports './a.js'"),
        ("export * from './gone.mjs';", "imports './gone.mjs'"),
        ("const x = await import('./a.mjs');", "functions/lib/a.mjs:2: imports at run time"),
    ],
)
def test_javascript_that_would_miss_a_module_is_refused_by_place(
    tmp_path: Path, line: str, expected: str
) -> None:
    files = {
        "app/entry.py": "from lib import take\n",
        "app/x.wasm": "",
        "lib/take.py": "import_from_javascript('./a.mjs')\n",
        "lib/a.mjs": f"// first\n{line}\n",
        "lib/a.js": "",
    }
    with pytest.raises(BundleError) as caught:
        build(tmp_path, files)
    assert expected in str(caught.value)


def test_bindings_are_found_where_code_takes_them_from_env(tmp_path: Path) -> None:
    built = build(
        tmp_path,
        {
            "app/entry.py": """
                import lib.take
                class Default:
                    def fetch(self):
                        return self.env.CACHE, self.env.lower
            """,
            "lib/take.py": """
                def take(env, other):
                    return env.DB, env.RATE_2, other.NOT, env.DB.prepare, env.Mixed
            """,
        },
    )
    assert [(use.name, use.path, use.line) for use in bindings_used(built)] == [
        ("CACHE", "functions/app/entry.py", 5),
        ("DB", "functions/lib/take.py", 3),
        ("RATE_2", "functions/lib/take.py", 3),
    ]


def test_the_vendored_sdk_is_typed_as_the_platform_wants_it() -> None:
    modules = {module.name: module for module in vendored_sdk()}
    assert modules["python_modules/workers/__init__.py"].content_type == DATA
    assert modules["python_modules/workers/workflows.js"].content_type == JAVASCRIPT
    assert all(name.startswith("python_modules/") for name in modules)
    assert not [name for name in modules if name.endswith(".pyc") or "dist-info" in name]
    assert b"WorkerEntrypoint" in modules["python_modules/workers/__init__.py"].content
