"""Expressions of PromQL from text, by recursive descent.

Grammar and precedence: https://prometheus.io/docs/prometheus/latest/querying/ (basics, operators). What is
not supported is named in the error.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from edgeseries.limits import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from edgeseries.promql.syntax import (
    METRIC,
    NAME_LABEL,
    Aggregation,
    Call,
    Grouping,
    Match,
    Matcher,
    Negation,
    Node,
    Number,
    Operation,
    Selector,
    pattern_of,
)

RANGE_FUNCTIONS: Final = (
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "sum_over_time",
    "count_over_time",
    "last_over_time",
    "stddev_over_time",
    "rate",
    "increase",
    "delta",
)
VALUE_FUNCTIONS: Final = ("abs", "ceil", "floor", "round", "sqrt")
AGGREGATIONS: Final = ("sum", "avg", "min", "max", "count", "topk")
COMPARISONS: Final = ("==", "!=", "<=", ">=", "<", ">")

MAX_CHARS: Final = 10_000
DURATION_MAX_CHARS: Final = 64
"""Of a duration: Python turns long texts into numbers slowly, and refuses very long ones."""

MAX_DEPTH: Final = 50
"""Of brackets and operands within each other: far more than people write, and no stack ends."""

_UNITS_MS: Final = {
    "ms": 1,
    "s": SECOND_MS,
    "m": MINUTE_MS,
    "h": HOUR_MS,
    "d": DAY_MS,
    "w": 7 * DAY_MS,
    "y": 365 * DAY_MS,
}
_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![\w]))
    | (?P<number>0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
    | (?P<word>[A-Za-z_:][A-Za-z0-9_:]*)
    | (?P<sign>=~|!~|==|!=|<=|>=|[-+*/%^<>=(){}\[\],@:])
    )""",
    re.VERBOSE | re.ASCII,
)
_PIECE: Final = re.compile(r"(\d+)(ms|[smhdwy])", re.ASCII)
_ESCAPES: Final = re.compile(r"\\(.)", re.DOTALL)
_CLASS: Final = re.compile(r"\[\^?\]?[^\]]*\]")
_COSTLY: Final = re.compile(r"\)[*+{]|\(\?(?!:)")
_UNBOUNDED: Final = re.compile(r"[*+]|\{\d*,")
MAX_REPEATS: Final = 3
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r"}


T = TypeVar("T")


class PromqlError(ValueError):
    """An expression that cannot be read, or is not supported; the text says what and where."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Node:
    """The expression of a text. Raises PromqlError."""
    if len(text) > MAX_CHARS:
        raise PromqlError(f"the query is longer than {MAX_CHARS} characters")
    parser = _Parser(_tokens(text))
    node = parser.expression(0)
    parser.end()
    return node


def duration_ms(text: str) -> int:
    """The milliseconds of a duration such as `1h30m`. Raises PromqlError."""
    pieces = _PIECE.findall(text) if len(text) <= DURATION_MAX_CHARS else []
    if not pieces or "".join(number + unit for number, unit in pieces) != text:
        raise PromqlError(f"{text!r} is no duration: 5m, 1h30m and the like are expected")
    found = sum(int(number) * _UNITS_MS[unit] for number, unit in pieces)
    if not 0 < found <= _UNITS_MS["y"] * 20:
        raise PromqlError(f"the duration {text} is not between 1ms and 20y")
    return found


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise PromqlError(f"unexpected {text[at:].strip()[:10]!r} at character {at + 1}")
        found.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return found


_PRECEDENCE: Final = {
    "==": 1,
    "!=": 1,
    "<=": 1,
    ">=": 1,
    "<": 1,
    ">": 1,
    "+": 2,
    "-": 2,
    "*": 3,
    "/": 3,
    "%": 3,
    "^": 5,
}
_OF_MINUS: Final = 4
"""A minus before an operand binds less than a power."""


class _Parser:
    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    def expression(self, least: int) -> Node:
        """Operators of at least this precedence, and their operands."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise PromqlError(f"the query nests more than {MAX_DEPTH} deep")
        left = self._operand()
        while (operator := self._peek().text) in _PRECEDENCE and _PRECEDENCE[operator] >= least:
            if self._peek().kind != "sign":
                break
            self._next()
            returns_bool, matching = self._modifiers(operator)
            precedence = _PRECEDENCE[operator]
            right = self.expression(precedence if operator == "^" else precedence + 1)
            left = Operation(
                operator=operator, left=left, right=right, returns_bool=returns_bool, matching=matching
            )
            _check_operation(left)
        if self._peek().text in ("and", "or", "unless"):
            raise PromqlError(f"{self._peek().text} is not supported")
        self._depth -= 1
        return left

    def end(self) -> None:
        """Nothing may be left."""
        token = self._peek()
        if token.kind:
            raise PromqlError(f"unexpected {token.text!r} at character {token.at + 1}")

    def _modifiers(self, operator: str) -> tuple[bool, Grouping]:
        returns_bool = self._takes("bool")
        if returns_bool and operator not in COMPARISONS:
            raise PromqlError("bool goes with a comparison")
        matching = Grouping()
        if self._peek().text in ("on", "ignoring"):
            excluded = self._next().text == "ignoring"
            matching = Grouping(labels=self._labels(), excluded=excluded)
        if self._peek().text in ("group_left", "group_right"):
            raise PromqlError(f"{self._peek().text} is not supported: match one to one")
        return returns_bool, matching

    def _operand(self) -> Node:
        token = self._next()
        if token.text == "-" and token.kind == "sign":
            return Negation(operand=self.expression(_OF_MINUS))
        if token.text == "+" and token.kind == "sign":
            return self.expression(_OF_MINUS)
        if token.kind == "number":
            try:
                number = int(token.text, 16) if token.text[:2] in ("0x", "0X") else token.text
                return Number(value=float(number))
            except OverflowError as cause:
                raise PromqlError("a number in hexadecimal is larger than a float can be") from cause
        if token.text == "(":
            inner = self.expression(0)
            self._expect(")")
            return self._suffixed(inner)
        if token.text == "{":
            return self._suffixed(Selector(matchers=self._matchers()))
        if token.kind == "word":
            return self._suffixed(self._worded(token))
        where = f" at character {token.at + 1}" if token.kind else " at the end"
        raise PromqlError(f"an expression is expected, not {token.text or 'nothing'!r}{where}")

    def _worded(self, token: _Token) -> Node:
        word = token.text
        if word.lower() in ("inf", "nan"):
            return Number(value=float(word))
        if word in AGGREGATIONS and self._peek().text in ("(", "by", "without"):
            return self._aggregation(word)
        if self._peek().text == "(":
            return self._call(word)
        named = Matcher(label=NAME_LABEL, match=Match.EQUAL, value=word)
        others = self._matchers() if self._takes("{") else ()
        return Selector(matchers=(named, *others))

    def _call(self, name: str) -> Node:
        if name not in (*RANGE_FUNCTIONS, *VALUE_FUNCTIONS, "vector", "time"):
            known = ", ".join((*RANGE_FUNCTIONS, *VALUE_FUNCTIONS, *AGGREGATIONS))
            raise PromqlError(f"{name} is not supported; there are {known}")
        arguments = self._listed(lambda: self.expression(0))
        if len(arguments) != (0 if name == "time" else 1):
            raise PromqlError(f"{name} takes {'no argument' if name == 'time' else 'one argument'}")
        if name in RANGE_FUNCTIONS and not (
            isinstance(arguments[0], Selector) and arguments[0].range_ms is not None
        ):
            raise PromqlError(f"{name} wants a range, as in {name}({METRIC}[5m])")
        if name in VALUE_FUNCTIONS:
            _no_range(arguments[0])
        return Call(name=name, arguments=arguments)

    def _aggregation(self, operator: str) -> Node:
        grouping = self._grouping()
        arguments = self._listed(lambda: self.expression(0))
        grouping = grouping or self._grouping() or Grouping(labels=(), excluded=False)
        wanted = 2 if operator == "topk" else 1
        if len(arguments) != wanted:
            raise PromqlError(f"{operator} takes {wanted} argument{'s' if wanted > 1 else ''}")
        _no_range(arguments[-1])
        parameter = arguments[0] if operator == "topk" else None
        return Aggregation(operator=operator, operand=arguments[-1], grouping=grouping, parameter=parameter)

    def _grouping(self) -> Grouping | None:
        if self._peek().text not in ("by", "without"):
            return None
        excluded = self._next().text == "without"
        return Grouping(labels=self._labels(), excluded=excluded)

    def _labels(self) -> tuple[str, ...]:
        def label() -> str:
            token = self._next()
            if token.kind != "word":
                raise PromqlError(f"a label is expected, not {token.text!r}")
            return token.text

        return self._listed(label)

    def _matchers(self) -> tuple[Matcher, ...]:
        found = []
        while not self._takes("}"):
            label, sign, value = self._next(), self._next(), self._next()
            if label.kind != "word" or sign.text not in {*Match} or value.kind != "string":
                raise PromqlError('between { and } there are label="value", with =, !=, =~ or !~')
            matcher = Matcher(label=label.text, match=Match(sign.text), value=_text_of(value.text))
            _check_pattern(matcher)
            found.append(matcher)
            if not self._takes(",") and self._peek().text != "}":
                raise PromqlError("a comma or } is expected after a label")
        return tuple(found)

    def _suffixed(self, node: Node) -> Node:
        if self._takes("["):
            if not isinstance(node, Selector):
                raise PromqlError("subqueries are not supported: a range goes with a selector")
            node = replace(node, range_ms=self._duration())
            if self._peek().text == ":":
                raise PromqlError("subqueries are not supported")
            self._expect("]")
        if self._takes("offset"):
            sign = -1 if self._takes("-") else 1
            if not isinstance(node, Selector):
                raise PromqlError("offset goes with a selector")
            node = replace(node, offset_ms=sign * self._duration())
        if self._peek().text == "@":
            raise PromqlError("@ is not supported")
        return node

    def _duration(self) -> int:
        token = self._next()
        if token.kind != "duration":
            raise PromqlError(f"a duration is expected, not {token.text!r}")
        return duration_ms(token.text)

    def _listed(self, read: Callable[[], T]) -> tuple[T, ...]:
        self._expect("(")
        found = []
        while not self._takes(")"):
            found.append(read())
            if not self._takes(",") and self._peek().text != ")":
                raise PromqlError(f"a comma or ) is expected, not {self._peek().text or 'nothing'!r}")
        return tuple(found)

    def _takes(self, text: str) -> bool:
        token = self._peek()
        if token.text != text or token.kind == "string":
            return False
        self._place += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            raise PromqlError(f"{text} is expected, not {self._peek().text or 'nothing'!r}")

    def _peek(self) -> _Token:
        return self._tokens[self._place] if self._place < len(self._tokens) else _Token("", "", -1)

    def _next(self) -> _Token:
        token = self._peek()
        self._place += 1
        return token


def _no_range(node: Node) -> None:
    if isinstance(node, Selector) and node.range_ms is not None:
        raise PromqlError("a range [..] goes into a function such as avg_over_time")


def _check_operation(node: Operation) -> None:
    _no_range(node.left)
    _no_range(node.right)
    scalar = all(_is_scalar(one) for one in (node.left, node.right))
    if scalar and node.operator in COMPARISONS and not node.returns_bool:
        raise PromqlError("a comparison of two numbers wants bool, as in 1 < bool 2")


def _is_scalar(node: Node) -> bool:
    match node:
        case Number():
            return True
        case Call(name=name):
            return name == "time"
        case Negation(operand=operand):
            return _is_scalar(operand)
        case Operation(left=left, right=right):
            return _is_scalar(left) and _is_scalar(right)
        case _:
            return False


def _check_pattern(matcher: Matcher) -> None:
    if matcher.match in (Match.REGEX, Match.NOT_REGEX):
        _check_cost(matcher.value)
        try:
            pattern_of(matcher.value)
        except re.error as error:
            raise PromqlError(f"{matcher.value!r} is no regular expression: {error}") from None


def _check_cost(pattern: str) -> None:
    """Raises PromqlError for a regular expression that might take long: Python backtracks, RE2 does not."""
    plain = _CLASS.sub("c", _ESCAPES.sub("c", pattern))
    if (
        _COSTLY.search(plain)
        or re.search(r"\\[1-9]", pattern)
        or len(_UNBOUNDED.findall(plain)) > MAX_REPEATS
    ):
        raise PromqlError(
            f"the regular expression {pattern!r} is not supported: at most {MAX_REPEATS} of * and +, none "
            "behind a group, no look-around, no back reference"
        )


def _text_of(quoted: str) -> str:
    if quoted[0] == "`":
        return quoted[1:-1]
    return _ESCAPES.sub(lambda match: _ESCAPED.get(match[1], match[1]), quoted[1:-1])
