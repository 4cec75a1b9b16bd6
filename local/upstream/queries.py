"""What a client asks for, read from its query string and body, or refused as the vendor refuses it.

Owns the checks of arguments and the shape of the vendor's errors. Must not know of stored data.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

from local.upstream.instants import strict_us
from local.upstream.interleave import Range
from local.upstream.mask import Mask, parse_mask
from local.upstream.pages import (
    PAGE_SIZE_CHOICES,
    PAGE_SIZE_DEFAULT,
    PER_PAGE_CHOICES,
    PER_PAGE_DEFAULT,
    Cursor,
)

_INVALID: Final = "Input payload validation failed"
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


class BatchShape(StrEnum):
    """How POST /points/get_timeseries wants its points; the vendor's papers and its client disagree."""

    OBJECTS = "objects"
    STRINGS = "strings"
    BOTH = "both"
    NONE = "none"


class Refused(Exception):
    """The request is answered with this status and JSON object."""

    def __init__(self, status: HTTPStatus, message: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.payload: dict[str, Any] = {**({"errors": dict(errors)} if errors else {}), "message": message}


class Arguments:
    """Reads arguments one by one, and refuses all bad ones together in `check`."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self._query = query
        self._errors: dict[str, str] = {}

    def check(self) -> None:
        """Refuse with 400 when any argument read so far was bad."""
        if self._errors:
            raise Refused(HTTPStatus.BAD_REQUEST, _INVALID, self._errors)

    def limits(self, *, end_included: bool) -> Range:
        """The required `start_time` and `end_time`."""
        start_us, end_us = self._instant("start_time"), self._instant("end_time")
        return Range(start_us=start_us, end_us=end_us, end_included=end_included)

    def per_page(self) -> int:
        """The length of a numbered page."""
        return self._choice("per_page", PER_PAGE_CHOICES, PER_PAGE_DEFAULT)

    def page_size(self) -> int:
        """The length of a page of samples."""
        return self._choice("page_size", PAGE_SIZE_CHOICES, PAGE_SIZE_DEFAULT)

    def page(self) -> int:
        """The number of a numbered page, from 1."""
        number = self._whole("page", 1)
        if number < 1:
            self._errors["page"] = f"{number} is not a page number"
        return number

    def raw_data(self) -> bool:
        """Whether samples come as stored, not as five-minute buckets."""
        text = self._query.get("raw_data", "false")
        if text.lower() not in _FLAGS:
            self._errors["raw_data"] = f"Invalid literal for boolean(): {text}"
        return _FLAGS.get(text.lower(), False)

    def cursor(self) -> Cursor | None:
        """Where to go on; None for the first page."""
        text = self._query.get("cursor", "")
        if not text:
            return None
        try:
            return Cursor.from_text(text)
        except ValueError as fault:
            self._errors["cursor"] = str(fault)
            return None

    def _instant(self, key: str) -> int:
        text = self._query.get(key)
        if text is None:
            self._errors[key] = "Missing required parameter in the query string"
            return 0
        try:
            return strict_us(text)
        except ValueError as fault:
            self._errors[key] = str(fault)
            return 0

    def _choice(self, key: str, choices: Sequence[int], default: int) -> int:
        number = self._whole(key, default)
        if number not in choices:
            self._errors.setdefault(key, f"The value '{number}' is not a valid choice for '{key}'.")
        return number

    def _whole(self, key: str, default: int) -> int:
        text = self._query.get(key)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit()):
            self._errors[key] = f"invalid literal for int() with base 10: {text!r}"
            return default
        return int(text)


def mask_of(header: str | None) -> Mask | None:
    """The wanted fields; None when the client did not say. Refuses a mask that cannot be read."""
    if not header:
        return None
    try:
        return parse_mask(header)
    except ValueError as fault:
        raise Refused(HTTPStatus.BAD_REQUEST, f"Mask is not valid: {fault}") from fault


def batch_names(body: bytes, shape: BatchShape) -> tuple[str, ...]:
    """The distinct point names of a batch request, in its order. Refuses the shape that is not served."""
    try:
        points = json.loads(body)["points"]
    except (ValueError, TypeError, KeyError) as fault:
        raise Refused(HTTPStatus.BAD_REQUEST, _INVALID, {"points": "a JSON list is required"}) from fault
    if not isinstance(points, list):
        raise Refused(HTTPStatus.BAD_REQUEST, _INVALID, {"points": f"{points!r} is not of type 'array'"})
    names: list[str] = []
    errors: dict[str, str] = {}
    for place, point in enumerate(points):
        name = _batch_name(point, shape)
        if name is None:
            wanted = "string" if shape is BatchShape.STRINGS else "object"
            errors[f"points.{place}"] = f"{point!r} is not of type '{wanted}'"
        else:
            names.append(name)
    if errors:
        raise Refused(HTTPStatus.BAD_REQUEST, _INVALID, errors)
    return tuple(dict.fromkeys(names))


def _batch_name(point: object, shape: BatchShape) -> str | None:
    if isinstance(point, str) and shape in {BatchShape.STRINGS, BatchShape.BOTH}:
        return point
    if isinstance(point, dict) and shape in {BatchShape.OBJECTS, BatchShape.BOTH}:
        name = point.get("name")
        return name if isinstance(name, str) else None
    return None
