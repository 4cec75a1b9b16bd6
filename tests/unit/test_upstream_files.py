"""Data files of the simulator: read as columns where they can be, and once for all processes."""

import gzip
import os
from array import array
from pathlib import Path

import pytest

from local.upstream import kept_series, series
from local.upstream.kept_series import KEPT_ROWS, kept_or_read
from local.upstream.series import Series, read_series

STAMP = "2022-03-01T00:00:00Z"
LATER = "2022-03-01T00:00:01.5Z"

FILES = {
    "plain": f"timestamp,value\n{STAMP},1\n{LATER},on\n",
    "without samples": "timestamp,value\n",
    "without its last line feed": f"timestamp,value\n{STAMP},1",
    "backward": f"timestamp,value\n{LATER},1\n{STAMP},2\n{STAMP},3\n",
    "of other zones": f"timestamp,value\n2022-03-01T00:00:00+01:00,1\n{STAMP},2\n",
    "with quotes": f'timestamp,value\n{STAMP},"a,b"\n{LATER},"c ""d"""\n',
    "of Windows": f"timestamp,value\r\n{STAMP},1\r\n",
    "with a text that is empty": f"timestamp,value\n{STAMP},\n",
    "with signs of all kinds": f"timestamp,value\n{STAMP},é\u2028\u0085\x0b\n",
}
BROKEN = {
    "a field too many": f"timestamp,value\n{STAMP},1,2\n",
    "a field too many, and one too few": f"timestamp,value\n{STAMP},1,2\n{STAMP}\n",
    "an empty line": f"timestamp,value\n\n{STAMP},1\n",
    "another head": f"time,value\n{STAMP},1\n",
    "no head": "",
    "a day that is none": "timestamp,value\n2022-02-30T00:00:00Z,1\n",
}


def put(folder: Path, text: str) -> Path:
    path = folder / "p.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


@pytest.mark.parametrize("text", [*FILES.values(), *BROKEN.values()], ids=[*FILES, *BROKEN])
def test_reading_as_columns_gives_what_reading_by_line_gives(tmp_path: Path, text: str) -> None:
    path = put(tmp_path, text)
    found = series._read_plain(path)
    if found is not None:
        assert found == series._read_by_line(path)
        assert text not in BROKEN.values()


def test_the_usual_file_is_read_as_columns(tmp_path: Path) -> None:
    for name in ("plain", "backward", "with a text that is empty"):
        assert series._read_plain(put(tmp_path, FILES[name])) is not None


def long_file(folder: Path, text: str = "1.5") -> Path:
    return put(folder, "timestamp,value\n" + f"{STAMP},{text}\n" * KEPT_ROWS)


def unread(path: Path) -> Series:
    raise AssertionError(f"{path} was read before")


def test_a_file_is_read_once(tmp_path: Path) -> None:
    path, folder = long_file(tmp_path), tmp_path / "kept"
    first = kept_or_read(path, read_series, folder=folder)
    again = kept_or_read(path, unread, folder=folder)
    assert (again.times_us, list(again.texts)) == (first.times_us, list(first.texts))
    # One string object a distinct value, as where files are read.
    assert len({*map(id, again.texts)}) == 1


def test_a_file_that_was_changed_is_read_anew(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    kept_or_read(long_file(tmp_path), read_series, folder=folder)
    changed = kept_or_read(long_file(tmp_path, "2.5"), read_series, folder=folder)
    assert {*changed.texts} == {"2.5"}


@pytest.mark.parametrize("text", ["on", "", "é", '"a\nb"'])
def test_whatever_is_kept_comes_back(tmp_path: Path, text: str) -> None:
    path, folder = long_file(tmp_path, text), tmp_path / "kept"
    first = kept_or_read(path, read_series, folder=folder)
    again = kept_or_read(path, read_series, folder=folder)
    assert (again.times_us, list(again.texts)) == (first.times_us, list(first.texts))


@pytest.mark.parametrize("damage", [lambda found: found[:-9], lambda found: found[:5], lambda _: b""])
def test_what_is_kept_and_damaged_is_made_anew(tmp_path: Path, damage: object) -> None:
    path, folder = long_file(tmp_path), tmp_path / "kept"
    first = kept_or_read(path, read_series, folder=folder)
    (kept,) = folder.iterdir()
    kept.write_bytes(damage(kept.read_bytes()))  # type: ignore[operator]
    again = kept_or_read(path, read_series, folder=folder)
    assert list(again.texts) == list(first.texts)
    assert list(kept_or_read(path, unread, folder=folder).texts) == list(first.texts)


def test_small_files_are_not_kept_and_what_nobody_used_goes(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    kept_or_read(put(tmp_path, FILES["plain"]), read_series, folder=folder)
    assert not folder.exists()
    kept_or_read(long_file(tmp_path), read_series, folder=folder)
    (old,) = folder.iterdir()
    os.utime(old, (0, 0))
    kept_or_read(long_file(tmp_path, "2.5"), read_series, folder=folder)
    assert len([*folder.iterdir()]) == 1
    assert not old.exists()


def test_where_nothing_can_be_kept_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file", encoding="utf-8")
    found = kept_or_read(long_file(tmp_path), read_series, folder=tmp_path / "kept")
    assert found.times_us == array("q", [found.times_us[0]]) * KEPT_ROWS
    assert kept_series.FOLDER.parts[-2:] == ("build", "upstream")
