"""What was asked of the simulator and what it delivered.

Owns the counts and the form in which `/_stats` shows them. Must not know what a request meant.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from local.upstream.instants import text_of
from local.upstream.interleave import DAY_US

_DATE_LENGTH: Final = len("YYYY-MM-DD")


class Counters:
    """Counts since the start or the last reset."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._by_point_day: Counter[tuple[str, int]] = Counter()
        self._named: Counter[tuple[str, int]] = Counter()

    def called(self, endpoint: str) -> None:
        """A request came, whatever becomes of it."""
        self._calls[endpoint] += 1

    def befell(self, fault: str) -> None:
        """A request met a fault that was asked for."""
        self._faults[fault] += 1

    def delivered(self, by_point_day: Mapping[tuple[str, int], int], *, of_site: bool = False) -> None:
        """Samples went out whole, by (point, days since the epoch, UTC). `of_site`: a site was asked."""
        self._by_point_day.update(by_point_day)
        if not of_site:
            self._named.update(by_point_day)

    def to_wire(self) -> dict[str, Any]:
        """The counts. A key of a day is `<point>|<YYYY-MM-DD>`; points may hold `|`, so split at the last."""
        return {
            "calls": self._calls.total(),
            "samples": self._by_point_day.total(),
            "by_endpoint": dict(sorted(self._calls.items())),
            "by_fault": dict(sorted(self._faults.items())),
            "by_point_day": _by_text(self._by_point_day),
            "named_by_point_day": _by_text(self._named),
        }


def _by_text(counts: Mapping[tuple[str, int], int]) -> dict[str, int]:
    return {
        f"{point}|{text_of(day * DAY_US)[:_DATE_LENGTH]}": count
        for (point, day), count in sorted(counts.items())
    }
