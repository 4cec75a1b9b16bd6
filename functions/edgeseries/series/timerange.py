"""Instants and half-open ranges, in integer milliseconds of the UTC epoch.

A range is `[start_ms, end_ms)` everywhere in the system; this is the one place that says so.
Texts of instants are ISO-8601 with a zone, or epoch milliseconds.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from edgeseries.limits import EARLIEST_MS, LATEST_MS

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ONE_MS: Final = timedelta(milliseconds=1)

_EPOCH_MS_TEXT: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_DATE_DIGITS: Final = re.compile(r"(19|20)[0-9]{2}(0[1-9]|1[0-2])[0-3][0-9]", re.ASCII)
_ZONELESS_TEXT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.,]*)?", re.ASCII)
_PLUS_LOST_TEXT: Final = re.compile(r".*[0-9] [0-9]{2}:?[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """`[start_ms, end_ms)`, UTC epoch milliseconds, never empty, within the years we serve."""

    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        assert EARLIEST_MS <= self.start_ms < self.end_ms <= LATEST_MS

    @property
    def duration_ms(self) -> int:
        """Length in milliseconds, at least 1."""
        return self.end_ms - self.start_ms

    def halves(self) -> tuple["TimeRange", "TimeRange"] | None:
        """The two halves, which together are this range; None if one millisecond is all there is."""
        if self.duration_ms < 2:  # noqa: PLR2004 - two is what can be halved
            return None
        middle_ms = self.start_ms + self.duration_ms // 2
        return (
            TimeRange(start_ms=self.start_ms, end_ms=middle_ms),
            TimeRange(start_ms=middle_ms, end_ms=self.end_ms),
        )


def united(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Half-open ranges `(start, end)` ascending, without empty ones; those that meet or overlap are one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(one for one in ranges if one[0] < one[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def instant_ms(moment: datetime) -> int:
    """Epoch milliseconds of an aware datetime; what is finer than a millisecond is cut off."""
    return (moment - EPOCH) // ONE_MS


def iso_instant(epoch_ms: int) -> str:
    """`2024-01-01T00:00:00Z`, with `.123` only where there are milliseconds."""
    moment = EPOCH + epoch_ms * ONE_MS
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{epoch_ms % 1000:03d}Z" if epoch_ms % 1000 else f"{text}Z"


def iso_millisecond(epoch_ms: int) -> str:
    """`2024-01-01T00:00:00.000Z`: always with three decimals, so that a column of them has one form."""
    return f"{(EPOCH + epoch_ms * ONE_MS).strftime('%Y-%m-%dT%H:%M:%S')}.{epoch_ms % 1000:03d}Z"


def parse_instant(text: str) -> int:
    """Epoch milliseconds of a text from outside: ISO-8601 with a zone, or epoch milliseconds.

    Raises ValueError with a sentence that says what to do.
    """
    if _EPOCH_MS_TEXT.fullmatch(text):
        epoch_ms = int(text)
        if _DATE_DIGITS.fullmatch(text):
            raise ValueError(f"{text} reads as a date; send {text[:4]}-{text[4:6]}-{text[6:]}T00:00:00Z")
        if not EARLIEST_MS <= epoch_ms <= LATEST_MS:
            raise ValueError("epoch milliseconds between 1970 and 2100 are expected; is this another unit?")
        if 0 < epoch_ms < LATEST_MS // 1000:
            raise ValueError(
                f"{epoch_ms} reads as seconds; send milliseconds ({epoch_ms}000) or ISO-8601 with a zone"
            )
        return epoch_ms
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        if _PLUS_LOST_TEXT.fullmatch(text):
            raise ValueError(
                "the + of a zone offset must be sent as %2B in a URL, for example 2024-01-01T00:00:00%2B01:00"
            ) from None
        raise ValueError(
            "not a time: send ISO-8601 with a zone (2024-01-01T00:00:00Z), epoch milliseconds, "
            "or now-7d, today, yesterday"
        ) from None
    if moment.tzinfo is None:
        remedy = f"{text}T00:00:00Z" if len(text) == len("2024-01-01") else f"{text}Z"
        if not _ZONELESS_TEXT.fullmatch(text):
            remedy = "2024-01-01T00:00:00Z"
        raise ValueError(f"the zone is missing: add Z for UTC ({remedy}) or an offset")
    epoch_ms = instant_ms(moment)
    if not EARLIEST_MS <= epoch_ms <= LATEST_MS:
        raise ValueError("the time must lie between 1970 and 2100")
    return epoch_ms
