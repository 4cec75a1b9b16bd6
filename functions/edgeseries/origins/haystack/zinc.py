"""Zinc: Haystack's grids as text, as pure functions: read into grids, and the small ones that are asked with.

A grid's rows end with the text; one that was cut short lacks its last line end.
"""

import re
from collections.abc import Mapping
from typing import Final

from edgeseries.errors import OriginContract, OriginGarbled
from edgeseries.origins.haystack.grid import Column, Grid
from edgeseries.origins.haystack.limits import MAX_DEPTH
from edgeseries.origins.haystack.values import SPECIAL, Moment, Quantity, Ref, Scalar, Sign

MEDIA_TYPE: Final = "text/zinc"

_STRING: Final = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_URI: Final = re.compile(r"`((?:[^`\\\n]|\\.)*)`")
_REF: Final = re.compile(r'@([a-zA-Z0-9_:\-.~]+)(?: ("(?:[^"\\\n]|\\.)*"))?')
_MOMENT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2}))(?: ?([A-Za-z][A-Za-z0-9_+\-]*))?"
)
_DATE_OR_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}|\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?")
_NUMBER: Final = re.compile(r"(-?\d[\d_]*(?:\.[\d_]+)?(?:[eE][+-]?\d[\d_]*)?)([^\s,\]})>]*)")
_WORD: Final = re.compile(r"-?[A-Za-z][A-Za-z0-9_]*")
_ID: Final = re.compile(r"[a-z][A-Za-z0-9_]*")

_WORDS: Final[Mapping[str, Scalar]] = {
    **SPECIAL,
    "N": None,
    "M": Sign.MARKER,
    "R": Sign.REMOVE,
    "NA": Sign.NA,
    "T": True,
    "F": False,
}
_ESCAPES: Final[Mapping[str, str]] = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)


def grid_in(body: bytes) -> Grid:
    """The grid that a body is. Raises OriginGarbled, OriginContract."""
    try:
        text = body.decode()
    except ValueError as fault:
        raise OriginGarbled("the upstream's answer is no UTF-8; try again") from fault
    if not text.startswith("ver:"):
        raise OriginContract("the upstream answered with something else than a grid")
    if not text.endswith("\n"):
        raise OriginGarbled("the upstream's answer ends in the middle of a row; try again")
    lines = text.split("\n")
    head = _Reader(lines[0])
    meta = head.tags(":")
    reader = _Reader(lines[1] if len(lines) > 1 else "")
    columns = reader.columns()
    rows = []
    for line in lines[2:]:
        if not line.strip("\r"):
            break
        cells = _Reader(line).cells()
        if len(cells) > len(columns):
            raise OriginContract("the upstream answered with a row of more cells than columns")
        named = zip(columns, cells, strict=False)
        rows.append({column.name: cell for column, cell in named if cell is not None})
    return Grid(meta=meta, columns=columns, rows=rows)


def text_of(text: str) -> str:
    """A Str."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("$", "\\$")
    return f'"{escaped}"'


def grid_of(meta: Mapping[str, str], column: str, cells: list[str]) -> bytes:
    """A grid of one column to ask with; values are Zinc already."""
    head = " ".join(['ver:"3.0"', *(f"{name}:{value}" for name, value in meta.items())])
    return ("\n".join([head, column, *cells]) + "\n").encode()


class _Reader:
    """Reads one line from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text.rstrip("\r")
        self._place = 0

    def cells(self) -> list[Scalar]:
        """Cells of a row, with commas between them; an empty one is null."""
        found: list[Scalar] = []
        while True:
            self._blanks()
            empty = self._ended or self._text[self._place] == ","
            found.append(None if empty else self.scalar(0))
            self._blanks()
            if self._ended:
                return found
            self._expect(",")

    def columns(self) -> list[Column]:
        """Columns with their meta."""
        found = []
        while not self._ended:
            self._blanks()
            name = self._match(_ID)
            found.append(Column(name=name[0], meta=self.tags(":")))
            self._blanks()
            if not self._ended:
                self._expect(",")
        return found

    def tags(self, sign: str) -> dict[str, Scalar]:
        """Names with values behind a sign, or markers; blanks between them."""
        found: dict[str, Scalar] = {}
        while True:
            self._blanks()
            name = _ID.match(self._text, self._place)
            if name is None:
                return found
            self._place = name.end()
            if self._peek(sign):
                self._place += 1
                found[name[0]] = self.scalar(0)
            else:
                found[name[0]] = Sign.MARKER

    def scalar(self, depth: int) -> Scalar:  # noqa: PLR0911 - a case each
        """One value. Raises OriginContract."""
        if depth > MAX_DEPTH:
            raise OriginContract("the upstream's answer has brackets within brackets without end")
        sign = self._text[self._place : self._place + 1]
        if sign == '"':
            return _unescaped(self._match(_STRING)[1])
        if sign == "@":
            found = self._match(_REF)
            return Ref(found[1], _unescaped(found[2][1:-1]) if found[2] else "")
        if sign == "`":
            return _unescaped(self._match(_URI)[1])
        if sign in "[{<" and sign:
            return self._nested(depth)
        if sign.isdigit() or (sign == "-" and self._text[self._place + 1 : self._place + 2].isdigit()):
            return self._numeric()
        word = self._match(_WORD)[0]
        if self._peek("("):
            return self._coded(word)
        if word not in _WORDS:
            raise OriginContract("the upstream answered with a value of no kind")
        return _WORDS[word]

    def _numeric(self) -> Scalar:
        for pattern in (_MOMENT, _DATE_OR_TIME):
            found = pattern.match(self._text, self._place)
            if found is not None:
                self._place = found.end()
                return Moment(found[1]) if pattern is _MOMENT else found[0]
        found = self._match(_NUMBER)
        try:
            number = float(found[1].replace("_", ""))
        except ValueError as fault:
            raise OriginContract("the upstream sent a Number that is none") from fault
        return Quantity(number, found[2]) if found[2] else number

    def _coded(self, word: str) -> str:
        """`C(lat,lng)` and `Type("...")`: texts."""
        end = self._text.find(")", self._place)
        if end < 0:
            raise OriginContract("the upstream answered with a bracket that is never closed")
        start, self._place = self._place, end + 1
        return word + self._text[start : end + 1]

    def _nested(self, depth: int) -> str:
        """A list or dict: looked through, and a text."""
        opened = self._text[self._place]
        if opened == "<":
            raise OriginContract("the upstream answered with a grid within a grid, in one line")
        closed = {"[": "]", "{": "}"}[opened]
        self._place += 1
        while True:
            self._blanks()
            if self._peek(closed):
                self._place += 1
                return f"{opened}...{closed}"
            if self._peek(","):
                self._place += 1
            elif opened == "{":
                before = self._place
                name = self._match(_ID)
                if self._peek(":"):
                    self._place += 1
                    self.scalar(depth + 1)
                assert self._place > before, name
            else:
                self.scalar(depth + 1)

    @property
    def _ended(self) -> bool:
        return self._place >= len(self._text)

    def _blanks(self) -> None:
        while self._peek(" "):
            self._place += 1

    def _peek(self, sign: str) -> bool:
        return self._text.startswith(sign, self._place)

    def _expect(self, sign: str) -> None:
        if not self._peek(sign):
            raise OriginContract(f"the upstream answered with a grid that lacks a {sign!r}")
        self._place += 1

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._place)
        if found is None:
            raise OriginContract("the upstream answered with a grid that is none")
        self._place = found.end()
        return found


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(
        lambda one: chr(int(one[1][1:], 16)) if len(one[1]) > 1 else _ESCAPES.get(one[1], one[1]), text
    )
