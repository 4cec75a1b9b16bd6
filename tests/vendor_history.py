"""What a vendor said of each day of each point, and when: the judge of answers while it corrects itself.

Time is counted in steps of the test. A day's samples are a version; a correction begins a new one. An answer
is right if, day by day, it equals a version that was in force at some step since the last purge or refresh of
that day began. It uses no code of the Workers.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from local.expected import expected_samples
from local.upstream.truth import Truth

DAY_MS: Final = 86_400_000

Day = tuple[str, str, int]
"""Site, point, day since the epoch (UTC)."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """All samples of a day (`[[epoch ms, value], ...]`) from a step on."""

    from_step: int
    rows: list[list[Any]]


@dataclass
class VendorHistory:
    """Versions by day over a truth that is corrected with `correct` alone."""

    truth: Truth
    step: int = 0
    _versions: dict[Day, list[Version]] = field(default_factory=dict)
    _floors: dict[Day, int] = field(default_factory=dict)

    def correct(self, site: str, point: str, samples: Sequence[tuple[int, str]]) -> None:
        """The vendor says something else from now on: (UTC epoch ms, text), of sealed days."""
        touched = {at_ms // DAY_MS for at_ms, _ in samples}
        for day in touched:
            self.versions(site, point, day)
        self.step += 1
        self.truth.add_late(site, point, [(at_ms * 1_000, text) for at_ms, text in samples])
        for day in touched:
            self._versions[site, point, day].append(
                Version(from_step=self.step, rows=self._rows(site, point, day))
            )

    def forget(self, site: str, points: Iterable[str], start_ms: int, end_ms: int, *, since: int) -> None:
        """Nothing that the vendor said only before step `since` may be told of these days any more."""
        for point in points:
            for day in range(start_ms // DAY_MS, -(-end_ms // DAY_MS)):
                key = (site, point, day)
                self._floors[key] = max(self._floors.get(key, 0), since)

    def floors(self, site: str, point: str, start_ms: int, end_ms: int) -> dict[int, int]:
        """The step of each day's last purge or refresh, as it stands now; to be taken before a request."""
        days = range(start_ms // DAY_MS, -(-end_ms // DAY_MS))
        return {day: self._floors.get((site, point, day), 0) for day in days}

    def versions(self, site: str, point: str, day: int) -> list[Version]:
        """All versions of a day, the first one from the beginning."""
        key = (site, point, day)
        if key not in self._versions:
            self._versions[key] = [Version(from_step=0, rows=self._rows(site, point, day))]
        return self._versions[key]

    def fault_of(
        self,
        site: str,
        point: str,
        start_ms: int,
        end_ms: int,
        *,
        rows: Sequence[Any],
        floors: dict[int, int],
    ) -> str | None:
        """What is wrong with one point's samples of `[start_ms, end_ms)`; None if every day is a version."""
        left = list(rows)
        for day, first_ms, last_ms in _days(start_ms, end_ms):
            told = [row for row in left if first_ms <= row[0] < last_ms]
            left = [row for row in left if not first_ms <= row[0] < last_ms]
            allowed = [
                [row for row in version.rows if first_ms <= row[0] < last_ms]
                for version in self._in_force(site, point, day, floors[day])
            ]
            if json.dumps(told) not in map(json.dumps, allowed):
                return (
                    f"{site} {point} day {day}: {len(told)} samples are no version in force since step "
                    f"{floors[day]} (now {self.step}); versions of {list(map(len, allowed))} samples"
                )
        return f"{len(left)} samples outside the range" if left else None

    def is_current(self, site: str, point: str, start_ms: int, end_ms: int, *, rows: Sequence[Any]) -> bool:
        """Whether the samples are what the vendor says now."""
        return json.dumps(list(rows)) == json.dumps(
            expected_samples(self.truth, site, point, start_ms, end_ms)
        )

    def _in_force(self, site: str, point: str, day: int, since: int) -> Iterator[Version]:
        versions = self.versions(site, point, day)
        ends = [*(one.from_step for one in versions[1:]), None]
        for version, end in zip(versions, ends, strict=True):
            if end is None or end > since:
                yield version

    def _rows(self, site: str, point: str, day: int) -> list[list[Any]]:
        return expected_samples(self.truth, site, point, day * DAY_MS, (day + 1) * DAY_MS)


def _days(start_ms: int, end_ms: int) -> Iterator[tuple[int, int, int]]:
    for day in range(start_ms // DAY_MS, -(-end_ms // DAY_MS)):
        yield day, max(start_ms, day * DAY_MS), min(end_ms, (day + 1) * DAY_MS)
