"""What is asked of a site: which points, which range, whole or in buckets; and how it is written as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

MAX_POINTS: Final = 10_000
"""Points of one request; longer lists are asked in several."""

When = str | int | float | date | datetime
"""An instant: ISO-8601 with a zone, a day (its midnight in the zone of the question), `now`, `-7d` and what
else the server reads, epoch milliseconds, or a datetime with a zone (a pandas Timestamp is one).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question. `start` and `end` are as they are sent. Without `every` and `max_points` it is about
    samples as they are. `more` are fields of the server that this package does not know.
    """

    site: str
    points: tuple[str, ...]
    start: str | int
    end: str | int
    every: str | None = None
    agg: tuple[str, ...] = ()
    tz: str | None = None
    fill: str | None = None
    max_points: int | None = None
    method: str | None = None
    route: str | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        site: str,
        points: str | Sequence[str],
        start: When,
        end: When,
        *,
        every: str | None = None,
        agg: str | Sequence[str] = (),
        tz: str | None = None,
        **others: Any,
    ) -> Self:
        """A question from what people write: one name or several, instants of any form.

        Raises: ValueError for a time without a zone, and for no points at all.
        """
        named = (points,) if isinstance(points, str) else tuple(points)
        if not named:
            raise ValueError("name at least one point; Site.points() lists them")
        known = {name: others.pop(name, None) for name in ("fill", "max_points", "method", "route")}
        return cls(
            site=site,
            points=named,
            start=instant(start, tz),
            end=instant(end, tz),
            every=every,
            agg=(agg,) if isinstance(agg, str) else tuple(agg),
            tz=tz,
            **known,
            more={name: value for name, value in others.items() if value is not None},
        )

    def body(self) -> dict[str, Any]:
        """The fields of `POST /api/timeseries`; what is not asked for is left out."""
        fields: dict[str, Any] = {
            "site": self.site,
            "points": list(self.points),
            "start_time": self.start,
            "end_time": self.end,
            "every": self.every,
            "agg": ",".join(self.agg) or None,
            "tz": self.tz if self.every is not None else None,
            "fill": self.fill,
            "max_points": self.max_points,
            "method": self.method,
            "route": self.route,
        }
        return {name: value for name, value in (fields | self.more).items() if value is not None}

    def slices(self) -> tuple["Question", ...]:
        """The same question about as many points as one request takes, in order."""
        steps = range(0, len(self.points), MAX_POINTS)
        return tuple(replace(self, points=self.points[at : at + MAX_POINTS]) for at in steps)


def zone_of(name: str | None) -> tzinfo:
    """The zone of a name of the IANA database; UTC without one. Raises ValueError for an unknown one."""
    try:
        return UTC if name in (None, "UTC") else ZoneInfo(str(name))
    except (OSError, ValueError, LookupError) as error:
        raise ValueError(f"there is no time zone {name!r}; write it as Europe/Brussels") from error


def instant(when: When, tz: str | None) -> str | int:
    """An instant as the server takes it. A day is its midnight in `tz` (UTC without one).

    Raises: ValueError for a datetime without a zone: nobody can know which one was meant.
    """
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise ValueError(f"{when!r} has no zone: add tzinfo=UTC, or the zone that it is in")
        return when.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(when, date):
        return instant(datetime(when.year, when.month, when.day, tzinfo=zone_of(tz)), None)
    if isinstance(when, str):
        day = _day(when.strip())
        return when if day is None else instant(day, tz)
    return int(when)


def _day(text: str) -> date | None:
    """A day that is written as one: 2015-03-01."""
    try:
        return date.fromisoformat(text) if len(text) == len("2015-03-01") else None
    except ValueError:
        return None
