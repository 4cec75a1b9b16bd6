"""Reading data folders. All data here is made by hand as test fixtures; none of it was measured."""

import gzip
from pathlib import Path

import pytest

from local.upstream.catalogue import DataFault
from local.upstream.truth import PointInfo, Truth

DAY_START_MS = 1_646_092_800_000  # 2022-03-01T00:00:00Z


def put(folder: Path, site: str, point: str, *rows: str, header: str = "timestamp,value") -> Path:
    path = folder / site / f"{point}.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("\n".join([header, *rows, ""]).encode()))
    return path


def all_rows(folder: Path, site: str, name: str) -> list[tuple[int, str]]:
    return Truth(folder).rows(site, name, 0, 2**50)


def test_rows_are_half_open_and_keep_the_text(tmp_path: Path) -> None:
    put(
        tmp_path,
        "fixture",
        "p",
        "2022-03-01T00:00:00Z,21.50",
        "2022-03-01T00:01:00Z,NaN",
        "2022-03-01T00:02:00Z,true",
        '2022-03-01T00:03:00Z,"off, by hand"',
        "2022-03-01T00:04:00Z,",
    )
    truth = Truth(tmp_path)
    minute = 60_000
    assert truth.rows("fixture", "p", DAY_START_MS, DAY_START_MS + 5 * minute) == [
        (DAY_START_MS, "21.50"),
        (DAY_START_MS + minute, "NaN"),
        (DAY_START_MS + 2 * minute, "true"),
        (DAY_START_MS + 3 * minute, "off, by hand"),
        (DAY_START_MS + 4 * minute, ""),
    ]
    inside = truth.rows("fixture", "p", DAY_START_MS + 1, DAY_START_MS + 2 * minute)
    assert inside == [(DAY_START_MS + minute, "NaN")]
    assert truth.rows("fixture", "p", DAY_START_MS + minute, DAY_START_MS) == []


def test_backward_and_repeated_stamps_keep_the_order_of_the_file_where_equal(tmp_path: Path) -> None:
    put(
        tmp_path,
        "fixture",
        "p",
        "2022-03-01T00:00:05Z,first",
        "2022-03-01T00:00:09Z,late",
        "2022-03-01T00:00:05Z,second",
        "2022-03-01T00:00:01Z,early",
        "2022-03-01T00:00:05Z,third",
    )
    texts = [text for _, text in all_rows(tmp_path, "fixture", "p")]
    assert texts == ["early", "first", "second", "third", "late"]


def test_decimals_order_rows_and_are_floored_to_milliseconds(tmp_path: Path) -> None:
    put(tmp_path, "fixture", "p", "2022-03-01T00:00:00.0019Z,b", "2022-03-01T00:00:00.0011Z,a")
    assert all_rows(tmp_path, "fixture", "p") == [(DAY_START_MS + 1, "a"), (DAY_START_MS + 1, "b")]


def test_offsets_are_brought_to_utc(tmp_path: Path) -> None:
    put(tmp_path, "fixture", "p", "2022-03-01T01:00:00+01:00,1")
    assert all_rows(tmp_path, "fixture", "p") == [(DAY_START_MS, "1")]


def test_sites_are_folders_with_data_and_points_are_sorted(tmp_path: Path) -> None:
    put(tmp_path, "north", "b")
    put(tmp_path, "north", "a")
    (tmp_path / "north" / "README.md").write_text("not data")
    (tmp_path / "empty").mkdir()
    (tmp_path / "LICENSE").write_text("not a site")
    truth = Truth(tmp_path)
    assert truth.sites() == ("north",)
    assert truth.points("north") == (
        PointInfo(site="north", name="a", unit="", kind="", file="a.csv.gz"),
        PointInfo(site="north", name="b", unit="", kind="", file="b.csv.gz"),
    )
    with pytest.raises(KeyError):
        truth.points("empty")


def test_points_csv_gives_names_units_and_kinds(tmp_path: Path) -> None:
    put(tmp_path, "fixture", "p1")
    put(tmp_path, "fixture", "p2")
    put(tmp_path, "fixture", "p3")
    (tmp_path / "fixture" / "points.csv").write_text(
        'file,name,unit,kind\np1.csv.gz,"AHU 7/Supply: temp, 100 %",°F,analog\np2,plain,,\n', encoding="utf-8"
    )
    truth = Truth(tmp_path)
    assert [(point.name, point.unit, point.kind, point.file) for point in truth.points("fixture")] == [
        ("AHU 7/Supply: temp, 100 %", "°F", "analog", "p1.csv.gz"),
        ("p3", "", "", "p3.csv.gz"),
        ("plain", "", "", "p2.csv.gz"),
    ]


def test_a_name_at_two_sites_gets_its_site_at_both(tmp_path: Path) -> None:
    put(tmp_path, "north", "meter", "2022-03-01T00:00:00Z,1")
    put(tmp_path, "south", "meter", "2022-03-01T00:00:00Z,2")
    put(tmp_path, "south", "alone")
    truth = Truth(tmp_path)
    assert [point.name for point in truth.points("north")] == ["north/meter"]
    assert [point.name for point in truth.points("south")] == ["alone", "south/meter"]
    assert len(truth.notes) == 2
    assert truth.rows("south", "south/meter", 0, 2**50) == [(DAY_START_MS, "2")]
    assert truth.find("meter") is None
    with pytest.raises(KeyError):
        truth.rows("north", "south/meter", 0, 1)


@pytest.mark.parametrize(
    ("listing", "what"),
    [
        ("file,name\np.csv.gz,x\n", "unit"),
        ("file,name,unit\nnowhere.csv.gz,x,\n", "line 2"),
        ("file,name,unit\np.csv.gz,,\n", "line 2"),
        ("file,name,unit\np.csv.gz,x,\np,y,\n", "line 3"),
        ("file,name,unit\np.csv.gz,q,\n", "2 files are named 'q'"),
    ],
)
def test_a_bad_points_csv_is_refused(tmp_path: Path, listing: str, what: str) -> None:
    put(tmp_path, "fixture", "p")
    put(tmp_path, "fixture", "q")
    (tmp_path / "fixture" / "points.csv").write_text(listing)
    with pytest.raises(DataFault, match=what):
        Truth(tmp_path)


@pytest.mark.parametrize(
    ("row", "header", "what"),
    [
        ("2022-03-01T00:00:00,1", "timestamp,value", "line 2.*zone"),
        ("yesterday,1", "timestamp,value", "line 2"),
        ("2022-03-01T00:00:00Z", "timestamp,value", "line 2"),
        ("2022-03-01T00:00:00Z,1", "time,value", "first line"),
    ],
)
def test_a_bad_data_file_is_refused_when_it_is_read(tmp_path: Path, row: str, header: str, what: str) -> None:
    put(tmp_path, "fixture", "p", row, header=header)
    truth = Truth(tmp_path)
    with pytest.raises(DataFault, match=what):
        truth.rows("fixture", "p", 0, 1)


def test_a_file_that_is_not_gzip_or_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole = put(tmp_path, "fixture", "p", "2022-03-01T00:00:00Z,1")
    whole.write_bytes(whole.read_bytes()[:-6])
    with pytest.raises(DataFault):
        all_rows(tmp_path, "fixture", "p")
    whole.write_text("timestamp,value\n")
    with pytest.raises(DataFault):
        all_rows(tmp_path, "fixture", "p")


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFault, match="holds no"):
        Truth(tmp_path)
    with pytest.raises(DataFault, match="not a folder"):
        Truth(tmp_path / "nowhere")


def test_late_samples_come_after_what_shares_their_instant_until_forgotten(tmp_path: Path) -> None:
    put(tmp_path, "fixture", "p", "2022-03-01T00:00:00Z,a", "2022-03-01T00:00:02Z,c")
    truth = Truth(tmp_path)
    before = truth.version
    truth.add_late("fixture", "p", [(DAY_START_MS * 1000, "again"), ((DAY_START_MS + 1000) * 1000, "b")])
    assert truth.version > before
    assert [text for _, text in truth.rows("fixture", "p", 0, 2**50)] == ["a", "again", "b", "c"]
    truth.forget_late()
    assert [text for _, text in truth.rows("fixture", "p", 0, 2**50)] == ["a", "c"]


def test_span_tells_first_and_last(tmp_path: Path) -> None:
    put(tmp_path, "fixture", "p", "2022-03-01T00:00:02Z,2", "2022-03-01T00:00:00Z,1")
    put(tmp_path, "fixture", "none")
    truth = Truth(tmp_path)
    assert truth.span_ms("fixture", "p") == (DAY_START_MS, DAY_START_MS + 2000)
    assert truth.span_ms("fixture", "none") is None
