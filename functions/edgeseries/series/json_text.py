"""JSON: one writer, and a reader that looks at what comes from outside before it is parsed.

A parser goes down a level for each bracket. In the Workers runtime that ends the whole isolate (the stack of
WebAssembly is small, and its overflow is no exception), so depth is bounded first. Only UTF-8 is read: in
another encoding bytes that look like quotes could hide brackets from who counts them.

msgspec reads. What it does not take and Python does (half of a surrogate pair, an integer of thousands of
digits, NaN) Python reads as it always did, so no text that was read is refused, nor read as something else.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any, Final

from msgspec.json import decode

from edgeseries.limits import MAX_JSON_DEPTH

_SHAPE: Final = b'"[]{}'
_NOT_SHAPE: Final = bytes(set(range(256)) - set(_SHAPE))
_QUOTED: Final = re.compile(rb'"[^"]*"?')
"""One text, or what is left of one that never ends. Between quotes nothing is escaped any more."""

_TEXT: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
"""A whole text, quotes and what is escaped included."""

_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}

INTEGER_MAX_DIGITS: Final = 310
"""An integer of more digits is larger than every float64 (309 digits at most, IEEE 754)."""

PYTHON_MAX_DIGITS: Final = 4_300
"""Python refuses to read longer integers (`sys.int_info.default_max_str_digits`)."""

_LONG_INTEGER: Final = re.compile(rb"[0-9]{%d}" % (PYTHON_MAX_DIGITS + 1))


_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
"""What holds nothing."""


class TooDeep(ValueError):
    """Brackets within brackets, deeper than anybody needs."""


class RepeatedField(ValueError):
    """A name that stands twice in one object: nobody could say which is meant."""


def json_text(value: object) -> str:
    """Compact JSON; what is not ASCII stays as it is. Raises ValueError for a number that is not finite."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def parsed(text: bytes) -> Any:
    """The value of a JSON text in UTF-8; an object that names a field twice is refused.

    Raises ValueError: TooDeep, RepeatedField, or for what is not JSON.
    """
    check_depth(text)
    try:
        value = decode(text)
    except ValueError:
        return json.loads(_decoded(text), object_pairs_hook=_once_each)
    # Each field has one colon outside of texts; of two with one name a dict keeps one.
    if _TEXT.sub(b"", text).count(b":") != _field_count(value):
        raise RepeatedField
    return value


def parsed_rows(text: bytes) -> Any:
    """The same of a text with tens of thousands of objects: they are not looked at one by one.

    An integer of any length is read; one that is larger than every float64 may come as infinity.
    Raises ValueError: TooDeep, or for what is not JSON.
    """
    check_depth(text)
    try:
        return decode(text)
    except ValueError:
        decoded = _decoded(text)
    try:
        return json.loads(decoded)
    except ValueError:
        if not _LONG_INTEGER.search(text):
            raise
    return json.loads(decoded, parse_int=_integer)


def check_depth(text: bytes) -> None:
    """Look at a JSON text that a parser is to read against a schema. Raises TooDeep."""
    if text.count(b"[") + text.count(b"{") > MAX_JSON_DEPTH:
        shape = _shape_of(text)
        # Rows are objects without brackets inside: without them the rest is short, and a level less.
        rest = shape.replace(b"{}", b"")
        if _is_deeper(rest, MAX_JSON_DEPTH - 1) and _is_deeper(shape, MAX_JSON_DEPTH):
            raise TooDeep


def _decoded(text: bytes) -> str:
    return text.decode("utf-8-sig", "surrogatepass")


def _field_count(value: object) -> int:
    """How many fields all objects of a value have together."""
    count, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            count += len(one)
            waiting.extend(one.values())
        elif isinstance(one, list) and not {*map(type, one)} <= _PLAIN:
            waiting.extend(one)
    return count


def _shape_of(text: bytes) -> bytes:
    """The brackets that stand outside of texts, in order."""
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    # A pair of quotes without a bracket between them says nothing, whichever text it ends or begins.
    return _QUOTED.sub(b"", text.translate(None, _NOT_SHAPE).replace(b'""', b""))


def _depths(shape: Iterable[int]) -> Iterator[int]:
    return accumulate(map(_STEPS.__getitem__, shape))


def _is_deeper(shape: bytes, most: int) -> bool:
    return any(depth > most for depth in _depths(shape))


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= INTEGER_MAX_DIGITS else float(digits)


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RepeatedField
    return found
