"""What a right answer is, told from the data files alone.

The demo and the oracle tests hold the system's answers against this. It uses no code of the
Workers, so that a fault there cannot hide itself.
"""

import math
import re
from decimal import Decimal
from typing import Any, Final

from local.upstream.truth import Truth

WORDS: Final[dict[str, Any]] = {"": None, "null": None, "none": None, "true": True, "false": False}
"""Texts, lower case and without blanks around, that are no numbers and yet not texts."""

NUMBER: Final = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?\s*", re.ASCII | re.IGNORECASE)
INTEGER: Final = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)
NOT_FINITE: Final = re.compile(r"\s*[+-]?(nan|inf|infinity)\s*", re.ASCII | re.IGNORECASE)


def expected_samples(truth: Truth, site: str, point: str, start_ms: int, end_ms: int) -> list[list[Any]]:
    """`[[epoch ms, value], ...]` of [start_ms, end_ms) as JSON has it: ascending, the last delivered wins."""
    by_time = {at_ms: expected_value(text) for at_ms, text in truth.rows(site, point, start_ms, end_ms)}
    return [[at_ms, by_time[at_ms]] for at_ms in sorted(by_time)]


def expected_value(text: str) -> Any:
    """A source text as the value it stands for, by the rule in `docs/formats/answer.md`."""
    if NOT_FINITE.fullmatch(text):
        return None
    if INTEGER.fullmatch(text):
        exact, nearest = Decimal(text.strip()), float(text)
        if math.isinf(nearest):
            return None
        return nearest if Decimal(nearest) == exact else int(text)
    if NUMBER.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else None
    return WORDS.get(text.strip().lower(), text)
