"""Paging as the vendor does it: numbered pages of lists, cursors through samples.

Owns the sizes that are allowed, the cursor's bytes, and where a page begins and ends. Must not know of JSON,
HTTP, or what stands on a page.
"""

import base64
import binascii
import struct
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

# The vendor's published enumerations; it rejects any other value.
PER_PAGE_CHOICES: Final = (2, 10, 20, 30, 40, 50, 100, 500, 1_000, 5_000, 10_000, 100_000)
PER_PAGE_DEFAULT: Final = 10
PAGE_SIZE_CHOICES: Final = (3, 10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 300_000, 500_000)
PAGE_SIZE_DEFAULT: Final = 10_000

Item = TypeVar("Item")

# Instant, rows to skip there, and whether the last page was an empty one. Packed bytes in base64 hold `+`,
# `/` and `=`, so a client that puts a cursor into a query unencoded is found out.
_CURSOR: Final = struct.Struct(">qI?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where the next page begins: after `skip_count` rows of `instant_us`.

    It names an instant, not a place, so that samples which arrive late between two pages shift nothing.
    """

    instant_us: int
    skip_count: int
    after_empty: bool = False

    def to_text(self) -> str:
        """The opaque text that clients hand back."""
        packed = _CURSOR.pack(self.instant_us, self.skip_count, self.after_empty)
        return base64.b64encode(packed).decode("ascii")

    @classmethod
    def from_text(cls, text: str) -> "Cursor":
        """Read what `to_text` wrote. ValueError for anything else."""
        try:
            instant_us, skip_count, after_empty = _CURSOR.unpack(base64.b64decode(text, validate=True))
        except (binascii.Error, struct.error, ValueError) as fault:
            raise ValueError("not a cursor of this server") from fault
        return cls(instant_us=instant_us, skip_count=skip_count, after_empty=after_empty)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePage:
    """The places [first, last) of an order, and the cursor of the rest; no cursor means the end."""

    first: int
    last: int
    next: Cursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedPage(Generic[Item]):
    """One page of a list, counted from 1, with the sizes of the whole."""

    page: int
    pages: int
    per_page: int
    total: int
    items: tuple[Item, ...]


def sample_page(
    times_us: Sequence[int], places: tuple[int, int], cursor: Cursor | None, page_size: int
) -> SamplePage:
    """The page that a cursor (none: the first) names among `places` of instants that never decrease."""
    start, stop = places
    first = start
    if cursor is not None:
        first = bisect_left(times_us, cursor.instant_us, start, stop) + cursor.skip_count
        first = min(first, stop)
    last = min(first + page_size, stop)
    if last == stop:
        return SamplePage(first=first, last=last, next=None)
    return SamplePage(first=first, last=last, next=_cursor_at(times_us, start, last))


def empty_page(times_us: Sequence[int], places: tuple[int, int], cursor: Cursor | None) -> SamplePage:
    """A page without rows whose cursor goes on from where `cursor` stood."""
    start, stop = places
    if cursor is not None:
        return SamplePage(first=start, last=start, next=replace(cursor, after_empty=True))
    if start == stop:
        return SamplePage(first=start, last=start, next=None)
    begin = replace(_cursor_at(times_us, start, start), after_empty=True)
    return SamplePage(first=start, last=start, next=begin)


def numbered_page(items: Sequence[Item], page: int, per_page: int) -> NumberedPage[Item]:
    """Page `page` (from 1) of a list; a page past the end has no items."""
    first = (page - 1) * per_page
    return NumberedPage(
        page=page,
        pages=-(-len(items) // per_page),
        per_page=per_page,
        total=len(items),
        items=tuple(items[first : first + per_page]),
    )


def _cursor_at(times_us: Sequence[int], start: int, place: int) -> Cursor:
    instant_us = times_us[place]
    return Cursor(instant_us=instant_us, skip_count=place - bisect_left(times_us, instant_us, start, place))
