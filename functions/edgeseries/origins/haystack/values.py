"""Haystack's kinds as Python values, whatever form they came in, and what of them is a sample.

Bool and Str are `bool` and `str`, a Number with a unit `Quantity`, without one a `float`; NA, markers,
references and instants have types of their own. Kinds that no sample and no tag of ours is of are texts.
"""

from enum import Enum
from math import isfinite
from typing import Final, NamedTuple

from edgeseries.errors import OriginContract
from edgeseries.series.values import Value


class Sign(Enum):
    """Kinds of one value."""

    MARKER = "marker"
    NA = "na"
    REMOVE = "remove"


class Quantity(NamedTuple):
    """A number with a unit. A tuple, as the others: there are two of them a sample, made fast."""

    number: float
    unit: str


class Ref(NamedTuple):
    """A reference, without its @."""

    id: str
    dis: str = ""


class Moment(NamedTuple):
    """An instant as it is written, ISO-8601 with its offset."""

    text: str


Scalar = Sign | Quantity | Ref | Moment | float | bool | str | None

SPECIAL: Final = {"NaN": float("nan"), "INF": float("inf"), "-INF": float("-inf")}


def number_of(raw: object) -> float:
    """A Number's value: a number, or one of three words. Raises OriginContract."""
    if isinstance(raw, str) and raw in SPECIAL:
        return SPECIAL[raw]
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise OriginContract("the upstream sent a Number that is none")
    try:
        return float(raw)
    except OverflowError:
        return float("inf")


def sample_value(scalar: Scalar) -> Value:
    """The value of a sample; NA, NaN and infinities are null."""
    if isinstance(scalar, Quantity):
        scalar = scalar.number
    if isinstance(scalar, float):
        return scalar if isfinite(scalar) else None
    if isinstance(scalar, bool | str):
        return scalar
    if isinstance(scalar, Ref):
        return scalar.id
    if isinstance(scalar, Moment):
        return scalar.text
    return None


def is_sample(scalar: Scalar) -> bool:
    """Whether a cell is a sample at all: an empty one and a removed one are not."""
    return scalar is not None and scalar is not Sign.REMOVE
