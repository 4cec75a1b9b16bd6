"""Large files of bundles: named by contents, written once, forgotten when nobody names them any more."""

import base64
import os
import time
from pathlib import Path

from local.host_plan import BundleFile
from local.large_files import KEPT_S, LARGE_CHARS, kept_file, text_of

LARGE = bytes(LARGE_CHARS)


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_equal_contents_are_one_file_and_it_is_not_written_again(tmp_path: Path) -> None:
    first = kept_file(text(LARGE), folder=tmp_path)
    before = first.stat()
    assert first.read_bytes() == LARGE
    assert kept_file(text(LARGE), folder=tmp_path) == first
    assert text_of(first.name, folder=tmp_path) == text(LARGE)
    assert first.stat().st_ino == before.st_ino
    assert [path.name for path in tmp_path.iterdir()] == [first.name]
    assert kept_file(text(b"other" + LARGE), folder=tmp_path) != first


def test_what_nobody_has_named_for_long_goes(tmp_path: Path) -> None:
    old, used = kept_file(text(b"old"), folder=tmp_path), kept_file(text(b"used"), folder=tmp_path)
    long_ago = time.time() - KEPT_S - 60
    for path in (old, used):
        os.utime(path, (long_ago, long_ago))
    kept_file(text(b"used"), folder=tmp_path)
    kept_file(text(b"new"), folder=tmp_path)
    assert not old.exists()
    assert used.exists()


def test_the_plan_names_the_path_of_a_large_file_unless_python_imports_it() -> None:
    wire = BundleFile(name="a/b.so", content_type="x", content_base64=text(LARGE)).to_wire()
    assert Path(wire.pop("path")).read_bytes() == LARGE
    assert wire == {"name": "a/b.so", "contentType": "x"}
    for name, content in (("a/b.so", b"small"), ("a/b.py", LARGE)):
        file = BundleFile(name=name, content_type="x", content_base64=text(content))
        assert file.to_wire() == {"name": name, "contentType": "x", "contentBase64": text(content)}
