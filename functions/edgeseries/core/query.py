"""What a caller asks of `/api/timeseries`, checked and in normal form.

It owns the names and the meaning of the parameters. Two requests that mean the same give
equal `TimeseriesQuery` values. Every fault of a request is found before any is reported.
It knows no HTTP: names and texts come in, from a URL or from a JSON body.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from edgeseries.core.errors import Fault, InvalidRequest
from edgeseries.core.limits import DAY_MS, EARLIEST_MS, LATEST_MS, MAX_NAME_BYTES, MAX_POINTS, MAX_RANGE_MS
from edgeseries.core.routing import Route
from edgeseries.core.timerange import TimeRange, parse_instant

PARAMETERS: Final = ("site", "points", "point", "start_time", "end_time", "route")

IGNORED_PARAMETERS: Final = ("user_id",)
"""Sent by front ends of the earlier services; accepted so that they need no change."""

MAX_FAULTS_OF_A_KIND: Final = 10
"""A list of 10,000 bad names is reported by its first ten and a count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeseriesQuery:
    """Normal form: points sorted and unique, range in UTC epoch ms; `forced` is `route=`, if given."""

    site: str
    points: tuple[str, ...]
    span: TimeRange
    forced: Route | None = None


def query_from_pairs(pairs: Sequence[tuple[str, str]]) -> TimeseriesQuery:
    """The query of URL parameters, in their order. Raises InvalidRequest with every fault."""
    faults: list[Fault] = []
    given: dict[str, str] = {}
    names: list[str] = []
    for parameter, text in pairs:
        if parameter == "point":
            names.append(text)
        elif parameter in given:
            faults.append(Fault(parameter=parameter, detail="given more than once; send it once"))
        else:
            given[parameter] = text
    if "points" in given:
        if names:
            faults.append(
                Fault(parameter="points", detail="send either points=a,b or point=a&point=b, not both")
            )
        names = given.pop("points").split(",")
    return _query(given, names, faults)


def query_from_json(body: object) -> TimeseriesQuery:
    """The query of a JSON body with the same fields, `points` an array of names.

    Times may be ISO texts or epoch milliseconds. Raises InvalidRequest with every fault.
    """
    if not isinstance(body, Mapping):
        raise InvalidRequest(
            (
                Fault(
                    parameter="body",
                    detail="a JSON object with site, points, start_time, end_time is expected",
                ),
            )
        )
    faults: list[Fault] = []
    given: dict[str, str] = {}
    names: list[str] = []
    for parameter, value in body.items():
        if parameter in ("points", "point"):
            listed = value if isinstance(value, list) else [value]
            texts = [name for name in listed if isinstance(name, str)]
            if len(texts) < len(listed):
                faults.append(Fault(parameter=parameter, detail="an array of names (strings) is expected"))
            names += texts
        elif isinstance(value, str):
            given[parameter] = value
        elif (
            parameter in ("start_time", "end_time") and isinstance(value, int) and not isinstance(value, bool)
        ):
            given[parameter] = str(value)
        elif value is not None:
            faults.append(Fault(parameter=str(parameter), detail="a string is expected"))
            given[str(parameter)] = ""
    return _query(given, names, faults)


def _query(given: Mapping[str, str], names: Sequence[str], faults: list[Fault]) -> TimeseriesQuery:
    already = {fault.parameter for fault in faults}
    found = [
        *faults,
        *_unknown_parameters(given),
        *(fault for fault in _faults_of_site(given.get("site")) if "site" not in already),
        *(fault for fault in _faults_of_points(names) if names or not already & {"points", "point"}),
    ]
    span = _span(given, found, already)
    forced = _route(given.get("route"), found)
    if found or span is None:
        raise InvalidRequest(tuple(found))
    return TimeseriesQuery(site=given["site"], points=tuple(sorted(set(names))), span=span, forced=forced)


def checked_name(parameter: str, name: str) -> str:
    """A site or point name from a path. Raises InvalidRequest if it can be none."""
    detail = _fault_of_name(name)
    if detail is not None:
        raise InvalidRequest((Fault(parameter=parameter, detail=detail),))
    return name


def _unknown_parameters(given: Mapping[str, str]) -> list[Fault]:
    faults = []
    for parameter in given:
        if parameter in PARAMETERS or parameter in IGNORED_PARAMETERS:
            continue
        close = get_close_matches(parameter, PARAMETERS, n=1)
        meant = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(PARAMETERS)}"
        faults.append(Fault(parameter=parameter, detail=f"there is no such parameter{meant}"))
    return faults


def _faults_of_site(site: str | None) -> list[Fault]:
    if not site:
        return [Fault(parameter="site", detail="name the site; GET /api/sites lists them")]
    detail = _fault_of_name(site)
    return [Fault(parameter="site", detail=detail)] if detail else []


def _faults_of_points(names: Sequence[str]) -> list[Fault]:
    if not names:
        return [
            Fault(
                parameter="points", detail="name at least one point; GET /api/sites/<site>/points lists them"
            )
        ]
    if len(names) > MAX_POINTS:
        return [
            Fault(parameter="points", detail=f"{len(names)} points; at most {MAX_POINTS} go into one request")
        ]
    bad = [(place, detail) for place, name in enumerate(names, 1) if (detail := _fault_of_name(name))]
    faults = [
        Fault(parameter="points", detail=f"name {place}: {detail}")
        for place, detail in bad[:MAX_FAULTS_OF_A_KIND]
    ]
    if len(bad) > MAX_FAULTS_OF_A_KIND:
        faults.append(
            Fault(parameter="points", detail=f"and {len(bad) - MAX_FAULTS_OF_A_KIND} more like these")
        )
    return faults


def _fault_of_name(name: str) -> str | None:
    if not name:
        return "is empty; is there a comma too many? (a name that holds a comma is sent as point=)"
    if any(ord(character) < ord(" ") or character == "\x7f" for character in name):
        return "holds a control character"
    try:
        size_bytes = len(name.encode())
    except UnicodeEncodeError:
        return "is not valid Unicode"
    return f"is longer than {MAX_NAME_BYTES} bytes" if size_bytes > MAX_NAME_BYTES else None


def _span(given: Mapping[str, str], found: list[Fault], already: set[str]) -> TimeRange | None:
    instants: dict[str, int] = {}
    for parameter in ("start_time", "end_time"):
        if parameter in already:
            continue
        text = given.get(parameter)
        if not text:
            found.append(
                Fault(
                    parameter=parameter, detail="is missing: send ISO-8601 with a zone or epoch milliseconds"
                )
            )
            continue
        try:
            instants[parameter] = parse_instant(text)
        except ValueError as fault:
            found.append(Fault(parameter=parameter, detail=str(fault)))
    if len(instants) < len(("start_time", "end_time")):
        return None
    start_ms, end_ms = instants["start_time"], instants["end_time"]
    assert EARLIEST_MS <= min(start_ms, end_ms) <= LATEST_MS
    if start_ms >= end_ms:
        found.append(
            Fault(
                parameter="end_time",
                detail="must be later than start_time (the range is [start_time, end_time))",
            )
        )
        return None
    if end_ms - start_ms > MAX_RANGE_MS:
        found.append(
            Fault(
                parameter="end_time",
                detail=f"the range is longer than {MAX_RANGE_MS // DAY_MS} days; ask in parts",
            )
        )
        return None
    return TimeRange(start_ms=start_ms, end_ms=end_ms)


def _route(text: str | None, found: list[Fault]) -> Route | None:
    if not text:
        return None
    try:
        return Route(text)
    except ValueError:
        found.append(Fault(parameter="route", detail=f"must be one of {', '.join(Route)}, or left out"))
        return None
