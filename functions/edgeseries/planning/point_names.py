"""Names of points against the names that a site has: those that hold commas, those that are misspelt.

It knows no HTTP and no upstream.
"""

from collections.abc import Collection, Sequence
from difflib import SequenceMatcher
from typing import Final

MAX_JOINED: Final = 8
"""Pieces between commas that one name may be made of."""

MOST_NEAREST: Final = 3
"""Names that an error suggests."""

_CANDIDATES: Final = 30
"""Names that are compared letter by letter, of those that share the most runs of three."""

_ALIKE: Final = 0.6
"""From this ratio on (0 to 1) two names are near, as in `difflib.get_close_matches`."""


def rejoined(pieces: Sequence[str], listed: Collection[str]) -> list[str]:
    """Names from a text that was cut at its commas. Pieces that are names stay; neighbours that are a name
    only together, comma included, become that name.
    """
    found: list[str] = []
    at = 0
    while at < len(pieces):
        count = 1
        for many in range(min(MAX_JOINED, len(pieces) - at), 1, -1):
            some = pieces[at : at + many]
            if ",".join(some) in listed and not all(one in listed for one in some):
                count = many
                break
        found.append(",".join(pieces[at : at + count]))
        at += count
    return found


def nearest(name: str, listed: Collection[str]) -> tuple[str, ...]:
    """Names that one may have been meant for, the nearest first; none where none is near."""
    wanted = _runs(name)
    shared = sorted(
        ((len(wanted & _runs(one)), one) for one in listed), key=lambda pair: (-pair[0], pair[1])
    )[:_CANDIDATES]
    plain = name.casefold()
    ratios = [(SequenceMatcher(None, plain, one.casefold()).ratio(), one) for count, one in shared if count]
    near = sorted((ratio, one) for ratio, one in ratios if ratio >= _ALIKE)
    return tuple(one for _, one in sorted(near, key=lambda pair: (-pair[0], pair[1]))[:MOST_NEAREST])


def matches(name: str, words: Sequence[str]) -> bool:
    """Whether a name holds every one of some words, whatever their case."""
    plain = name.casefold()
    return all(word in plain for word in words)


def _runs(name: str) -> frozenset[str]:
    """Every run of three letters, the ends marked."""
    plain = f"  {name.casefold()} "
    return frozenset(plain[at : at + 3] for at in range(len(plain) - 2))
