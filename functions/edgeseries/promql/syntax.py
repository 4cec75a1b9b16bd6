"""What an expression of PromQL is made of. Durations are in milliseconds."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from re import compile as compiled
from typing import Final

METRIC: Final = "edgeseries_value"
"""The one metric: a point's value."""

NAME_LABEL: Final = "__name__"


class Match(StrEnum):
    """How a label is compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """A label and what its value is to be; a label that is not there has the value ''."""

    label: str
    match: Match
    value: str

    def fits(self, text: str) -> bool:
        """Whether a value is as it is to be. Regular expressions match all of it."""
        match self.match:
            case Match.EQUAL:
                return text == self.value
            case Match.NOT_EQUAL:
                return text != self.value
            case Match.REGEX:
                return pattern_of(self.value)(text)
            case Match.NOT_REGEX:
                return not pattern_of(self.value)(text)


@lru_cache(maxsize=256)
def pattern_of(text: str) -> Callable[[str], bool]:
    """Whether a text matches a regular expression from end to end. Raises re.error."""
    pattern = compiled(text)
    return lambda value: pattern.fullmatch(value) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Series by their labels, as they were `offset_ms` ago; with `range_ms` their samples of so long, too."""

    matchers: tuple[Matcher, ...]
    offset_ms: int = 0
    range_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function and its arguments."""

    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Negation:
    """Minus of something."""

    operand: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Labels that count (`by`, `on`), or all but these (`without`, `ignoring`)."""

    labels: tuple[str, ...] = ()
    excluded: bool = True

    def of(self, labels: "Labels") -> "Labels":
        """The labels that count. The name of the metric never does."""
        return tuple(
            (name, value)
            for name, value in labels
            if name != NAME_LABEL and (name in self.labels) is not self.excluded
        )


Labels = tuple[tuple[str, str], ...]
"""Names and values, sorted by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Two operands. `returns_bool`: a comparison gives 0 and 1 instead of leaving out."""

    operator: str
    left: "Node"
    right: "Node"
    returns_bool: bool = False
    matching: Grouping = Grouping()


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregation:
    """Series of a group in one; of `topk` the largest `parameter`."""

    operator: str
    operand: "Node"
    grouping: Grouping
    parameter: "Node | None" = None


Node = Number | Selector | Call | Negation | Operation | Aggregation


def selectors_of(node: Node) -> tuple[Selector, ...]:
    """Every selector in an expression."""
    match node:
        case Selector():
            return (node,)
        case Call(arguments=arguments):
            return tuple(one for argument in arguments for one in selectors_of(argument))
        case Negation(operand=operand):
            return selectors_of(operand)
        case Operation(left=left, right=right):
            return selectors_of(left) + selectors_of(right)
        case Aggregation(operand=operand):
            return selectors_of(operand)
        case _:
            return ()
