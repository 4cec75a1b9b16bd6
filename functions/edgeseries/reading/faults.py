"""Faults of the stores that a reader puts up with: counted by name, and a warning in the log."""

from collections import Counter
from typing import Protocol

from edgeseries.errors import EdgeError
from edgeseries.metrics.ports.journal import Journal


class Noting(Protocol):
    """Who counts faults and writes to the log."""

    @property
    def faults(self) -> Counter[str]:
        """Counts by name; the names are in `docs/formats/analytics.md`."""
        ...

    @property
    def journal(self) -> Journal:
        """The log."""
        ...


def note(noting: Noting, fault: str, error: EdgeError) -> None:
    """One fault counted, one warning in the log."""
    noting.faults[fault] += 1
    noting.journal.line("warning", fault, cause=error.detail)
