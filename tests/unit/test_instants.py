"""Columns of instants as text: whatever their form, each is what it is alone."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from edgeseries.origins.instants import times_of

OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59)
MOMENTS = st.integers(0, 4_102_444_799_999)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text_of(at_ms: int, offset: int, *, zulu: bool) -> str:
    zone = UTC if zulu else timezone(timedelta(minutes=offset))
    text = (EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone).isoformat()
    return text.replace("+00:00", "Z") if zulu else text


@given(st.lists(MOMENTS, max_size=20), st.lists(OFFSETS, min_size=1, max_size=12), st.sampled_from([0, 3]))
def test_instants_of_any_offsets_are_read_as_each_alone(
    times: list[int], offsets: list[int], every: int
) -> None:
    texts = [
        text_of(at_ms, offsets[place % len(offsets)], zulu=bool(every) and place % 3 == 0)
        for place, at_ms in enumerate(times)
    ]
    assert times_of(texts) == times
    assert [one for text in texts for one in times_of([text])] == times


def test_what_is_finer_than_a_millisecond_is_cut_off() -> None:
    assert times_of(["2024-01-01T00:00:00.123456789Z"]) == times_of(["2024-01-01T01:00:00.123999+01:00"])
