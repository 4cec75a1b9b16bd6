"""Bounds: the numbers that the system is to hold, by key. `docs/benchmarks.md` lists the same keys.

They come from the design's table of numbers, and from the figures claimed for the earlier
JavaScript services. Must not know how anything is measured.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from operator import ge, gt, le, lt
from typing import Final


class Sense(StrEnum):
    """On which side of the limit a figure holds."""

    AT_MOST = "at most"
    BELOW = "below"
    AT_LEAST = "at least"
    ABOVE = "above"


COMPARED: Final[dict[Sense, Callable[[float, float], bool]]] = {
    Sense.AT_MOST: le,
    Sense.BELOW: lt,
    Sense.AT_LEAST: ge,
    Sense.ABOVE: gt,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One number to hold. `unit` is also that of the figures held against it."""

    key: str
    what: str
    sense: Sense
    limit: float
    unit: str

    def holds(self, measured: float) -> bool:
        """Whether a figure is on the right side."""
        return COMPARED[self.sense](measured, self.limit)

    def __str__(self) -> str:
        return f"{self.sense} {self.limit:g} {self.unit}"


BOUNDS: Final = (
    Bound(
        key="hit-ratio",
        what="answer hit, p50, in bare JavaScript Workers that stream the same R2 object",
        sense=Sense.AT_MOST,
        limit=2,
        unit="x",
    ),
    Bound(
        key="hit-untouched",
        what="answer hit: what a large body costs over a small one, in what that costs the bare Worker",
        sense=Sense.AT_MOST,
        limit=2,
        unit="x",
    ),
    Bound(
        key="earlier-hit",
        what="answer hit, p50, against the 50 to 150 ms claimed for the earlier services",
        sense=Sense.BELOW,
        limit=50,
        unit="ms",
    ),
    Bound(
        key="below-parquet",
        what="stored bytes, in bytes of the whole set as one tuned Parquet file",
        sense=Sense.BELOW,
        limit=1,
        unit="x",
    ),
    Bound(
        key="single-days",
        what="segments decoded to read one day of a block, most of any block",
        sense=Sense.AT_MOST,
        limit=1,
        unit="segments",
    ),
    Bound(
        key="less-than-upstream",
        what="stored bytes less than the upstream's JSON, building sets",
        sense=Sense.AT_LEAST,
        limit=98,
        unit="%",
    ),
    Bound(
        key="earlier-size",
        what="size reduction, against the 60 to 80 % claimed for the earlier services",
        sense=Sense.ABOVE,
        limit=80,
        unit="%",
    ),
    Bound(
        key="sliding-dashboard",
        what="samples that upstream delivers to a dashboard refreshed each minute, in samples that are new",
        sense=Sense.AT_MOST,
        limit=1.2,
        unit="x",
    ),
    Bound(
        key="sliding-over-midnight",
        what="the same, of 6 hours, in the hour in which a day is sealed",
        sense=Sense.AT_MOST,
        limit=2.2,
        unit="x",
    ),
    Bound(
        key="sliding-all-day",
        what="the same, watched for 24 hours: every sample is read once more when it has settled",
        sense=Sense.AT_MOST,
        limit=2.2,
        unit="x",
    ),
    Bound(
        key="shared-fetch",
        what="100 cold requests at once, identical or overlapping: times that a day is fetched, at most",
        sense=Sense.AT_MOST,
        limit=1,
        unit="times",
    ),
    Bound(
        key="block-ratio",
        what="a day of three points from blocks, p50, in bare JavaScript Workers that stream an object",
        sense=Sense.AT_MOST,
        limit=3,
        unit="x",
    ),
    Bound(
        key="encode-speed",
        what="blocks written in workerd, the proof that they read back included: million samples a second",
        sense=Sense.AT_LEAST,
        limit=2,
        unit="M/s",
    ),
    Bound(
        key="decode-speed",
        what="blocks read in workerd: million samples a second",
        sense=Sense.AT_LEAST,
        limit=20,
        unit="M/s",
    ),
    Bound(
        key="job-ratio",
        what="a job, one consumer, in bare JavaScript Workers that download and parse the same pages",
        sense=Sense.AT_MOST,
        limit=2,
        unit="x",
    ),
    Bound(
        key="job-speed",
        what="a job, one consumer, on a quiet machine of two cores",
        sense=Sense.AT_LEAST,
        limit=200_000,
        unit="samples/s",
    ),
    Bound(
        key="result-ratio",
        what="a job's result as CSV and JSON, in the time of a raw object of that size",
        sense=Sense.AT_MOST,
        limit=6,
        unit="x",
    ),
    Bound(
        key="result-cpu",
        what="CPU time of a sample of a result, all of the runtime",
        sense=Sense.AT_MOST,
        limit=0.2,
        unit="us",
    ),
    Bound(
        key="inline-memory",
        what="an answer of 2,000,000 stored samples at once: what the runtime's resident memory grows by",
        sense=Sense.BELOW,
        limit=96,
        unit="MB",
    ),
    Bound(
        key="job-memory",
        what="large job (LARGE=1: 10 M samples): memory of the consumer's interpreter",
        sense=Sense.BELOW,
        limit=128,
        unit="MB",
    ),
    Bound(
        key="job-killed",
        what="large job (LARGE=1: 10 M), killed at any moment: samples that differ afterwards",
        sense=Sense.AT_MOST,
        limit=0,
        unit="samples",
    ),
)

BY_KEY: Final = {bound.key: bound for bound in BOUNDS}

assert len(BY_KEY) == len(BOUNDS)
