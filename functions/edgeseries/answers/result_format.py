"""The formats of a result, by the names that callers use, and their media types."""

from enum import StrEnum
from typing import Final


class ResultFormat(StrEnum):
    """Also the values of `format=`."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


MEDIA_TYPES: Final = {
    ResultFormat.JSON: "application/json",
    ResultFormat.NDJSON: "application/x-ndjson",
    ResultFormat.CSV: "text/csv; charset=utf-8",
}


def media_type_of(chosen: ResultFormat) -> str:
    """The media type without parameters."""
    return MEDIA_TYPES[chosen].partition(";")[0]
