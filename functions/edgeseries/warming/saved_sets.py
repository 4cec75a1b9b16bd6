"""Sets of points that somebody saved to be fetched ahead: what is sent, checked, and when they are due.

It knows no HTTP and no store.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from edgeseries.errors import Fault, InvalidRequest
from edgeseries.limits import MAX_ID_CHARS
from edgeseries.planning.query import MAX_FAULTS_OF_A_KIND, faults_of_points, faults_of_site
from edgeseries.warming.asks import DAY_HOURS, PointSet, Window
from edgeseries.warming.limits import SAVED_DAYS_MAX, SET_MAX_BYTES, SET_MAX_POINTS
from edgeseries.warming.patterns import WEEKDAYS, Reason, Wish, hours_ahead, weekday_of

FIELDS: Final = ("site", "points", "days", "hours", "weekdays")
"""Of the JSON of a saved set."""

DEFAULT_DAYS: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSet:
    """A saved set. `owner` is the API key's id, empty while access is open. The `days` before a day are
    fetched for each of these `hours` (0 to 23, UTC) of the `weekdays` (0 is Monday); without hours only when
    somebody asks for it.
    """

    owner: str
    name: str
    of: PointSet
    days: int
    hours: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = tuple(range(len(WEEKDAYS)))
    changed_ms: int = 0

    @property
    def window(self) -> Window:
        """The days that it is of."""
        return Window(first_back=self.days, last_back=1)


def scheduled_wishes(sets: Iterable[SavedSet], *, now_ms: int) -> tuple[Wish, ...]:
    """What saved sets are to have fetched for the next hours, by owner and name."""
    wishes = []
    for one in sorted(sets, key=lambda each: (each.owner, each.name)):
        days = {
            day
            for hour in hours_ahead(now_ms)
            if hour % DAY_HOURS in one.hours and weekday_of(hour // DAY_HOURS) in one.weekdays
            for day in one.window.past_days(hour // DAY_HOURS, now_ms=now_ms)
        }
        if days:
            wishes.append(
                Wish(
                    digest=one.of.digest,
                    site=one.of.site,
                    point_count=len(one.of.points),
                    days=tuple(sorted(days)),
                    weight=0,
                    reason=Reason.SCHEDULE,
                    owner=one.owner,
                    name=one.name,
                )
            )
    return tuple(wishes)


def saved_set_of(body: object, *, owner: str, name: str, now_ms: int) -> SavedSet:
    """A saved set of the JSON of `PUT /api/warm/{name}`. Raises InvalidRequest with every fault."""
    if not isinstance(body, Mapping):
        detail = (
            'must be a JSON object, for instance {"site": "hq", "points": ["a"], "days": 7, "hours": [7]}'
        )
        raise InvalidRequest((Fault(parameter="body", detail=detail),))
    found = faults_of_fields(body, FIELDS)
    if not name.strip() or not name.isprintable():
        detail = f"the name of a set is 1 to {MAX_ID_CHARS} printable characters"
        found.append(Fault(parameter="set", detail=detail))
    of = point_set_of(body, found)
    days = days_of(body, found)
    hours = _hours_of(body.get("hours", []), found)
    weekdays = _weekdays_of(body.get("weekdays", list(WEEKDAYS)), found)
    if "weekdays" in body and not hours and not found:
        detail = "days of the week go with hours: send hours too, for instance [7]"
        found.append(Fault(parameter="weekdays", detail=detail))
    if found or of is None:
        raise InvalidRequest(tuple(found))
    return SavedSet(
        owner=owner, name=name, of=of, days=days, hours=hours, weekdays=weekdays, changed_ms=now_ms
    )


def faults_of_fields(body: Mapping[Any, Any], known: Iterable[str]) -> list[Fault]:
    """Fields that nobody knows, the first few."""
    names = tuple(known)
    detail = f"there is no such field; known are {', '.join(names)}"
    unknown = [str(name)[:MAX_ID_CHARS] for name in body if name not in names]
    return [Fault(parameter=name, detail=detail) for name in unknown[:MAX_FAULTS_OF_A_KIND]]


def point_set_of(body: Mapping[Any, Any], found: list[Fault]) -> PointSet | None:
    """Site and points of a body; None where they are at fault. Faults go to `found`."""
    site, listed = body.get("site"), body.get("points")
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    faults = faults_of_site(site if isinstance(site, str) else None)
    if not isinstance(listed, list) or len(names) < len(listed):
        faults.append(Fault(parameter="points", detail="an array of names (strings) is expected"))
    else:
        faults += faults_of_points(names)
    if faults:
        found += faults
        return None
    of = PointSet(site=str(site), points=tuple(sorted(set(names))))
    if not of.countable:
        most = f"{SET_MAX_POINTS} points and {SET_MAX_BYTES} bytes of names"
        detail = f"a set holds at most {most}; save it in parts"
        found.append(Fault(parameter="points", detail=detail))
        return None
    return of


def days_of(body: Mapping[Any, Any], found: list[Fault]) -> int:
    """How many days before today are meant."""
    days = body.get("days", DEFAULT_DAYS)
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= SAVED_DAYS_MAX:
        detail = f"must be a whole number from 1 to {SAVED_DAYS_MAX}: so many days before today"
        found.append(Fault(parameter="days", detail=detail))
        return DEFAULT_DAYS
    return days


def _hours_of(given: object, found: list[Fault]) -> tuple[int, ...]:
    fits = isinstance(given, list) and all(
        isinstance(one, int) and not isinstance(one, bool) and 0 <= one < DAY_HOURS for one in given
    )
    if not isinstance(given, list) or not fits:
        detail = f"must be a list of hours from 0 to {DAY_HOURS - 1}, in UTC, or left out"
        found.append(Fault(parameter="hours", detail=detail))
        return ()
    return tuple(sorted(set(given)))


def _weekdays_of(given: object, found: list[Fault]) -> tuple[int, ...]:
    if not isinstance(given, list) or not given or any(one not in WEEKDAYS for one in given):
        detail = f"must be a list of one or more of {', '.join(WEEKDAYS)}, or left out"
        found.append(Fault(parameter="weekdays", detail=detail))
        return ()
    return tuple(place for place, word in enumerate(WEEKDAYS) if word in given)
