"""Merging, buckets and pages of samples, on series made by hand as test fixtures."""

from array import array
from itertools import pairwise

import pytest

from local.upstream.instants import strict_us, text_of
from local.upstream.interleave import Range, bucketed, cut, merged
from local.upstream.pages import Cursor, empty_page, numbered_page, sample_page
from local.upstream.series import Series, usual_step_s

SECOND_US = 1_000_000


def series(*rows: tuple[int, str]) -> Series:
    """Rows of (seconds, text), in delivery order."""
    return Series(
        times_us=array("q", [second * SECOND_US for second, _ in rows]), texts=[text for _, text in rows]
    )


def walked(times_us: list[int], places: tuple[int, int], page_size: int) -> list[list[int]]:
    pages: list[list[int]] = []
    cursor: Cursor | None = None
    while True:
        page = sample_page(times_us, places, cursor, page_size)
        pages.append(list(range(page.first, page.last)))
        if page.next is None:
            return pages
        cursor = Cursor.from_text(page.next.to_text())


def test_rows_of_one_instant_stand_by_point_then_as_delivered() -> None:
    order = merged(
        [("b", series((1, "b1"), (3, "b3"), (3, "b3 again"))), ("a", series((1, "a1"), (2, "a2")))]
    )
    assert order.texts == ["b1", "a1", "a2", "b3", "b3 again"]
    assert [order.names[owner] for owner in order.owners] == ["b", "a", "a", "b", "b"]
    part = order.part(1, 2)
    assert (list(part.times_us), list(part.owners), part.texts) == ([SECOND_US], [1], ["a1"])


def test_merging_in_several_sorts_gives_what_one_sort_gives() -> None:
    parts = [
        (name, series(*((second, f"{name}{second}") for second in seconds)))
        for name, seconds in (("x", range(0, 500, 3)), ("y", range(-40, 300, 7)), ("z", [10, 10, 10, 9_000]))
    ]
    whole = merged(parts)
    assert merged(parts, rows_per_sort=16) == whole
    assert len(whole.times_us) == sum(len(part.times_us) for _, part in parts)
    assert all(earlier <= later for earlier, later in pairwise(whole.times_us))


def test_nothing_merges_to_nothing() -> None:
    assert len(merged([]).times_us) == 0
    assert len(merged([("a", series())]).times_us) == 0


@pytest.mark.parametrize(("end_included", "wanted"), [(False, ["b", "b2"]), (True, ["b", "b2", "c", "c2"])])
def test_the_end_of_a_range_is_in_or_out(*, end_included: bool, wanted: list[str]) -> None:
    held = series((1, "a"), (2, "b"), (2, "b2"), (3, "c"), (3, "c2"), (4, "d"))
    limits = Range(start_us=2 * SECOND_US, end_us=3 * SECOND_US, end_included=end_included)
    assert cut(held, limits).texts == wanted


def test_a_range_that_runs_backward_is_empty() -> None:
    limits = Range(start_us=3 * SECOND_US, end_us=1 * SECOND_US, end_included=True)
    assert cut(series((1, "a"), (2, "b"), (3, "c")), limits).texts == []


def test_days_are_counted_in_utc_also_before_1970() -> None:
    order = merged([("p", series((-1, "a"), (0, "b"), (86_399, "c"), (86_400, "d")))])
    assert order.by_day(0, 4) == {("p", -1): 1, ("p", 0): 2, ("p", 1): 1}


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([(0, "1"), (299, "2")], [(0, "1.5")]),
        ([(299, "1"), (300, "2")], [(0, "1.0"), (300, "2.0")]),
        ([(610, "on"), (620, "off")], [(600, "off")]),
        ([(0, "4"), (1, "NaN"), (2, "6"), (3, "inf"), (4, "fault")], [(0, "5.0")]),
        ([(0, "1"), (1, "NaN"), (300, "NaN")], [(0, "1.0"), (300, "NaN")]),
        ([(-1, "7")], [(-300, "7.0")]),
        ([], []),
    ],
)
def test_buckets_are_the_mean_of_numbers_or_the_last_text(
    rows: list[tuple[int, str]], wanted: list[tuple[int, str]]
) -> None:
    made = bucketed(series(*rows))
    assert list(zip(made.times_us, made.texts, strict=True)) == [
        (at * SECOND_US, text) for at, text in wanted
    ]


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [([0, 60, 120, 900], 60), ([0, 0, 0, 300], 300), ([5], None), ([5, 5], None), ([], None)],
)
def test_the_usual_step_is_the_median_of_distinct_instants(seconds: list[int], wanted: int | None) -> None:
    assert usual_step_s(series(*((second, "") for second in seconds))) == wanted


@pytest.mark.parametrize("page_size", [1, 2, 3, 4, 100])
def test_a_walk_meets_every_place_once_however_many_share_an_instant(page_size: int) -> None:
    times_us = [1, 2, 2, 2, 2, 2, 3, 3, 4, 9]
    pages = walked(times_us, (1, 9), page_size)
    assert [place for page in pages for place in page] == list(range(1, 9))
    assert all(len(page) == page_size for page in pages[:-1])
    assert len(pages) == -(-8 // page_size)


def test_a_cursor_skips_only_rows_inside_the_range() -> None:
    # A range may begin between rows of one instant: what is skipped counts from its start.
    page = sample_page([5, 5, 5, 5], (1, 4), None, 2)
    assert page.next is not None
    assert sample_page([5, 5, 5, 5], (1, 4), page.next, 2).first == 3


def test_rows_that_arrive_between_pages_shift_nothing() -> None:
    first = sample_page([10, 20, 30, 40], (0, 4), None, 2)
    later = sample_page([5, 10, 15, 20, 30, 40], (0, 6), first.next, 2)
    assert (later.first, later.last) == (4, 6)


def test_a_cursor_from_elsewhere_stays_inside_the_range() -> None:
    far = Cursor(instant_us=10**15, skip_count=7)
    assert sample_page([1, 2, 3], (0, 3), far, 2).first == 3
    assert sample_page([1, 2, 3], (1, 3), Cursor(instant_us=-5, skip_count=0), 9).first == 1


def test_an_empty_page_loses_nothing_and_says_that_it_was_one() -> None:
    times_us = [1, 1, 1, 2]
    first = sample_page(times_us, (0, 4), None, 2)
    for cursor, follows in ((None, 0), (first.next, 2)):
        page = empty_page(times_us, (0, 4), cursor)
        assert page.first == page.last
        assert page.next is not None
        assert page.next.after_empty
        assert sample_page(times_us, (0, 4), page.next, 2).first == follows


@pytest.mark.parametrize("text", ["x", "AAAA", "!!!!", "AAXeeOTSkQAAAAArAA", "AAXeeOTSkQAAAAArAA== ", "ü"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        Cursor.from_text(text)


def test_cursors_survive_their_text() -> None:
    cursor = Cursor(instant_us=-1, skip_count=2**32 - 1, after_empty=True)
    assert Cursor.from_text(cursor.to_text()) == cursor


@pytest.mark.parametrize(
    ("page", "per_page", "items", "pages"),
    [(1, 2, (1, 2), 3), (3, 2, (5,), 3), (4, 2, (), 3), (1, 10, (1, 2, 3, 4, 5), 1)],
)
def test_numbered_pages(page: int, per_page: int, items: tuple[int, ...], pages: int) -> None:
    made = numbered_page([1, 2, 3, 4, 5], page, per_page)
    assert (made.items, made.pages, made.total, made.page, made.per_page) == (items, pages, 5, page, per_page)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2022-03-01T00:00:00Z", "2022-03-01T00:00:00Z"),
        ("2022-03-01T00:00:00.5Z", "2022-03-01T00:00:00.500Z"),
        ("2022-03-01T00:00:00.000001Z", "2022-03-01T00:00:00.000001Z"),
        ("2022-03-01T02:00:00+02:00", "2022-03-01T00:00:00Z"),
        ("1969-12-31T23:59:59.9Z", "1969-12-31T23:59:59.900Z"),
    ],
)
def test_instants_are_shown_as_precisely_as_they_are(text: str, shown: str) -> None:
    assert text_of(strict_us(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2022-03-01",
        "2022-03-01T00:00:00",
        "2022-03-01 00:00:00Z",
        "2022-13-01T00:00:00Z",
        "1646092800",
        "2022-03-01T00:00:00 00:00",
        "20220301T000000Z",
        "2022-03-01T00:00Z",
        "2022-03-01T00:00:00.1234567Z",
    ],
)
def test_requests_must_write_instants_the_one_way(text: str) -> None:
    with pytest.raises(ValueError, match=r"not an ISO-8601|must be|month|invalid|Invalid"):
        strict_us(text)
