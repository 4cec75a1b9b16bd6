"""What is asked of samples: buckets of a width with some aggregates, or so many samples for a chart.

Definitions, with examples: `docs/formats/questions.md`. It knows no query and no HTTP.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from edgeseries.limits import DAY_MS
from edgeseries.questions.width import Width, width_of


class Aggregate(StrEnum):
    """What is made of the samples of a bucket; also the values of `agg=`."""

    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    SUM = "sum"
    COUNT = "count"
    COUNT_ALL = "count_all"
    FIRST = "first"
    LAST = "last"
    TWA = "twa"
    INCREASE = "increase"
    DELTA = "delta"


COUNTS: Final = frozenset({Aggregate.COUNT, Aggregate.COUNT_ALL})
"""Zero, not unknown, of a bucket without samples."""

OF_ANY_VALUE: Final = COUNTS | {Aggregate.FIRST, Aggregate.LAST}
"""Defined for texts, too; the others want numbers."""

LOOKING_BACK: Final = frozenset({Aggregate.TWA, Aggregate.INCREASE, Aggregate.DELTA})
"""What the sample before a bucket counts for."""


class Fill(StrEnum):
    """What stands for a bucket without samples; also the values of `fill=`."""

    NONE = "none"
    NULL = "null"
    PREVIOUS = "previous"


class Method(StrEnum):
    """How samples are chosen for a chart; also the values of `method=`."""

    MINMAX = "minmax"
    M4 = "m4"
    LTTB = "lttb"


DEFAULT_MAX_GAP_MS: Final = DAY_MS
"""How long a value is taken to hold when no other follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """Aggregates of every bucket of a width in a zone. `aggregates` is not empty and names none twice;
    `max_gap_ms` bounds how long a value holds, and how far apart two samples of a growth may be.
    """

    width: Width
    aggregates: tuple[Aggregate, ...]
    zone: str
    fill: Fill = Fill.NONE
    max_gap_ms: int = DEFAULT_MAX_GAP_MS

    @property
    def looks_back_ms(self) -> int:
        """How far before the range a sample counts."""
        return self.max_gap_ms if LOOKING_BACK & {*self.aggregates} else 0

    @property
    def fills(self) -> bool:
        """Whether a bucket without samples may have values."""
        return self.fill is not Fill.NONE or Aggregate.TWA in self.aggregates

    @property
    def values_a_sample(self) -> int:
        """Values that one sample may bring."""
        return len(self.aggregates)

    def most_values(self, range_ms: int) -> int:
        """Values of a point's answer over a range of this length, at most."""
        return (-(-range_ms // self.width.least_ms) + 1) * len(self.aggregates)

    def canonical(self) -> list[object]:
        """Everything that decides its answer, as JSON values in a fixed order."""
        kinds = [str(one) for one in self.aggregates]
        return ["buckets", str(self.width), kinds, self.zone, str(self.fill), self.looks_back_ms]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinning:
    """At most `max_points` true samples of each point, chosen so that a chart of them looks alike."""

    max_points: int
    method: Method = Method.MINMAX

    @property
    def looks_back_ms(self) -> int:
        """Nothing before the range counts."""
        return 0

    @property
    def fills(self) -> bool:
        """Only samples are in a chart."""
        return False

    @property
    def values_a_sample(self) -> int:
        """Itself."""
        return 1

    def most_values(self, range_ms: int) -> int:  # noqa: ARG002 - as of buckets
        """Values of a point's answer over a range of any length, at most."""
        return self.max_points

    def canonical(self) -> list[object]:
        """Everything that decides its answer, as JSON values in a fixed order."""
        return ["thinning", self.max_points, str(self.method)]


Question = Buckets | Thinning


def question_from(form: Sequence[Any]) -> Question:
    """A question from its canonical form. Raises ValueError for what is none."""
    match form:
        case ["buckets", str(width), [*kinds], str(zone), str(fill), int(gap_ms)]:
            return Buckets(
                width=width_of(width),
                aggregates=tuple(Aggregate(kind) for kind in kinds),
                zone=zone,
                fill=Fill(fill),
                max_gap_ms=gap_ms or DEFAULT_MAX_GAP_MS,
            )
        case ["thinning", int(most), str(method)]:
            return Thinning(max_points=most, method=Method(method))
    raise ValueError(f"{form!r} is no question")
