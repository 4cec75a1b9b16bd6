"""A reply: what leaves for one request, before any fault or mood befalls it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Status and JSON body, and the samples in it by (point, days since the epoch, UTC). `of_site`: they are
    those of a whole site, whoever was meant.
    """

    status: HTTPStatus
    body: bytes
    by_point_day: Mapping[tuple[str, int], int] = field(default_factory=dict)
    page_was_emptied: bool = False
    of_site: bool = False
