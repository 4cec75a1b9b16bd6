"""Many instants as ISO-8601 texts, fast: points of a building share their times of day."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from edgeseries.limits import DAY_MS
from edgeseries.series.timerange import EPOCH, ONE_MS, iso_millisecond

CACHED_TEXTS: Final = 20_000
"""Times of day that are remembered: every second minute of ten-second data, about 2 MB."""


class InstantTexts:
    """Texts as `iso_millisecond` makes them; remembers the last day and the times of day it has seen."""

    def __init__(self) -> None:
        self._day = -1
        self._date = ""
        self._of_day: dict[int, str] = {}

    def of(self, times_ms: Iterable[int]) -> Iterator[str]:
        """One text an instant (UTC epoch ms)."""
        of_day = self._of_day
        for at_ms in times_ms:
            day, rest = divmod(at_ms, DAY_MS)
            if day != self._day:
                self._day = day
                self._date = (EPOCH + timedelta(days=day)).strftime("%Y-%m-%d")
            text = of_day.get(rest)
            if text is None:
                if len(of_day) >= CACHED_TEXTS:
                    of_day.clear()
                text = of_day[rest] = iso_millisecond(rest)[len("1970-01-01") :]
            yield self._date + text


assert EPOCH + timedelta(days=1) == EPOCH + DAY_MS * ONE_MS
