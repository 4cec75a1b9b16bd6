"""Values that come as text: what numbers, words and texts they stand for. Rules: `docs/formats/answer.md`."""

from collections.abc import Sequence
from math import isfinite
from typing import Final, cast

from edgeseries.errors import OriginContract
from edgeseries.series.samples import plain_number
from edgeseries.series.values import Value

EXACT_INTEGERS: Final = 2**53
"""Below this every integer is a float64 of its own (IEEE 754)."""

NO_VALUE_WORDS: Final = frozenset({"", "null", "none"})
"""Words, lower case and without blanks around, that stand for "no value": the vendor turns every
value into a string. "NaN" and infinities are numbers that are not finite, and null like these."""

TRUTHS: Final = {"true": True, "false": False}


def values_of(raws: Sequence[object]) -> list[Value]:
    """Typed values of a column. Plain decimal texts, which most columns are made of, are read at once."""
    if set(map(type, raws)) == {str}:
        texts = cast("Sequence[str]", raws)
        together = "".join(texts)
        if together.isascii() and "_" not in together:
            try:
                numbers = list(map(float, texts))
            except ValueError:
                return list(map(_value_of_text, texts))
            if all(map(isfinite, numbers)) and max(map(abs, numbers)) < EXACT_INTEGERS:
                return list(numbers)
        return list(map(_value_of_text, texts))
    return list(map(value_of, raws))


def value_of(raw: object) -> Value:
    """A typed value of what the vendor sent (texts: `docs/formats/answer.md`). Raises OriginContract."""
    if isinstance(raw, str):
        return _value_of_text(raw)
    if raw is None or isinstance(raw, bool):
        return raw
    if isinstance(raw, int | float):
        return plain_number(raw)
    raise OriginContract("the upstream sent a value that is no number, text, boolean or null")


def _value_of_text(text: str) -> Value:
    try:
        number = float(text)
    except ValueError:
        word = text.strip().lower()
        return None if word in NO_VALUE_WORDS else TRUTHS.get(word, text)
    if "_" in text or not text.isascii():
        return text  # Python reads 1_000 and other scripts' digits as numbers; the vendor does not.
    if abs(number) < EXACT_INTEGERS:
        return number
    if not isfinite(number):
        return None
    # From here a float may not be the integer that was sent; `int` refuses what is no integer text.
    try:
        return plain_number(int(text))
    except ValueError:
        return plain_number(number)
