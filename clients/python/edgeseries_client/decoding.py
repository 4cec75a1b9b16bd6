"""Bodies as series: JSON, which every server speaks, and Arrow streams, where pyarrow is there."""

import importlib.util
import json
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Final

from edgeseries_client.errors import ConnectionFault
from edgeseries_client.series import VALUE, Result, Series
from edgeseries_client.steps import Answer

JSON: Final = "application/json"


def accepted() -> str:
    """The header `Accept` of a question: what this machine can read, best first."""
    return JSON


def cache_verdict(headers: Mapping[str, str]) -> str:
    """`hit`, `partial`, `miss`, `request`, `bypass`, or nothing, by RFC 9211."""
    for item in headers.get("cache-status", "").split(";"):
        word = item.strip()
        if word == "hit":
            return "hit"
        if word.startswith("fwd="):
            return word.removeprefix("fwd=")
    return ""


def result_of(answer: Answer) -> Result:
    """The series of a 200. Raises ConnectionFault for a body that is not what its header says."""
    try:
        document = json.loads(answer.body)
        return Result(
            series={
                name: _series(name, entry, document["_meta"]) for name, entry in document["data"].items()
            },
            meta=document["_meta"],
            cache=cache_verdict(answer.headers),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ConnectionFault(f"the answer is no series: {error!r}") from error


def _series(name: str, entry: Mapping[str, Any], _meta: Mapping[str, Any]) -> Series:
    rows: Sequence[Sequence[Any]] = entry["samples"]
    headings = [VALUE]
    return Series(
        point=name,
        times_ms=array("q", [row[0] for row in rows]),
        columns={heading: [row[place] for row in rows] for place, heading in enumerate(headings, 1)},
        error=entry.get("error"),
    )


def has_pyarrow() -> bool:
    """Whether Arrow streams can be read here."""
    return importlib.util.find_spec("pyarrow") is not None
