"""The `X-Fields` request header: which fields of an answer a client wants.

Owns the grammar of Flask-RESTX masks: `name,name{inner,inner}`, in braces or not, `*` for the rest. As there,
a field that is not named is dropped, the cursor of a page too. Must not know what the fields mean.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_TOKENS: Final = re.compile(r"\s*([\w*-]+|[{},])\s*", re.ASCII)
_EVERY: Final = "*"
DEEPEST_LEVEL: Final = 8  # no answer here has more than two; a bound so that nobody can exhaust the stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """Wanted fields, each with the mask of its own fields, or None for all of them."""

    fields: Mapping[str, "Mask | None"]

    def wants(self, field: str) -> bool:
        """Whether a field stays."""
        return field in self.fields or _EVERY in self.fields

    def inner(self, field: str) -> "Mask | None":
        """The mask inside a field; None keeps all of it."""
        return self.fields.get(field)

    def selected(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The wanted fields of a flat record."""
        return {field: value for field, value in record.items() if self.wants(field)}


def parse_mask(text: str) -> Mask:
    """Read a header value. ValueError when it does not follow the grammar."""
    tokens: list[str] = []
    place = 0
    while place < len(text):
        token = _TOKENS.match(text, place)
        if token is None:
            raise ValueError(f"unexpected character {text[place]!r} in the mask")
        tokens.append(token.group(1))
        place = token.end()
    if tokens[:1] == ["{"] and tokens[-1:] == ["}"]:
        tokens = tokens[1:-1]
    mask, rest = _fields(tokens, 1)
    if rest:
        raise ValueError(f"unexpected {rest[0]!r} in the mask")
    return mask


def _fields(tokens: list[str], level: int) -> tuple[Mask, list[str]]:
    """One comma-separated list of fields, and the tokens after it."""
    if level > DEEPEST_LEVEL:
        raise ValueError("the mask is nested too deeply")
    found: dict[str, Mask | None] = {}
    while True:
        if not tokens or tokens[0] in "{},":
            raise ValueError("a field name is missing in the mask")
        name, tokens = tokens[0], tokens[1:]
        found[name] = None
        if tokens[:1] == ["{"]:
            found[name], tokens = _fields(tokens[1:], level + 1)
            if tokens[:1] != ["}"]:
                raise ValueError("a brace of the mask is not closed")
            tokens = tokens[1:]
        if tokens[:1] != [","]:
            return Mask(fields=found), tokens
        tokens = tokens[1:]
