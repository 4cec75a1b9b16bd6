"""Where buckets begin: in UTC, in zones, over changes of clocks."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from edgeseries.limits import DAY_MS, MINUTE_MS
from edgeseries.questions.grid import even_grid, grid_of
from edgeseries.questions.width import width_of
from edgeseries.series.timerange import instant_ms, iso_instant
from edgeseries.series.zones import zone_fault

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Adelaide",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Africa/Cairo",
]


def at(text: str) -> int:
    return instant_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


def edges(width: str, zone: str, start: str, end: str) -> list[str]:
    grid = grid_of(width_of(width), zone, at(start), at(end))
    return [iso_instant(edge) for edge in grid.edges(at(start), at(end))]


@pytest.mark.parametrize(
    ("width", "zone", "start", "end", "expected"),
    [
        ("1h", "UTC", "2024-05-01T10:17", "2024-05-01T12:00", ["10:00", "11:00", "12:00"]),
        ("15m", "Asia/Kathmandu", "2024-05-01T10:17", "2024-05-01T10:40", ["10:15", "10:30", "10:45"]),
        ("1h", "Asia/Kolkata", "2024-05-01T10:17", "2024-05-01T11:40", ["09:30", "10:30", "11:30", "12:30"]),
    ],
)
def test_edges_enclose_a_range(width: str, zone: str, start: str, end: str, expected: list[str]) -> None:
    assert edges(width, zone, start, end) == [f"2024-05-01T{one}:00Z" for one in expected]


def test_days_of_23_and_25_hours() -> None:
    spring = edges("1d", "Europe/Berlin", "2024-03-30T12:00", "2024-04-01T12:00")
    assert spring == [
        "2024-03-29T23:00:00Z",
        "2024-03-30T23:00:00Z",
        "2024-03-31T22:00:00Z",
        "2024-04-01T22:00:00Z",
    ]
    autumn = edges("1d", "Europe/Berlin", "2024-10-27T00:00", "2024-10-27T12:00")
    assert autumn == ["2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z"]


def test_an_hour_that_comes_twice_is_two_buckets_and_two_hours_are_one() -> None:
    hours = edges("1h", "Europe/Berlin", "2024-10-26T23:00", "2024-10-27T03:00")
    assert [one[11:16] for one in hours] == ["23:00", "00:00", "01:00", "02:00", "03:00"]
    pairs = edges("2h", "Europe/Berlin", "2024-10-26T22:00", "2024-10-27T05:00")
    assert [one[11:16] for one in pairs] == ["22:00", "00:00", "03:00", "05:00"]


def test_a_local_time_that_does_not_come_is_the_moment_of_the_change() -> None:
    pairs = edges("2h", "Europe/Berlin", "2024-03-30T23:00", "2024-03-31T04:00")
    assert [one[11:16] for one in pairs] == ["23:00", "01:00", "02:00", "04:00"]
    # Clocks go forward at midnight: the day begins at 01:00.
    days = edges("1d", "America/Sao_Paulo", "2018-11-03T12:00", "2018-11-04T12:00")
    assert days == ["2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"]
    # A day that never was.
    assert edges("1d", "Pacific/Apia", "2011-12-30T09:00", "2011-12-30T11:00")[0] == "2011-12-29T10:00:00Z"


def test_a_change_of_half_an_hour_leaves_a_short_hour() -> None:
    hours = edges("1h", "Australia/Lord_Howe", "2024-04-06T13:00", "2024-04-06T17:00")
    assert [one[11:16] for one in hours] == ["13:00", "14:00", "15:00", "15:30", "16:30", "17:30"]


def test_weeks_begin_on_monday_months_on_the_first_years_on_january_1() -> None:
    assert edges("1w", "UTC", "2024-05-01T00:00", "2024-05-08T00:00") == [
        "2024-04-29T00:00:00Z",
        "2024-05-06T00:00:00Z",
        "2024-05-13T00:00:00Z",
    ]
    assert edges("3M", "UTC", "2024-05-01T00:00", "2024-05-08T00:00") == [
        "2024-04-01T00:00:00Z",
        "2024-07-01T00:00:00Z",
    ]
    assert edges("1y", "Europe/Berlin", "2023-12-31T23:30", "2024-05-08T00:00") == [
        "2023-12-31T23:00:00Z",
        "2024-12-31T23:00:00Z",
    ]


def label(moment: datetime, width: str) -> object:  # noqa: PLR0911 - one case each
    """What a local clock and calendar say of the bucket that a moment is in."""
    match width:
        case "1d":
            return moment.date()
        case "1w":
            return moment.date() - timedelta(days=moment.weekday())
        case "1M":
            return moment.year, moment.month
        case "1y":
            return moment.year
        case "6h":
            return moment.date(), moment.hour // 6
        case "1h":
            return moment.date(), moment.hour, moment.utcoffset()
        case _:
            return moment.date(), moment.hour, moment.minute // 15, moment.utcoffset()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("width", ["15m", "1h", "6h", "1d", "1w", "1M", "1y"])
def test_buckets_begin_where_the_local_calendar_says(zone: str, width: str) -> None:
    start_ms, end_ms = at("2023-10-20T00:00"), at("2024-11-10T00:00")
    if width in ("15m", "1h"):
        start_ms, end_ms = at("2024-03-01T00:00"), at("2024-04-20T00:00")
    tz = ZoneInfo(zone)
    labels = [
        (moment_ms, label(datetime.fromtimestamp(moment_ms / 1000, tz), width))
        for moment_ms in range(start_ms, end_ms, 15 * MINUTE_MS)
    ]
    changes = [this[0] for before, this in pairwise(labels) if before[1] != this[1]]
    found = grid_of(width_of(width), zone, start_ms, end_ms).edges(start_ms, end_ms)
    assert found[0] <= start_ms
    assert found[-1] >= end_ms
    assert [edge for edge in found if start_ms < edge <= labels[-1][0]] == [
        change for change in changes if change > start_ms
    ]


@pytest.mark.parametrize("zone", ZONES)
def test_parts_of_a_range_have_the_edges_of_the_range(zone: str) -> None:
    start_ms, end_ms = at("2024-03-05T00:00"), at("2024-04-10T00:00")
    for text in ("30m", "1h", "2h", "1d", "1w", "1M"):
        grid = grid_of(width_of(text), zone, start_ms, end_ms)
        whole = list(grid.edges(start_ms, end_ms))
        for day in range(start_ms, end_ms, 3 * DAY_MS):
            part = list(grid.edges(day + 17, day + 2 * DAY_MS))
            first = whole.index(part[0])
            assert part == whole[first : first + len(part)]


def test_even_intervals() -> None:
    assert list(even_grid(0, 10, 4)) == [0, 2, 5, 7, 10]
    assert list(even_grid(0, 2, 4)) == [0, 1, 2]


@pytest.mark.parametrize("text", ["", "0h", "5d", "7m", "1Q", "1 h", "h", "-1h", "100h", "\u0661h", "1H"])
def test_what_is_no_width_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="15m, 1h, 1d"):
        width_of(text)


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "../etc/passwd", "/etc/localtime", "Europe", "x" * 100, "UTC\0"]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    assert zone_fault(name) is not None
