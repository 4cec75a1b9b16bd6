"""Moods: answers that a vendor should never give, made from those that it would have given.

Owns what each mood does to an answer. Must not know which requests a mood befalls (`faults.py`) nor sockets.
"""

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from local.upstream.answers import NO_DATA
from local.upstream.catalogue import PointInfo
from local.upstream.knobs import Mood
from local.upstream.reply import Reply
from local.upstream.wire import SAMPLES_FIELD, json_bytes

BRACKETS: Final = 20_000
DIGITS: Final = 400
FAR: Final = timedelta(days=4_000)
"""How far outside the range rows come: farther than the longest range, or some would be inside."""

UNASKED: Final = "a point that nobody asked for"
"""The name of it where the data has no other site."""

Rows = list[dict[str, Any]]
HTML: Final = b"<html><head><title>404 Not Found</title></head><body><h1>404 No data</h1></body></html>\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A 404 in place of an answer."""

    body: bytes
    content_type: str = "application/json"


DENIALS: Final[Mapping[Mood, Denial]] = {
    Mood.GATEWAY_PAGE: Denial(body=HTML, content_type="text/html"),
    Mood.GATEWAY_JSON: Denial(body=json_bytes({"message": "Not Found"})),
    Mood.NO_ROUTE: Denial(body=json_bytes({"message": "The requested URL was not found on the server."})),
    Mood.NO_DATA: Denial(body=json_bytes({"message": NO_DATA})),
}


def in_mood(mood: Mood, reply: Reply, points: Sequence[PointInfo]) -> Reply:
    """The answer as it is given in a mood. `points` are all that the vendor has."""
    if mood in DENIALS:
        return Reply(status=HTTPStatus.NOT_FOUND, body=DENIALS[mood].body)
    if mood is Mood.BRACKETS:
        return Reply(status=HTTPStatus.OK, body=b"[" * BRACKETS)
    document = json.loads(reply.body) if reply.status is HTTPStatus.OK else {}
    if SAMPLES_FIELD not in document:
        return reply
    if mood is Mood.MORE:
        return replace(reply, body=json_bytes({**document, "next_cursor": "onward", "has_more": True}))
    changed = _CHANGES[mood](document[SAMPLES_FIELD], points)
    return replace(reply, body=json_bytes({**document, SAMPLES_FIELD: changed}))


def content_type_of(mood: Mood | None) -> str:
    """The media type that goes with it."""
    denial = None if mood is None else DENIALS.get(mood)
    return "application/json" if denial is None else denial.content_type


def _no_rows(_rows: Rows, _: Sequence[PointInfo]) -> Rows:
    return []


def _unasked(rows: Rows, points: Sequence[PointInfo]) -> Rows:
    """Each row once more, of a point of another site."""
    named = {row.get("name") for row in rows}
    sites = {point.site for point in points if point.name in named}
    stranger = next((point.name for point in points if point.site not in sites), UNASKED)
    return [one for row in rows for one in (row, {**row, "name": stranger})]


def _outside(rows: Rows, _: Sequence[PointInfo]) -> Rows:
    """Each row three times: as it is, and long before and after with another value."""

    def moved(row: dict[str, Any], by: timedelta) -> dict[str, Any]:
        moment = datetime.fromisoformat(row["time"]) + by
        return {**row, "time": moment.isoformat().replace("+00:00", "Z"), "value": "666"}

    return [one for row in rows for one in (moved(row, -FAR), row, moved(row, FAR))]


def _other_form(rows: Rows, _: Sequence[PointInfo]) -> Rows:
    """Names that can be written in another form of Unicode, in that form."""

    def other(name: str) -> str:
        forms = (unicodedata.normalize(form, name) for form in ("NFC", "NFD", "NFKC", "NFKD"))
        return next((form for form in forms if form != name), name)

    return [{**row, "name": other(row["name"])} for row in rows]


def _long_integers(rows: Rows, _: Sequence[PointInfo]) -> Rows:
    """Every value an integer of DIGITS digits, as a number and as a text in turn."""
    number = 10**DIGITS - 1
    return [{**row, "value": number if place % 2 else str(number)} for place, row in enumerate(rows)]


_CHANGES: Final[Mapping[Mood, Callable[[Rows, Sequence[PointInfo]], Rows]]] = {
    Mood.NO_ROWS: _no_rows,
    Mood.UNASKED_ROWS: _unasked,
    Mood.OUTSIDE_ROWS: _outside,
    Mood.OTHER_FORM: _other_form,
    Mood.LONG_INTEGERS: _long_integers,
}
