"""Days of points as they are claimed: by point, ascending. Values only.

Points that lack the same days share one tuple, and do so in every result: there may be 10,000 of them.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

Days = Mapping[str, tuple[int, ...]]
"""Days since 1970 by point, ascending; who has none is left out."""

NO_DAYS: Final[Days] = MappingProxyType({})


def without(wanted: Days, held: Iterable[Days]) -> Days:
    """What of `wanted` none of `held` has."""
    return _filtered(wanted, held, common=False)


def common(wanted: Days, held: Iterable[Days]) -> Days:
    """What of `wanted` one of `held` has at least."""
    return _filtered(wanted, held, common=True)


def union(*some: Days) -> Days:
    """All of their days."""
    held = [one for one in some if one]
    if len(held) <= 1:
        return held[0] if held else NO_DAYS
    found: dict[str, set[int]] = {}
    for one in held:
        for point, days in one.items():
            found.setdefault(point, set()).update(days)
    return {point: tuple(sorted(days)) for point, days in found.items()}


def overlap(wanted: Days, held: Days) -> bool:
    """Whether they have a day of a point in common."""
    if len(held) < len(wanted):
        wanted, held = held, wanted
    known: dict[tuple[int, int], bool] = {}
    for point, days in wanted.items():
        others = held.get(point)
        if others is None:
            continue
        key = id(days), id(others)
        if key not in known:
            known[key] = not set(others).isdisjoint(days)
        if known[key]:
            return True
    return False


def _filtered(wanted: Days, held: Iterable[Days], *, common: bool) -> Days:
    every = tuple(held)
    known: dict[tuple[int, ...], tuple[int, ...]] = {}
    found: dict[str, tuple[int, ...]] = {}
    for point, days in wanted.items():
        others = [one for each in every if (one := each.get(point)) is not None]
        key = id(days), *map(id, others)
        if key not in known:
            taken = set().union(*others)
            known[key] = tuple(day for day in days if (day in taken) is common)
        if known[key]:
            found[point] = known[key]
    return found
