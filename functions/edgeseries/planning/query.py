"""What a caller asks of `/api/timeseries`, checked and in normal form.

It owns the names and the meaning of the parameters. Two requests that mean the same give
equal `TimeseriesQuery` values. Every fault of a request is found before any is reported.
It knows no HTTP: names and texts come in, from a URL or from a JSON body.
Every digest that names an answer, a job or a result is made here, of `TimeseriesQuery.canonical()`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from hashlib import sha256
from typing import Final, TypeGuard

from edgeseries.errors import Fault, InvalidRequest
from edgeseries.http.parameters import Choice, Instant, Name, Opaque, Parameter, choice_of, names_of
from edgeseries.limits import (
    DAY_MS,
    EARLIEST_MS,
    LATEST_MS,
    MAX_IGNORED_CHARS,
    MAX_POINTS,
    MAX_RANGE_MS,
)
from edgeseries.planning.routing import Route
from edgeseries.questions.parameters import AGG, MAX_POINTS_CHART, QUESTION, question_of
from edgeseries.questions.question import Question
from edgeseries.series.timerange import TimeRange

SITE: Final = Parameter(
    name="site", kind=Name(), required=True, description="The site, as `GET /api/sites` names it."
)
POINTS: Final = Parameter(
    name="points",
    kind=Name(),
    listed="comma",
    description="Names of points, as `GET /api/sites/{site}/points` lists them, between commas.",
)
POINT: Final = Parameter(
    name="point",
    kind=Name(),
    listed="repeated",
    description="In place of `points`: one name; send it once for each. For names that hold commas.",
)
START_TIME: Final = Parameter(
    name="start_time",
    kind=Instant(),
    required=True,
    description="Where the range begins; this moment is in it.",
)
END_TIME: Final = Parameter(
    name="end_time",
    kind=Instant(),
    required=True,
    description="Where the range ends; this moment is not in it.",
)
ROUTE: Final = Parameter(
    name="route",
    kind=choice_of(Route),
    description="How to answer; left out, the size of the request decides.",
)
FLAGS: Final = {"true": True, "false": False}

PREVIOUS: Final = Parameter(
    name="previous",
    kind=Choice(words=tuple(FLAGS), default="false"),
    description="`true`: each point's last sample before the range comes first, with its own time.",
)
USER_ID: Final = Parameter(
    name="user_id",
    kind=Opaque(max_chars=MAX_IGNORED_CHARS),
    deprecated=True,
    description="Without effect: front ends of the earlier services send it.",
)

TIMESERIES: Final = (SITE, POINTS, POINT, START_TIME, END_TIME, ROUTE, PREVIOUS, *QUESTION)
"""What a request for time series takes."""

ASKED_BY: Final = frozenset(names_of(QUESTION))
"""Without one of these all samples are asked."""

IGNORED_PARAMETERS: Final = names_of((USER_ID,))
"""Accepted so that those who send them need no change."""

MAX_FAULTS_OF_A_KIND: Final = 10
"""A list of 10,000 bad names is reported by its first ten and a count."""

MAX_ECHOED_CHARS: Final = 64
"""How much of a caller's own parameter name goes back into an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeseriesQuery:
    """Normal form: points sorted and unique, range in UTC epoch ms; `forced` is `route=`, if given,
    `question` what is asked of the samples, None for all of them. With `previous` the last sample before
    the range is wanted, too.
    """

    site: str
    points: tuple[str, ...]
    span: TimeRange
    forced: Route | None = None
    question: Question | None = None
    previous: bool = False

    def read(self) -> "TimeseriesQuery":
        """The samples that the answer is made of: their range may begin before the question's own."""
        if self.question is None:
            return self
        start_ms = max(EARLIEST_MS, self.span.start_ms - self.question.looks_back_ms)
        return replace(self, span=TimeRange(start_ms=start_ms, end_ms=self.span.end_ms), question=None)

    def canonical(self) -> tuple[object, ...]:
        """Everything that decides which samples an answer holds, as JSON values in a fixed order.

        The only source of digests (`digest`). A field that is added to this class goes in
        here too; a test sees to it. `forced` stays out: it chooses the route, not the samples.
        """
        asked = () if self.question is None else (self.question.canonical(),)
        before = (PREVIOUS.name,) if self.previous else ()
        return (self.site, list(self.points), self.span.start_ms, self.span.end_ms, *asked, *before)

    def digest(self, *, version: str, context: Sequence[object] = ()) -> str:
        """SHA-256, hexadecimal, of the canonical form (`docs/formats/storage.md`). Equal queries have one
        digest, whatever route they force.

        `version` names what the digest is for. `context` holds what counts beside the query, as JSON values:
        the owner of a job, the format of a result.
        """
        form = [version, *context, *self.canonical()]
        return sha256(json.dumps(form, separators=(",", ":")).encode()).hexdigest()


def query_from_pairs(pairs: Sequence[tuple[str, str]]) -> TimeseriesQuery:
    """The query of URL parameters, in their order. Raises InvalidRequest with every fault."""
    given, names, faults = collected(pairs)
    return _query(given, names or (), faults)


def collected(pairs: Sequence[tuple[str, str]]) -> tuple[dict[str, str], list[str] | None, list[Fault]]:
    """URL parameters by name, the names of points (None if none are given), and what is wrong so far."""
    faults: list[Fault] = []
    given: dict[str, str] = {}
    names: list[str] = []
    for parameter, text in pairs:
        if parameter == "point":
            names.append(text)
        elif parameter in given:
            if len(faults) < MAX_FAULTS_OF_A_KIND:
                faults.append(Fault(parameter=_short(parameter), detail="given more than once; send it once"))
        else:
            given[parameter] = text
    if "points" in given:
        if names:
            faults.append(
                Fault(parameter="points", detail="send either points=a,b or point=a&point=b, not both")
            )
        names = given.pop("points").split(",")
    return given, names or None, faults


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
    given = _texts_of(body, faults)
    if "point" in body:
        faults.append(Fault(parameter="point", detail="is for URLs; send an array of names as points"))
        given.pop("point", None)
    listed = body.get("points")
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    if listed is not None and (not isinstance(listed, list) or len(names) < len(listed)):
        faults.append(Fault(parameter="points", detail="an array of names (strings) is expected"))
    return _query(given, names, faults)


def _texts_of(body: Mapping[str, object], faults: list[Fault]) -> dict[str, str]:
    """The fields of a body that are texts, or become texts; of the others the first few are faults."""
    given: dict[str, str] = {}
    for parameter, value in body.items():
        is_time = parameter in ("start_time", "end_time")
        if isinstance(value, str):
            given[parameter] = value
        elif (is_time or parameter == MAX_POINTS_CHART.name) and _is_whole(value):
            given[parameter] = str(int(value))
        elif parameter == AGG.name and isinstance(value, list) and all(isinstance(one, str) for one in value):
            given[parameter] = ",".join(value)
        elif value is not None and parameter != "points" and len(faults) < MAX_FAULTS_OF_A_KIND:
            wanted = "an ISO-8601 text or whole epoch milliseconds are" if is_time else _wanted(parameter)
            faults.append(Fault(parameter=_short(parameter), detail=f"{wanted} expected"))
    given.pop("points", None)
    return given


def _wanted(parameter: str) -> str:
    if parameter == AGG.name:
        return "a string or an array of strings is"
    return "a whole number is" if parameter == MAX_POINTS_CHART.name else "a string is"


def _is_whole(value: object) -> TypeGuard[float]:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _short(text: str) -> str:
    return text if len(text) <= MAX_ECHOED_CHARS else text[:MAX_ECHOED_CHARS] + "..."


def _query(given: Mapping[str, str], names: Sequence[str], faults: list[Fault]) -> TimeseriesQuery:
    already = {fault.parameter for fault in faults}
    found = [
        *faults,
        *unknown_parameters(given, names_of(TIMESERIES)),
        *(fault for fault in faults_of_site(given.get("site")) if "site" not in already),
        *(fault for fault in faults_of_points(names) if names or not already & {"points", "point"}),
    ]
    span = span_of(given, found, already)
    forced = _route(given.get("route"), found)
    points = tuple(sorted(set(names)))
    asks = not ASKED_BY.isdisjoint(given)
    question = question_of(given, span, len(points), found) if asks else None
    previous = _previous(given.get(PREVIOUS.name), question, found)
    if found or span is None:
        raise InvalidRequest(tuple(found))
    return TimeseriesQuery(
        site=given["site"], points=points, span=span, forced=forced, question=question, previous=previous
    )


def _previous(text: str | None, question: Question | None, found: list[Fault]) -> bool:
    if not text:
        return False
    try:
        previous = FLAGS[PREVIOUS.kind.read(text)]
    except ValueError as fault:
        found.append(Fault(parameter=PREVIOUS.name, detail=str(fault)))
        return False
    if previous and question is not None:
        detail = "goes with samples, not with every= or max_points=; fill=previous fills empty buckets"
        found.append(Fault(parameter=PREVIOUS.name, detail=detail))
    return previous


def unknown_parameters(given: Mapping[str, str], known: Sequence[str]) -> list[Fault]:
    """What there is no parameter for, the first few, each with what may be meant."""
    unknown = [name for name in given if name not in known and name not in IGNORED_PARAMETERS]
    faults = []
    for parameter in unknown[:MAX_FAULTS_OF_A_KIND]:
        close = get_close_matches(_short(parameter), known, n=1)
        meant = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
        faults.append(Fault(parameter=_short(parameter), detail=f"there is no such parameter{meant}"))
    if len(unknown) > MAX_FAULTS_OF_A_KIND:
        faults.append(
            Fault(parameter="...", detail=f"and {len(unknown) - MAX_FAULTS_OF_A_KIND} more unknown ones")
        )
    return faults


def faults_of_site(site: str | None) -> list[Fault]:
    """What is wrong with the name of a site."""
    if not site:
        return [Fault(parameter="site", detail="name the site; GET /api/sites lists them")]
    detail = fault_of_name(site)
    return [Fault(parameter="site", detail=detail)] if detail else []


def faults_of_points(names: Sequence[str]) -> list[Fault]:
    """What is wrong with a list of points, the first few faults and a count."""
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
    bad = [(place, detail) for place, name in enumerate(names, 1) if (detail := fault_of_name(name))]
    faults = [
        Fault(parameter="points", detail=f"name {place}: {detail}")
        for place, detail in bad[:MAX_FAULTS_OF_A_KIND]
    ]
    if len(bad) > MAX_FAULTS_OF_A_KIND:
        faults.append(
            Fault(parameter="points", detail=f"and {len(bad) - MAX_FAULTS_OF_A_KIND} more like these")
        )
    return faults


def fault_of_name(name: str) -> str | None:
    """What is wrong with a name of a site or a point, or None."""
    try:
        SITE.kind.read(name)
    except ValueError as fault:
        return str(fault)
    return None


def span_of(given: Mapping[str, str], found: list[Fault], already: set[str]) -> TimeRange | None:
    """The range, or None where it is at fault; faults go to `found`. Who is in `already` has one."""
    instants: dict[str, int] = {}
    for declared in (START_TIME, END_TIME):
        parameter = declared.name
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
            instants[parameter] = declared.kind.read(text)
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
        return Route(ROUTE.kind.read(text))
    except ValueError as fault:
        found.append(Fault(parameter=ROUTE.name, detail=str(fault)))
        return None
