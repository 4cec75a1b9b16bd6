"""Times that callers write relative to now: `now-7d`, `today`, `yesterday`, `today-1w`.

They become instants before anything else happens to a request, so a digest never holds one. `now` is cut to
whole minutes, so that what many dashboards ask within one is one request: down where a range begins, up
where it ends. Days of `today` and `yesterday` are those of a zone.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from edgeseries.http.parameters import RELATIVE_TIME
from edgeseries.limits import DAY_MS, EARLIEST_MS, HOUR_MS, LATEST_MS, MINUTE_MS, SECOND_MS
from edgeseries.series.zones import UTC_ZONE, offsets_of, zone_fault

_TEXT: Final = re.compile(RELATIVE_TIME, re.ASCII)
_TERM: Final = re.compile(r"([-+ ])([0-9]+)([smhdw])", re.ASCII)
_UNITS_MS: Final = {"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}

START, END, ZONE = "start_time", "end_time", "tz"


def with_instants(fields: Mapping[str, Any], *, now_ms: int) -> dict[str, Any]:
    """Fields of a request by name, relative times as epoch milliseconds. What is no such time stays as it
    is.
    """
    zone = fields.get(ZONE)
    known = zone if isinstance(zone, str) and zone_fault(zone) is None else UTC_ZONE
    found = dict(fields)
    for name in (START, END):
        text = fields.get(name)
        instant_ms = None
        if isinstance(text, str):
            instant_ms = instant_of(text, now_ms=now_ms, zone=known, ends=name == END)
        if instant_ms is not None:
            found[name] = str(instant_ms)
    return found


def instant_of(text: str, *, now_ms: int, zone: str, ends: bool) -> int | None:
    """The instant (UTC epoch ms) of a relative time, None for a text that is none. `ends` if it ends a
    range.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    terms = [
        (-int(count) if sign == "-" else int(count), unit) for sign, count, unit in _TERM.findall(match[2])
    ]
    if match[1] == "now":
        whole_ms = now_ms // MINUTE_MS * MINUTE_MS
        instant_ms = whole_ms + MINUTE_MS if ends and whole_ms < now_ms else whole_ms
        instant_ms += sum(count * _UNITS_MS[unit] for count, unit in terms)
    else:
        days = sum(count * _UNITS_MS[unit] // DAY_MS for count, unit in terms if unit in "dw")
        days -= match[1] == "yesterday"
        local_day = offsets_of(zone, now_ms, now_ms).local_ms(now_ms) // DAY_MS
        local_ms = min(max((local_day + days) * DAY_MS, EARLIEST_MS), LATEST_MS)
        instant_ms = offsets_of(zone, local_ms, local_ms).instant_ms(local_ms)
        instant_ms += sum(count * _UNITS_MS[unit] for count, unit in terms if unit not in "dw")
    return instant_ms if EARLIEST_MS <= instant_ms <= LATEST_MS else None
