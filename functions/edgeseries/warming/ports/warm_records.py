"""What warming remembers. A store that is down raises StoreUnavailable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from edgeseries.series.timerange import TimeRange
from edgeseries.warming.asks import PointSet
from edgeseries.warming.patterns import Pattern
from edgeseries.warming.planning import WarmBudget
from edgeseries.warming.runs import RunResult, WarmRun, WarmSums


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """Points of a site that a job of warming fetches, or was made for lately."""

    of: PointSet
    span: TimeRange


class WarmRecords(Protocol):
    """What the janitor plans with."""

    async def patterns(self, *, hours: Sequence[int], from_hour: int, at_most: int) -> tuple[Pattern, ...]:
        """Questions asked on two days or more since an hour (since 1970), in one of these hours of the day,
        those asked most first.
        """
        ...

    async def sets(self, digests: Sequence[str]) -> Mapping[str, PointSet]:
        """Sets of points by their digests; what is not there is left out."""
        ...

    async def under_way(self, *, since_ms: int) -> tuple[UnderWay, ...]:
        """What jobs of warming fetch that are under way, or were made since."""
        ...

    async def spent(self, *, from_ms: int) -> WarmBudget:
        """What was planned since, or more where more was delivered; without what callers asked for."""
        ...

    async def add(self, runs: Sequence[WarmRun]) -> None:
        """Remember what a job was made for."""
        ...

    async def credit(self, *, from_ms: int) -> int:
        """Note of runs planned since that were asked for; of how many that is new."""
        ...

    async def trim(self, *, from_ms: int, rows: int) -> int:
        """Forget what is from before, and hours of questions beyond so many rows; how much."""
        ...


class WarmFacts(Protocol):
    """What callers are told of warming."""

    async def patterns_of_all(self, *, from_hour: int, at_most: int) -> tuple[Pattern, ...]:
        """As `patterns`, in all hours of the day."""
        ...

    async def sets(self, digests: Sequence[str]) -> Mapping[str, PointSet]:
        """See WarmRecords."""
        ...

    async def last_runs(self, digests: Sequence[str]) -> Mapping[str, RunResult]:
        """The last run of each set that has one, by digest."""
        ...

    async def add(self, runs: Sequence[WarmRun]) -> None:
        """See WarmRecords."""
        ...

    async def spent(self, *, from_ms: int) -> WarmBudget:
        """See WarmRecords."""
        ...

    async def sums(self, *, from_ms: int) -> WarmSums:
        """Counts since a moment (UTC epoch)."""
        ...
