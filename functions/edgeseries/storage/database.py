"""A database as the index uses it: named statements with a few plain parameters.

D1 in `d1.py`, SQLite in the tests. A database that fails or is late raises StoreUnavailable.
Sets of values go in as one JSON text (`json_each`): D1 takes 100 parameters of a statement.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edgeseries.series.json_text import json_text
from edgeseries.storage.limits import PARAMETER_MAX_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A statement of one of the modules of statements, and its parameters in order."""

    sql: str
    parameters: tuple[str | float, ...]


Row = Sequence[Any]
"""Values in the order of the statement's columns, as JSON gives them."""


class Database(Protocol):
    """One database."""

    async def read(self, command: Command) -> list[Row]:
        """The rows of one statement."""
        ...

    async def write(self, commands: Sequence[Command]) -> list[list[Row]]:
        """All of the statements as one transaction, or none; the rows that each gave."""
        ...


def json_chunks(values: Iterable[Any], max_bytes: int = PARAMETER_MAX_BYTES) -> Iterator[tuple[str, int]]:
    """Values in order as texts of JSON arrays, each within the bound on a parameter, with their counts."""
    texts: list[str] = []
    size_bytes = 0
    for value in values:
        text = json_text(value)
        text_bytes = len(text.encode()) + len(",")
        if texts and size_bytes + text_bytes + len("[]") > max_bytes:
            yield f"[{','.join(texts)}]", len(texts)
            texts, size_bytes = [], 0
        texts.append(text)
        size_bytes += text_bytes
    if texts:
        yield f"[{','.join(texts)}]", len(texts)
