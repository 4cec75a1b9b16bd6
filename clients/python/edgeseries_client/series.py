"""Series as they came: instants and values of each point, before they become anybody's table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One point, or one aggregate of it: ascending instants (UTC epoch ms) and as many values.

    A value is a float, an int, a bool, a text or None; of an array of NumPy, NaN is None. `error` says why
    there are no samples.
    """

    point: str
    times_ms: Sequence[int]
    values: Sequence[Any]
    aggregate: str | None = None
    error: str | None = None

    def __len__(self) -> int:
        return len(self.times_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a question brought: series by name, in order, and what the server says of them.

    A series is called by its point, and `point:aggregate` where several aggregates were asked for. `cache` is
    `hit`, `partial`, `miss` or empty, by `Cache-Status`; of several requests, of the last.
    """

    series: Mapping[str, Series]
    meta: Mapping[str, Any] = field(default_factory=dict)
    cache: str = ""

    @property
    def samples(self) -> int:
        """Samples, or buckets, of all series."""
        return sum(len(one) for one in self.series.values())

    @property
    def aggregates(self) -> bool:
        """Whether there are series of several aggregates."""
        return any(one.aggregate is not None for one in self.series.values())

    @property
    def errors(self) -> dict[str, str]:
        """Why points have no samples, by name."""
        return {name: one.error for name, one in self.series.items() if one.error is not None}


def joined(results: Sequence[Result]) -> Result:
    """Results of parts of one question as one. A point's parts follow each other in time."""
    series: dict[str, Series] = {}
    for result in results:
        for name, one in result.series.items():
            known = series.get(name)
            series[name] = one if known is None or not len(known) else _followed_by(known, one)
    last = results[-1]
    return Result(series=dict(sorted(series.items())), meta=last.meta, cache=last.cache)


def _followed_by(first: Series, second: Series) -> Series:
    if not len(second):
        return first
    times_ms, values = [*first.times_ms, *second.times_ms], [*first.values, *second.values]
    return replace(first, times_ms=times_ms, values=values)
