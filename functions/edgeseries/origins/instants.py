"""Instants that vendors write as text: columns of ISO-8601 as epoch milliseconds.

What is finer than a millisecond is cut off. Texts of the usual form cost no parse each: they are put together
of parts, of which there are few.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, cast

from edgeseries.errors import OriginContract
from edgeseries.series.timerange import instant_ms

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_HOUR: Final = re.compile(r"T(?:[01][0-9]|2[0-3]):", re.ASCII)
_WITHIN_HOUR: Final = re.compile(r"[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?Z", re.ASCII)
"""The three parts of an instant's usual form."""

_OFFSET: Final = re.compile(r"[+-](?:0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_OFFSET_CHARS: Final = len("+01:00")
_FEW_OFFSETS: Final = 8

_DAY_CHARS: Final = len("2024-01-01")
_HOUR_CHARS: Final = len("T00:")


def times_of(raws: Sequence[object], known: dict[object, int] | None = None) -> list[int]:
    """Epoch milliseconds of a column of times. `known` remembers texts, where points share instants."""
    if not set(map(type, raws)) <= {str}:
        return list(map(_time_of, raws))
    texts = cast("Sequence[str]", raws)
    if known is None:
        return _times_of_texts(texts)
    new = list({*texts} - known.keys())
    known.update(zip(new, _times_of_texts(new), strict=True))
    return [known[text] for text in texts]


def _times_of_texts(texts: Sequence[str]) -> list[int]:
    """Epoch milliseconds. Texts of the usual form are put together of parts, of which there are few: days,
    hours, and where in the hour they are.
    """
    try:
        return _summed(texts, _DAY_CHARS, _times_of_days, _times_of_clocks)
    except _Unusual:
        return _times_with_offsets(texts)


def _times_with_offsets(texts: Sequence[str]) -> list[int]:
    """The same of texts with offsets, of which there are few: a zone has two."""
    offsets = {text[-_OFFSET_CHARS:] for text in texts}
    if len(offsets) > _FEW_OFFSETS or not all(map(_OFFSET.fullmatch, offsets)):
        return list(map(_time_of, texts))
    shift_ms = {one: _time_of(f"1970-01-01T00:00:00{one}") for one in offsets}
    plain = [f"{text[:-_OFFSET_CHARS]}Z" for text in texts]
    try:
        times_ms = _summed(plain, _DAY_CHARS, _times_of_days, _times_of_clocks)
    except _Unusual:
        return list(map(_time_of, texts))
    return [time + shift_ms[text[-_OFFSET_CHARS:]] for time, text in zip(times_ms, texts, strict=True)]


class _Unusual(Exception):
    """A text is not of the usual form."""


def _summed(
    texts: Sequence[str],
    at: int,
    heads_ms: Callable[[Sequence[str]], Iterable[int]],
    tails_ms: Callable[[Sequence[str]], Iterable[int]],
) -> list[int]:
    """For each text the sum of what its two parts stand for, each different part looked at once."""
    heads, tails = [text[:at] for text in texts], [text[at:] for text in texts]
    few_heads, few_tails = list({*heads}), list({*tails})
    ms_of_head = dict(zip(few_heads, heads_ms(few_heads), strict=True))
    ms_of_tail = dict(zip(few_tails, tails_ms(few_tails), strict=True))
    return [ms_of_head[head] + ms_of_tail[tail] for head, tail in zip(heads, tails, strict=True)]


def _times_of_days(days: Sequence[str]) -> Iterable[int]:
    return [_time_of(f"{day}T00:00:00Z") for day in _usual(_DAY, days)]


def _times_of_clocks(clocks: Sequence[str]) -> Iterable[int]:
    return _summed(
        clocks,
        _HOUR_CHARS,
        lambda hours: [_time_of(f"1970-01-01{hour}00:00Z") for hour in _usual(_HOUR, hours)],
        lambda rests: [_time_of(f"1970-01-01T00:{rest}") for rest in _usual(_WITHIN_HOUR, rests)],
    )


def _usual(form: re.Pattern[str], parts: Sequence[str]) -> Sequence[str]:
    if not all(map(form.fullmatch, parts)):
        raise _Unusual
    return parts


def _time_of(raw: object) -> int:
    if not isinstance(raw, str):
        raise OriginContract("the upstream sent a row whose time is no text")
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError as fault:
        raise OriginContract("the upstream sent a row whose time is not ISO-8601") from fault
    if moment.tzinfo is None:
        raise OriginContract("the upstream sent a row whose time has no zone")
    return instant_ms(moment)
