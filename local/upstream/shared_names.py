"""A vendor whose sites have points of the same name: lists and pages name them barely, and a call by name
means the first site that has it.

Owns the change from the simulator's unique names (`<site>/<name>`) to bare ones and back.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from local.upstream.answers import Ask
from local.upstream.catalogue import PointInfo
from local.upstream.paths import Endpoint
from local.upstream.reply import Reply
from local.upstream.wire import SAMPLES_FIELD, json_bytes


def unique(ask: Ask, points: Sequence[PointInfo]) -> Ask:
    """The request with the names that the simulator knows."""
    by_bare: dict[Any, str] = {}
    for point in points:
        by_bare.setdefault(_bare(point), point.name)
    match = ask.match
    if match.endpoint in (Endpoint.POINT, Endpoint.POINT_TIMESERIES):
        return replace(ask, match=replace(match, name=by_bare.get(match.name, match.name)))
    if match.endpoint is Endpoint.POINTS_GET_TIMESERIES:
        try:
            body = json.loads(ask.body)
            named = [_renamed(one, by_bare) for one in body["points"]]
        except (ValueError, TypeError, KeyError):
            return ask
        return replace(ask, body=json_bytes({**body, "points": named}))
    return ask


def bare(reply: Reply, points: Sequence[PointInfo]) -> Reply:
    """The answer with bare names."""
    if reply.status is not HTTPStatus.OK:
        return reply
    names = {point.name: _bare(point) for point in points}
    document = json.loads(reply.body)
    for field in (SAMPLES_FIELD, "items"):
        for one in document.get(field, ()):
            if one.get("name") in names:
                one["name"] = names[one["name"]]
    return replace(reply, body=json_bytes(document))


def _bare(point: PointInfo) -> str:
    return point.name.removeprefix(f"{point.site}/")


def _renamed(one: Any, by_bare: dict[Any, str]) -> Any:
    if isinstance(one, dict):
        return {**one, "name": by_bare.get(one["name"], one["name"])}
    return by_bare.get(one, one)
