"""Points whose values are texts whatever they look like: serial numbers, versions, codes with zeros in front.

The upstream says so by the kind of a point, or its record in the settings by patterns of names.
"""

import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from edgeseries.errors import OriginContract
from edgeseries.series.points import Point
from edgeseries.series.values import Value

TEXT_KINDS: Final = frozenset({"text", "string", "str"})
"""Kinds, lower case, that say so."""

SEPARATOR: Final = "|"
"""Between patterns: a name may hold commas."""


def patterns_of(text: str) -> tuple[str, ...]:
    """The patterns of a setting: names, `*` for anything."""
    return tuple(one.strip() for one in text.split(SEPARATOR) if one.strip())


def is_text(point: Point, patterns: Sequence[str]) -> bool:
    """Whether a point's values are texts."""
    declared = (point.kind or "").strip().lower() in TEXT_KINDS
    return declared or any(fnmatchcase(point.name, pattern) for pattern in patterns)


def texts_of(raws: Sequence[object]) -> list[Value]:
    """Values of such a point: texts as they were sent, blanks and zeros included; other JSON as it is
    written. Raises OriginContract for what is no value.
    """
    found: list[Value] = []
    for raw in raws:
        if raw is None or isinstance(raw, str):
            found.append(raw)
        elif isinstance(raw, bool | int | float):
            found.append(json.dumps(raw))
        else:
            raise OriginContract("the upstream sent a value that is no number, text, boolean or null")
    return found
