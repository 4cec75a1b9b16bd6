"""Instants as text and as numbers: the only place here that reads or writes ISO-8601.

Owns the conversions. Must not know what is stamped with them.

The house counts time in milliseconds; this package counts in microseconds, because the vendor's stamps have
up to six decimals and whoever fetches them, not the simulator, decides how they are floored.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

MICROSECONDS_PER_MILLISECOND: Final = 1_000
MICROSECONDS_PER_SECOND: Final = 1_000_000
SECONDS_PER_DAY: Final = 86_400

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_STRICT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)

_DATE_CHARS: Final = len("YYYY-MM-DD")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME: Final = re.compile(r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?Z", re.ASCII)

# Rows of one page share stamps across points, so most of a page is answered from here. About 10 MB at most.
_REMEMBERED_TEXTS: Final = 65_536


def stamp_us(text: str) -> int:
    """The UTC epoch microseconds of a stamp in a data file. ValueError when unreadable or without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return (moment - _EPOCH) // _MICROSECOND


def usual_stamps_us(texts: Sequence[str]) -> list[int] | None:
    """The same of many stamps, put together of days and times of day, of which there are few. None unless
    all have the usual form, YYYY-MM-DDTHH:MM:SS[.ffffff]Z, and are days of the calendar.
    """
    heads, tails = [text[:_DATE_CHARS] for text in texts], [text[_DATE_CHARS:] for text in texts]
    days, times = {*heads}, {*tails}
    if not (all(map(_DATE.fullmatch, days)) and all(map(_TIME.fullmatch, times))):
        return None
    try:
        day_us = {day: stamp_us(f"{day}T00:00:00Z") for day in days}
    except ValueError:
        return None
    time_us = {time: stamp_us(f"1970-01-01{time}") for time in times}
    return [day_us[head] + time_us[tail] for head, tail in zip(heads, tails, strict=True)]


def strict_us(text: str) -> int:
    """As `stamp_us`, in the one form that the vendor accepts in a request: YYYY-MM-DDTHH:MM:SS[.ffffff]Z."""
    if not _STRICT.fullmatch(text):
        raise ValueError(f"{text!r} is not an ISO-8601 date-time with a zone")
    return stamp_us(text)


@lru_cache(maxsize=_REMEMBERED_TEXTS)
def text_of(instant_us: int) -> str:
    """YYYY-MM-DDTHH:MM:SSZ, with three or six decimals when the instant is not on a whole second."""
    if instant_us % MICROSECONDS_PER_SECOND == 0:
        return texts_of([instant_us])[0]
    precision = "milliseconds" if instant_us % MICROSECONDS_PER_MILLISECOND == 0 else "microseconds"
    moment = _EPOCH + timedelta(microseconds=instant_us)
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def texts_of(instants_us: Iterable[int]) -> list[str]:
    """The same of many instants, which may repeat. Days and times of day are made into text once each."""
    instants_us = list(instants_us)
    seconds = [instant_us // MICROSECONDS_PER_SECOND for instant_us in instants_us]
    if [second * MICROSECONDS_PER_SECOND for second in seconds] != instants_us:
        return list(map(text_of, instants_us))
    dates = {day: _date_text(day) for day in {second // SECONDS_PER_DAY for second in seconds}}
    return [dates[second // SECONDS_PER_DAY] + _CLOCKS[second % SECONDS_PER_DAY] for second in seconds]


@lru_cache(maxsize=_REMEMBERED_TEXTS)
def _date_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()


class _Clocks(dict[int, str]):
    """Texts of times of day by second, made when they are first wanted."""

    def __missing__(self, second_of_day: int) -> str:
        minute, second = divmod(second_of_day, 60)
        hour, minute = divmod(minute, 60)
        text = self[second_of_day] = f"T{hour:02}:{minute:02}:{second:02}Z"
        return text


_CLOCKS: Final = _Clocks()
