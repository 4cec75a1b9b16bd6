"""What a right answer is, told from the data files alone.

The demo and the oracle tests hold the system's answers against this. It uses no code of the
Workers, so that a fault there cannot hide itself.
"""

import math
from typing import Any, Final

from local.upstream.truth import Truth

WORDS: Final[dict[str, Any]] = {
    "": None,
    "nan": None,
    "null": None,
    "none": None,
    "true": True,
    "false": False,
}
"""Texts, lower case, that are no numbers and yet not texts."""


def expected_samples(truth: Truth, site: str, point: str, start_ms: int, end_ms: int) -> list[list[Any]]:
    """`[[epoch ms, value], ...]` of [start_ms, end_ms) as JSON has it: ascending, the last delivered wins."""
    told = {at_ms: expected_value(text) for at_ms, text in truth.rows(site, point, start_ms, end_ms)}
    return [[at_ms, told[at_ms]] for at_ms in sorted(told)]


def expected_value(text: str) -> Any:
    """A source text as the value it stands for: a finite number, true, false, null, or the text itself."""
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else None
