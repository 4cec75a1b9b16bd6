"""How wide a bucket is: so many seconds, minutes or hours, or a unit of the calendar. It knows no zone."""

import re
from dataclasses import dataclass
from typing import Final

from edgeseries.limits import HOUR_MS, MINUTE_MS, SECOND_MS

CLOCK_UNITS: Final = {"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS}

_COUNTS: Final = {
    "s": (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30),
    "m": (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30),
    "h": (1, 2, 3, 4, 6, 8, 12),
    "d": (1,),
    "w": (1,),
    "M": (1, 2, 3, 4, 6),
    "y": (1,),
}
"""What divides the next larger unit, so that buckets begin alike in every hour, day and year."""

_TEXT: Final = re.compile(r"([1-9][0-9]?)([smhdwMy])", re.ASCII)

EXPECTED: Final = (
    "must be a width such as 15m, 1h, 1d, 1w, 1M or 1y: seconds (s), minutes (m) and hours (h) that divide "
    "the next larger unit; a day (d), a week (w), a year (y); 1, 2, 3, 4 or 6 months (M)"
)

_LEAST_MS: Final = {"d": 22 * HOUR_MS, "w": 6 * 24 * HOUR_MS, "M": 27 * 24 * HOUR_MS, "y": 364 * 24 * HOUR_MS}
"""A unit of the calendar lasts at least so long, whatever its zone does to its clocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Width:
    """`count` of a `unit`: s, m, h by the clock, d, w, M (months), y by the calendar."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def clock_ms(self) -> int | None:
        """Its length in milliseconds; None for units of the calendar, whose length varies."""
        return self.count * CLOCK_UNITS[self.unit] if self.unit in CLOCK_UNITS else None

    @property
    def least_ms(self) -> int:
        """No bucket that is whole and crosses no change of clocks is shorter, in milliseconds."""
        return self.clock_ms or self.count * _LEAST_MS[self.unit]


def width_of(text: str) -> Width:
    """A width from a text. Raises ValueError with the rest of a sentence that says what to do."""
    found = _TEXT.fullmatch(text)
    if found is None or int(found[1]) not in _COUNTS[found[2]]:
        raise ValueError(EXPECTED)
    return Width(count=int(found[1]), unit=found[2])
