"""Instants as text and as numbers: the only place here that reads or writes ISO-8601.

Owns the conversions. Must not know what is stamped with them.

The house counts time in milliseconds; this package counts in microseconds, because the vendor's stamps have
up to six decimals and whoever fetches them, not the simulator, decides how they are floored.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

MICROSECONDS_PER_MILLISECOND: Final = 1_000
MICROSECONDS_PER_SECOND: Final = 1_000_000
SECONDS_PER_DAY: Final = 86_400

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_STRICT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)

# Rows of one page share stamps across points, so most of a page is answered from here. About 10 MB at most.
_REMEMBERED_TEXTS: Final = 65_536


def stamp_us(text: str) -> int:
    """The UTC epoch microseconds of a stamp in a data file. ValueError when unreadable or without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return (moment - _EPOCH) // _MICROSECOND


def strict_us(text: str) -> int:
    """As `stamp_us`, in the one form that the vendor accepts in a request: YYYY-MM-DDTHH:MM:SS[.ffffff]Z."""
    if not _STRICT.fullmatch(text):
        raise ValueError(f"{text!r} is not an ISO-8601 date-time with a zone")
    return stamp_us(text)


@lru_cache(maxsize=_REMEMBERED_TEXTS)
def text_of(instant_us: int) -> str:
    """YYYY-MM-DDTHH:MM:SSZ, with three or six decimals when the instant is not on a whole second."""
    second, rest_us = divmod(instant_us, MICROSECONDS_PER_SECOND)
    if not rest_us:
        day, second_of_day = divmod(second, SECONDS_PER_DAY)
        return f"{_date_text(day)}T{_clock_text(second_of_day)}Z"
    precision = "milliseconds" if instant_us % MICROSECONDS_PER_MILLISECOND == 0 else "microseconds"
    moment = _EPOCH + timedelta(microseconds=instant_us)
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


@lru_cache(maxsize=_REMEMBERED_TEXTS)
def _date_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()


@lru_cache(maxsize=SECONDS_PER_DAY)
def _clock_text(second_of_day: int) -> str:
    minute, second = divmod(second_of_day, 60)
    hour, minute = divmod(minute, 60)
    return f"{hour:02}:{minute:02}:{second:02}"
