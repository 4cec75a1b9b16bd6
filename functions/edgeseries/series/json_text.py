"""JSON from outside, looked at before it is parsed.

Python's parser goes down a level for each bracket. In the Workers runtime that ends the whole isolate
(the stack of WebAssembly is small, and its overflow is no exception), so depth is counted first.
"""

import json
import re
from itertools import accumulate
from typing import Any, Final

from edgeseries.limits import MAX_JSON_DEPTH

_STRINGS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*+(?:"|\\?\Z)', re.DOTALL)
"""One text, or what is left of one that never ends: every quote begins a match, so a scan is linear."""

_BRACKETS: Final = re.compile(rb"[\[\]{}]")
_STEPS: Final = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}


class TooDeep(ValueError):
    """Brackets within brackets, deeper than anybody needs."""


def parsed(text: bytes) -> Any:
    """The value of a JSON text in UTF-8; an object that names a field twice is refused.

    Raises ValueError: TooDeep, RepeatedField, or for what is not JSON.
    """
    if text.count(b"[") + text.count(b"{") > MAX_JSON_DEPTH and depth_of(text) > MAX_JSON_DEPTH:
        raise TooDeep
    return json.loads(text, object_pairs_hook=_once_each)


def depth_of(text: bytes) -> int:
    """How deep brackets stand within brackets. What stands in texts does not count."""
    brackets = _BRACKETS.findall(_STRINGS.sub(b"", text))
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


class RepeatedField(ValueError):
    """A name that stands twice in one object: nobody could say which is meant."""


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RepeatedField
    return found
