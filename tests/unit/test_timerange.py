import pytest

from edgeseries.series.timerange import TimeRange, iso_instant, parse_instant

JANUARY_MS = 1_704_067_200_000


@pytest.mark.parametrize(
    ("text", "epoch_ms"),
    [
        ("2024-01-01T00:00:00Z", JANUARY_MS),
        ("2024-01-01T00:00:00+00:00", JANUARY_MS),
        ("2024-01-01T01:00:00+01:00", JANUARY_MS),
        ("2023-12-31T19:00:00-05:00", JANUARY_MS),
        ("2024-01-01T00:00:00.123Z", JANUARY_MS + 123),
        ("2024-01-01T00:00:00.123999Z", JANUARY_MS + 123),
        ("20240101T000000Z", JANUARY_MS),
        ("2024-01-01 00:00:00Z", JANUARY_MS),
        (str(JANUARY_MS), JANUARY_MS),
        ("0", 0),
    ],
)
def test_reads_iso_with_a_zone_and_epoch_milliseconds(text: str, epoch_ms: int) -> None:
    assert parse_instant(text) == epoch_ms


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("2024-01-01T00:00:00", "add Z for UTC (2024-01-01T00:00:00Z)"),
        ("2024-01-01", "2024-01-01T00:00:00Z"),
        ("2024-01-01T00:00:00 01:00", "%2B"),
        ("1704067200", "1704067200000"),
        ("20240101", "2024-01-01T00:00:00Z"),
        ("1704067200000000", "another unit"),
        ("-1", "another unit"),
        ("yesterday", "ISO-8601"),
        ("2024-02-30T00:00:00Z", "ISO-8601"),
        ("1969-12-31T23:59:59Z", "1970"),
        ("", "ISO-8601"),
    ],
)
def test_says_what_to_do_about_other_texts(text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=r".+") as fault:
        parse_instant(text)
    assert remedy in str(fault.value)


@pytest.mark.parametrize(
    ("epoch_ms", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (JANUARY_MS, "2024-01-01T00:00:00Z"),
        (JANUARY_MS + 7, "2024-01-01T00:00:00.007Z"),
    ],
)
def test_writes_milliseconds_only_where_there_are_some(epoch_ms: int, text: str) -> None:
    assert iso_instant(epoch_ms) == text


def test_a_millisecond_cannot_be_halved() -> None:
    assert TimeRange(start_ms=5, end_ms=6).halves() is None
    assert TimeRange(start_ms=5, end_ms=8).halves() == (
        TimeRange(start_ms=5, end_ms=6),
        TimeRange(start_ms=6, end_ms=8),
    )
