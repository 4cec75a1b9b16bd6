"""What is counted of a question, so that it can be seen to come again: which points, which days before today.

Questions are counted by the hour in which they are asked (hours since 1970, UTC) and by the days that they
reach back, so a window that slides along is one question. Who asked is not counted.
"""

import json
from dataclasses import dataclass
from hashlib import sha256

from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.series.days import day_of
from edgeseries.series.timerange import TimeRange
from edgeseries.warming.limits import BACK_MAX_DAYS, SET_MAX_BYTES, SET_MAX_POINTS, WINDOW_MAX_DAYS

DAY_HOURS = DAY_MS // HOUR_MS

DIGEST_CHARS = 32
"""Of the digest of a set of points: 128 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointSet:
    """Points of a site that are asked together, sorted, each once."""

    site: str
    points: tuple[str, ...]

    @property
    def points_json(self) -> str:
        """Their names as a JSON array."""
        return json.dumps(self.points, ensure_ascii=False, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """What names the set: hexadecimal, of its site and its points."""
        return sha256(json.dumps([self.site, self.points]).encode()).hexdigest()[:DIGEST_CHARS]

    @property
    def countable(self) -> bool:
        """Whether it is small enough to be counted and saved."""
        return len(self.points) <= SET_MAX_POINTS and len(self.points_json.encode()) <= SET_MAX_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Days of a question before the day on which it is asked, the newest of them: from `first_back` to
    `last_back` days ago, both held, 1 is yesterday. Today is never in it: it is not sealed, so that it cannot
    be fetched ahead.
    """

    first_back: int
    last_back: int

    def __post_init__(self) -> None:
        assert 1 <= self.last_back <= self.first_back

    def days(self, day: int) -> range:
        """The days that are meant when it is asked on a day (days since 1970)."""
        return range(day - self.first_back, day - self.last_back + 1)

    def past_days(self, day: int, *, now_ms: int) -> range:
        """Those of them that are over at a moment (UTC epoch)."""
        days = self.days(day)
        return range(days.start, max(days.start, min(days.stop, day_of(now_ms))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question as it is counted. `point_days` are the sealed days of its points, `missing_point_days`
    those of them that were not stored, `origin_ms` how long it waited for the upstream.
    """

    of: PointSet
    window: Window
    point_days: int
    missing_point_days: int
    origin_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Sums over the same questions of one hour (hours since 1970). `origin_ms` is the longest, `asked_ms`
    (UTC epoch) the last.
    """

    digest: str
    hour: int
    window: Window
    asks: int
    point_days: int
    missing_point_days: int
    origin_ms: int
    asked_ms: int

    def __add__(self, other: "Asked") -> "Asked":
        """Both together, of one question and hour."""
        assert (self.digest, self.hour, self.window) == (other.digest, other.hour, other.window)
        return Asked(
            digest=self.digest,
            hour=self.hour,
            window=self.window,
            asks=self.asks + other.asks,
            point_days=self.point_days + other.point_days,
            missing_point_days=self.missing_point_days + other.missing_point_days,
            origin_ms=max(self.origin_ms, other.origin_ms),
            asked_ms=max(self.asked_ms, other.asked_ms),
        )


def window_of(span: TimeRange, *, now_ms: int) -> Window | None:
    """The newest days of a range before today; None where there are none, or where it ends too long ago."""
    today = day_of(now_ms)
    first_back, last_back = today - day_of(span.start_ms), max(1, today - day_of(span.end_ms - 1))
    if first_back < 1 or last_back > BACK_MAX_DAYS:
        return None
    return Window(first_back=min(first_back, last_back + WINDOW_MAX_DAYS - 1), last_back=last_back)


def hour_of(epoch_ms: int) -> int:
    """The hour that an instant lies in, since 1970."""
    return epoch_ms // HOUR_MS
