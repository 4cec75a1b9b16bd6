"""Which endpoint a request line names, read from the path as it was sent.

Owns the vendor's paths and the decoding of names in them. A name may hold an encoded `/`, so the path is
split before it is decoded; a web framework's own routing decodes first and cannot distinguish the two. Must
not know what an endpoint answers.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

API_ROOT: Final = "/api/"


class Endpoint(StrEnum):
    """The endpoints by the names that statistics and fault settings use."""

    SITES = "sites"
    SITE = "site"
    SITE_POINTS = "site_points"
    SITE_CONFIGURED_POINTS = "site_configured_points"
    SITE_TIMESERIES = "site_timeseries"
    SITE_TIMESERIES_PAGINATED = "site_timeseries_paginated"
    POINTS = "points"
    POINT = "point"
    POINT_TIMESERIES = "point_timeseries"
    POINTS_GET_TIMESERIES = "points_get_timeseries"
    UNKNOWN = "unknown"


_NAME: Final = "{name}"

# Slashes count: the vendor's lists end in one, nothing else does. A literal part wins over a name.
ROUTES: Final = (
    ("GET", "sites/", Endpoint.SITES),
    ("GET", "sites/{name}", Endpoint.SITE),
    ("GET", "sites/{name}/points", Endpoint.SITE_POINTS),
    ("GET", "sites/{name}/configured_points", Endpoint.SITE_CONFIGURED_POINTS),
    ("GET", "sites/{name}/timeseries", Endpoint.SITE_TIMESERIES),
    ("GET", "sites/{name}/timeseries/paginated", Endpoint.SITE_TIMESERIES_PAGINATED),
    ("GET", "points/", Endpoint.POINTS),
    ("POST", "points/get_timeseries", Endpoint.POINTS_GET_TIMESERIES),
    ("GET", "points/{name}", Endpoint.POINT),
    ("GET", "points/{name}/timeseries", Endpoint.POINT_TIMESERIES),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The endpoint, the decoded name in its path (or nothing), and whether only the method was wrong."""

    endpoint: Endpoint
    name: str = ""
    wrong_method: bool = False


def resolve(method: str, raw_path: str) -> Match:
    """Read a request line's method and undecoded path; a query after the path is ignored."""
    path = raw_path.partition("?")[0]
    if not path.startswith(API_ROOT):
        return Match(endpoint=Endpoint.UNKNOWN)
    parts = path.removeprefix(API_ROOT).split("/")
    path_known = False
    for route_method, pattern, endpoint in ROUTES:
        name = _name_in(parts, pattern.split("/"))
        if name is None:
            continue
        if route_method == method:
            return Match(endpoint=endpoint, name=name)
        path_known = True
    return Match(endpoint=Endpoint.UNKNOWN, wrong_method=path_known)


def _name_in(parts: list[str], pattern: list[str]) -> str | None:
    """The decoded name where the parts fit the pattern ("" when it has none); None where they do not."""
    if len(parts) != len(pattern):
        return None
    name = ""
    for part, wanted in zip(parts, pattern, strict=True):
        if wanted == _NAME and part:
            name = unquote(part)
        elif wanted != part:
            return None
    return name
