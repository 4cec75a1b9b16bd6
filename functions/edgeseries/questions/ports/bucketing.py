"""Samples cut into buckets."""

from array import array  # noqa: TC003 - named in quotes: it has no subscript at run time
from dataclasses import dataclass
from typing import Protocol

from edgeseries.questions.open_bucket import OpenBucket
from edgeseries.questions.question import Aggregate, Method
from edgeseries.series.samples import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """What is made of a piece of samples. Instants are UTC epoch ms.

    `edges` are those of the buckets, from the open one (at first: that of `begin_ms`) to beyond the piece's
    last sample or to `end_ms`. Samples before `begin_ms` are not counted, only held. `end_ms` is None while
    more samples may come; then every bucket is closed, and values hold until there. `aggregates` say which
    columns come out; with a `method` chosen samples do, and there are no aggregates. `empty_too`: a bucket
    without samples comes out, too.
    """

    edges: "array[int]"
    begin_ms: int
    end_ms: int | None
    max_gap_ms: int
    aggregates: tuple[Aggregate, ...] = ()
    method: Method | None = None
    empty_too: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """The buckets that a piece closed: a column of each aggregate, all at the same instants, which are the
    buckets' edges; or one of chosen samples. `after` is what the next piece begins with.
    """

    columns: tuple[Samples, ...]
    after: OpenBucket


class Bucketing(Protocol):
    """Cuts a point's samples into buckets, piece by piece."""

    def fold(self, fold: Fold, before: OpenBucket, samples: Samples) -> Folded:
        """Go on with the next piece; its samples follow those before. Definitions:
        `docs/formats/questions.md`.
        """
        ...
