"""What is known of a point's buckets between two pieces of its samples: the bucket that is open, and the
sample that was last. Samples come in pieces, ascending; what a fold leaves is what the next one begins with.
"""

from dataclasses import dataclass, field
from typing import Final

from edgeseries.series.samples import NO_SAMPLES, Samples

NOWHERE: Final = -1
"""The place of a sample that there is none of."""

INFINITY: Final = float("inf")


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts, sums and chosen samples of one bucket so far.

    `count_all` are its samples, `count` those that are not null, `numbers` those that are numbers.
    `piece_sum` is the sum of the hour `piece_hour` (UTC, since 1970) so far, and `sum` that of the bucket's
    hours before. `integral` is number times milliseconds over the `held_ms` that a number held. `increase`
    and `delta` are of `growths` pairs of numbers. The others are places of samples: the first and last that
    is not null, the first of the least and of the greatest number, the first null.
    """

    count_all: int = 0
    count: int = 0
    numbers: int = 0
    least: float = INFINITY
    greatest: float = -INFINITY
    sum: float = 0.0
    piece_sum: float = 0.0
    piece_hour: int = 0
    integral: float = 0.0
    held_ms: int = 0
    growths: int = 0
    increase: float = 0.0
    delta: float = 0.0
    first: int = NOWHERE
    last: int = NOWHERE
    at_least: int = NOWHERE
    at_greatest: int = NOWHERE
    first_null: int = NOWHERE

    def places(self) -> set[int]:
        """The places of chosen samples."""
        found = {self.first, self.last, self.at_least, self.at_greatest, self.first_null}
        return found - {NOWHERE}

    def moved(self, places: dict[int, int]) -> "Tally":
        """The same with places as they are among other samples."""
        one = Tally(**{name: getattr(self, name) for name in self.__slots__})
        one.first, one.last = places[self.first], places[self.last]
        one.at_least, one.at_greatest = places[self.at_least], places[self.at_greatest]
        one.first_null = places[self.first_null]
        return one


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBucket:
    """The bucket that may get more samples, and what those need to know.

    `start_ms` is its edge (UTC epoch), None while no bucket is open. `carried` are the samples that places
    point at, ascending; `latest` is the place of the last sample of all, whose value holds. `previous_ms` and
    `previous` are instant and number of the last number of all, None before there is one. `closed` counts the
    buckets with samples that were closed, `samples` those of the whole range so far.
    """

    start_ms: int | None = None
    tally: Tally = field(default_factory=Tally)
    latest: int = NOWHERE
    previous_ms: int = 0
    previous: float | None = None
    closed: int = 0
    samples: int = 0
    carried: Samples = NO_SAMPLES
