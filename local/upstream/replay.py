"""Old telemetry made to happen now: a site's samples moved by whole days, so that they go past the clock.

Owns how far a series is moved. Must not know of files, HTTP or who hides what has not happened yet.
"""

from array import array
from dataclasses import dataclass

from local.upstream.instants import MICROSECONDS_PER_MILLISECOND
from local.upstream.interleave import DAY_US
from local.upstream.series import INSTANT_CODE, Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Sites whose telemetry is replayed, and the moment (UTC epoch ms) that it is made to reach past.

    Two that are made with the same values move samples alike, in whatever process.
    """

    sites: frozenset[str]
    at_ms: int

    def moved(self, series: Series) -> Series:
        """The series, its last sample less than a day past the moment; times of day stay as they are."""
        if not series.times_us:
            return series
        at_us = self.at_ms * MICROSECONDS_PER_MILLISECOND
        moved_us = -((series.times_us[-1] - at_us) // DAY_US) * DAY_US
        return Series(
            times_us=array(INSTANT_CODE, [instant + moved_us for instant in series.times_us]),
            texts=series.texts,
        )
