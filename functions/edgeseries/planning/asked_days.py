"""Sealed days that small questions asked some of, by site and month: who asks of them again has them fetched
whole, and stored. Values only. Format of a row: `docs/formats/storage.md`.

A point is the CRC-32 of its name. Two names of one number have a day fetched whole one question too soon; no
answer is different for it.
"""

from array import array
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from binascii import crc32
from collections.abc import Iterable, Mapping
from json import JSONDecodeError, loads
from typing import Final

from edgeseries.series.days import by_month
from edgeseries.series.json_text import json_text

VERSION: Final = 1
NUMBER_BYTES: Final = 4

MONTH_MAX_POINTS: Final = 20_000
"""Points of a row: 110 kB. Of a month of which more are asked in small questions it begins anew."""

AskedMonth = Mapping[int, int]
"""Days of a month that were asked, as a bitmap (bit 0 the 1st), by the number of the point."""

Missing = Mapping[str, tuple[int, ...]]
"""Days since 1970 by point."""


def months_of(missing: Missing) -> Mapping[str, AskedMonth]:
    """Missing days by month and number of the point."""
    bitmaps: dict[int, Mapping[str, int]] = {}
    found: dict[str, dict[int, int]] = {}
    for point, days in missing.items():
        if id(days) not in bitmaps:
            bitmaps[id(days)] = by_month(days)
        number = crc32(point.encode())
        for month, bitmap in bitmaps[id(days)].items():
            of_month = found.setdefault(month, {})
            of_month[number] = of_month.get(number, 0) | bitmap
    return found


def is_asked(wanted: AskedMonth, asked: AskedMonth) -> bool:
    """Whether all of it was asked before."""
    return all(bitmap & ~asked.get(number, 0) == 0 for number, bitmap in wanted.items())


def asked_after(asked: AskedMonth, more: AskedMonth) -> AskedMonth:
    """What has been asked now."""
    after = dict(asked)
    for number, bitmap in more.items():
        after[number] = after.get(number, 0) | bitmap
    return after if len(after) <= MONTH_MAX_POINTS else dict(more)


def asked_text(asked: AskedMonth) -> str:
    """The text of a row: a bitmap, and the points that it is of, for each that there is."""
    alike: dict[int, list[int]] = {}
    for number, bitmap in asked.items():
        alike.setdefault(bitmap, []).append(number)
    groups = [[bitmap, b64encode(_packed(sorted(numbers))).decode()] for bitmap, numbers in alike.items()]
    return json_text([VERSION, *groups])


def asked_of_text(text: str) -> AskedMonth:
    """What a row says; nothing where it is damaged or of another version."""
    asked: dict[int, int] = {}
    try:
        version, *groups = loads(text)
        if version != VERSION:
            return {}
        for bitmap, packed in groups:
            numbers = array("I")
            numbers.frombytes(b64decode(packed, validate=True))
            asked.update(dict.fromkeys(numbers, int(bitmap)))
    except (JSONDecodeError, NoBase64, ValueError, TypeError):
        return {}
    return asked


def _packed(numbers: Iterable[int]) -> bytes:
    packed = array("I", numbers)
    assert packed.itemsize == NUMBER_BYTES
    return packed.tobytes()
