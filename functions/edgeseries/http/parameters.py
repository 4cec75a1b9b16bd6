"""What callers may send, declared once: each parameter is read and documented by its declaration.

A `Kind` says which texts a parameter takes, in two forms that stand beside each other: `read` checks a
text, `schema` says the same as JSON Schema (2020-12), for `/api/openapi.json`. It knows no HTTP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal, Protocol

from edgeseries.limits import EARLIEST_MS, LATEST_MS, MAX_INSTANT_CHARS, MAX_NAME_BYTES
from edgeseries.series.timerange import parse_instant

Schema = Mapping[str, Any]
"""A JSON Schema."""

Place = Literal["query", "path", "header"]
Listed = Literal["", "comma", "repeated"]

DOT_SEGMENTS: Final = frozenset({".", ".."})
"""Names that a URL's path resolves away (RFC 3986, 5.2.4), encoded or not: another path upstream."""

MAX_WHOLE_DIGITS: Final = 9
"""Of a whole number: Python turns long texts into numbers slowly, and refuses very long ones."""


class Kind(Protocol):
    """Which texts a parameter takes."""

    @property
    def schema(self) -> Schema:
        """The same as JSON Schema."""
        ...

    def read(self, text: str) -> Any:
        """What a text stands for. Raises ValueError with the rest of a sentence that says what to do."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """The name of a site or a point, as it is: no normal form of Unicode is made."""

    @property
    def schema(self) -> Schema:
        """JSON Schema cannot bound bytes; a character is at least one."""
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_NAME_BYTES,
            "pattern": r"^(?!\.{1,2}$)[^\x00-\x1f\x7f]+$",
            "description": f"At most {MAX_NAME_BYTES} bytes of UTF-8, no control characters.",
        }

    def read(self, text: str) -> str:
        """See the protocol."""
        if text in DOT_SEGMENTS:
            raise ValueError("is no name: a URL cannot hold it")
        if not text:
            raise ValueError(
                "is empty; is there a comma too many? (a name that holds a comma is sent as point=)"
            )
        if any(ord(character) < ord(" ") or character == "\x7f" for character in text):
            raise ValueError("holds a control character")
        try:
            size_bytes = len(text.encode())
        except UnicodeEncodeError:
            raise ValueError("is not valid Unicode") from None
        if size_bytes > MAX_NAME_BYTES:
            raise ValueError(f"is longer than {MAX_NAME_BYTES} bytes")
        return text


RELATIVE_TIME: Final = r"(now|today|yesterday)((?:[-+ ][0-9]{1,5}[smhdw])*)"
"""A moment relative to when a request came (`planning/relative_times.py`). In a URL a plus becomes a
blank.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """A moment: ISO-8601 with a zone, or epoch milliseconds. One that is relative to now has become epoch
    milliseconds by the time it is read.
    """

    @property
    def schema(self) -> Schema:
        """See the protocol."""
        return {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "integer", "minimum": EARLIEST_MS, "maximum": LATEST_MS},
                {"type": "string", "pattern": f"^{RELATIVE_TIME}$"},
            ],
            "description": "ISO-8601 with a zone, epoch milliseconds between 1970 and 2100, or relative: "
            "`now-7d`, `today`, `yesterday` (days of `tz`).",
        }

    def read(self, text: str) -> int:
        """See the protocol."""
        if len(text) > MAX_INSTANT_CHARS:
            raise ValueError(f"is longer than {MAX_INSTANT_CHARS} characters: send ISO-8601 with a zone")
        return parse_instant(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number within bounds, both held."""

    minimum: int
    maximum: int
    default: int

    def __post_init__(self) -> None:
        assert 0 <= self.minimum <= self.default <= self.maximum < 10**MAX_WHOLE_DIGITS

    @property
    def schema(self) -> Schema:
        """See the protocol."""
        return {
            "type": "integer",
            "minimum": self.minimum,
            "maximum": self.maximum,
            "default": self.default,
        }

    def read(self, text: str) -> int:
        """See the protocol."""
        plain = text.isascii() and text.isdigit() and len(text) <= MAX_WHOLE_DIGITS
        if not plain or not self.minimum <= int(text) <= self.maximum:
            raise ValueError(f"must be a whole number from {self.minimum} to {self.maximum}")
        return int(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]
    default: str | None = None

    @property
    def schema(self) -> Schema:
        """See the protocol."""
        schema: dict[str, Any] = {"type": "string", "enum": [str(word) for word in self.words]}
        return schema if self.default is None else {**schema, "default": str(self.default)}

    def read(self, text: str) -> str:
        """See the protocol."""
        if text not in self.words:
            raise ValueError(f"must be one of {', '.join(self.words)}, or left out")
        return text


def choice_of(words: type[StrEnum], default: StrEnum | None = None) -> Choice:
    """The values of an enumeration."""
    return Choice(words=tuple(str(word) for word in words), default=None if default is None else str(default))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opaque:
    """A text that only who made it understands, of bounded length."""

    max_chars: int

    @property
    def schema(self) -> Schema:
        """See the protocol."""
        return {"type": "string", "maxLength": self.max_chars}

    def read(self, text: str) -> str:
        """See the protocol."""
        if len(text) > self.max_chars:
            raise ValueError(f"is longer than {self.max_chars} characters")
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A text that is looked for, of bounded length."""

    max_chars: int

    @property
    def schema(self) -> Schema:
        """See the protocol."""
        return {"type": "string", "maxLength": self.max_chars}

    def read(self, text: str) -> str:
        """See the protocol."""
        if len(text) > self.max_chars:
            raise ValueError(f"is longer than {self.max_chars} characters")
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter. A `listed` one holds several texts of its kind: between commas, or sent again."""

    name: str
    kind: Kind
    description: str
    place: Place = "query"
    required: bool = False
    listed: Listed = ""
    deprecated: bool = False


def names_of(parameters: Sequence[Parameter], place: Place = "query") -> tuple[str, ...]:
    """The names of the parameters at one place, in their order."""
    return tuple(one.name for one in parameters if one.place == place)
