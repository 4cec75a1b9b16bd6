"""The days of a lease as its row holds them: runs of days, each with the points that it is of.

A point stands there as the CRC-32 of its name. Two names of one number make somebody wait for nothing, for a
bounded time, and never make an answer wrong. Format: `docs/formats/storage.md`.
"""

from array import array
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from binascii import crc32
from collections.abc import Iterable, Iterator, Mapping
from json import JSONDecodeError, loads
from typing import Final

from edgeseries.leases.days import Days
from edgeseries.series.days import runs
from edgeseries.series.json_text import json_text

VERSION: Final = 1
NUMBER_BYTES: Final = 4


def leased_text(days: Days) -> str:
    """The text of a row."""
    alike: dict[tuple[int, ...], list[int]] = {}
    for point, some in days.items():
        alike.setdefault(some, []).append(_number(point))
    groups = [[runs(some), b64encode(_packed(numbers)).decode()] for some, numbers in alike.items()]
    return json_text([VERSION, *groups])


def held_of(days: Days, texts: Iterable[str]) -> Days:
    """What of some days the leases of these texts hold. A damaged one, or of another version, holds none."""
    names: dict[int, list[str]] = {}
    for point in days:
        names.setdefault(_number(point), []).append(point)
    held: dict[str, set[int]] = {}
    for text in texts:
        for leased, numbers in _groups(text):
            for number in numbers:
                for point in names.get(number, ()):
                    held.setdefault(point, set()).update(leased)
    return _common(days, held)


def _common(days: Days, held: Mapping[str, set[int]]) -> Days:
    known: dict[tuple[int, ...], tuple[int, ...]] = {}
    found: dict[str, tuple[int, ...]] = {}
    for point, some in held.items():
        both = tuple(day for day in days[point] if day in some)
        if both:
            found[point] = known.setdefault(both, both)
    return found


def _groups(text: str) -> Iterator[tuple[frozenset[int], "array[int]"]]:
    try:
        version, *groups = loads(text)
        if version != VERSION:
            return
        for of_runs, packed in groups:
            days = frozenset(day for first, last in of_runs for day in range(first, last + 1))
            numbers = array("I")
            numbers.frombytes(b64decode(packed, validate=True))
            yield days, numbers
    except (JSONDecodeError, NoBase64, ValueError, TypeError):
        return


def _number(point: str) -> int:
    return crc32(point.encode())


def _packed(numbers: list[int]) -> bytes:
    packed = array("I", numbers)
    assert packed.itemsize == NUMBER_BYTES
    return packed.tobytes()
