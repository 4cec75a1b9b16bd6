"""What a measurement gives: findings for the table, figures beside it, and how they came to be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Figure = Mapping[str, str | int | float]
"""One row of a measurement's own table. Units stand last in the names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the table. `bound` is a key of `bounds.py`, or None for a figure that only informs.

    With a bound, `unit` is the bound's.
    """

    what: str
    measured: float
    unit: str
    bound: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that one measurement found. `method` is a few plain sentences."""

    findings: tuple[Finding, ...]
    method: str
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What measurements run on. `sets` are folders of points, by name; `quick` asks for the short form,
    `large` for the whole size of what takes very long, `peers` for other systems beside ours.

    `sample` is the data that stands in the repository, the same on every machine.
    """

    sets: Mapping[str, Path]
    sample: Path
    quick: bool
    large: bool = False
    peers: bool = False
    say: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One file of `bench/measures/`: which bounds it measures, and how it runs.

    `run` may take minutes, starts what it needs and leaves nothing behind.
    """

    name: str
    bounds: frozenset[str]
    run: Callable[[Setting], Report]
