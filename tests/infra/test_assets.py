"""Static assets: what is served, what is refused, and that a changed file makes another version."""

from pathlib import Path

import pytest

from stack.assets import MAX_FILE_BYTES, AssetsFault, read_assets

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("<!doctype html>")
    (tmp_path / "page" / "app.mjs").write_text("1;")
    return tmp_path


def test_the_console_can_be_served() -> None:
    assert read_assets(ROOT).directory == "console/assets"
    assert (ROOT / "console" / "assets" / "_headers").is_file()


def test_any_byte_and_any_name_makes_another_digest(folder: Path) -> None:
    digests = {read_assets(folder, "page").sha256}
    (folder / "page" / "app.mjs").write_text("2;")
    digests.add(read_assets(folder, "page").sha256)
    (folder / "page" / "app.mjs").rename(folder / "page" / "other.mjs")
    digests.add(read_assets(folder, "page").sha256)
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("name", "size", "says"),
    [(".secret", 1, "hidden files"), ("large.bin", MAX_FILE_BYTES + 1, "a file may have")],
)
def test_what_cannot_be_served_is_refused_by_name(folder: Path, name: str, size: int, says: str) -> None:
    (folder / "page" / name).write_bytes(bytes(size))
    with pytest.raises(AssetsFault, match=says):
        read_assets(folder, "page")


def test_a_folder_without_a_page_is_refused(folder: Path) -> None:
    (folder / "page" / "index.html").unlink()
    with pytest.raises(AssetsFault, match=r"no index\.html"):
        read_assets(folder, "page")
