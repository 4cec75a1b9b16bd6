"""Series as they came: instants and columns of each point, before they become anybody's table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

VALUE: Final = "value"
"""The one column of samples as they are; buckets have a column for each aggregate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One point: ascending instants (UTC epoch ms) and columns of as many values.

    A value is a float, an int, a bool, a text or None. `error` says why there are no samples.
    """

    point: str
    times_ms: Sequence[int]
    columns: Mapping[str, Sequence[Any]]
    error: str | None = None

    def __len__(self) -> int:
        return len(self.times_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a question brought: series by point, in order of their names, and what the server says of it.

    `cache` is `hit`, `partial`, `miss` or empty, by `Cache-Status`; of several requests, of the last.
    """

    series: Mapping[str, Series]
    meta: Mapping[str, Any] = field(default_factory=dict)
    cache: str = ""

    @property
    def samples(self) -> int:
        """Samples, or buckets, of all points."""
        return sum(len(one) for one in self.series.values())

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
    return Series(
        point=first.point,
        times_ms=[*first.times_ms, *second.times_ms],
        columns={name: [*first.columns[name], *second.columns[name]] for name in first.columns},
    )
