"""The table printer: a record's rows as text for a terminal, or as Markdown for the page."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

HEADINGS: Final = ("what", "measured", "bound", "holds?")
NOT_MEASURED: Final = "not measured"
VERDICTS: Final = {True: "yes", False: "NO", None: "-"}
RIGHT_ALIGNED: Final = frozenset({"measured"})


def cells_of(row: dict[str, Any]) -> tuple[str, ...]:
    """One row of the table as text."""
    known = row.get("measured") is not None
    measured = f"{number(row['measured'])} {row['unit']}" if known else NOT_MEASURED
    what = f"{row['what']} ({row['note']})" if row.get("note") else str(row["what"])
    return (what, measured, row.get("limit", "-"), VERDICTS[row.get("holds")])


def number(value: float) -> str:
    """A figure as one reads it: whole, or with three digits that say something."""
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) < 99 else f"{value:.1f}"  # noqa: PLR2004 - digits


def plain(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table for a terminal."""
    cells = [tuple(headings), *map(tuple, lines)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(headings))]
    aligned = [
        "  ".join(
            cell.rjust(width) if heading in RIGHT_ALIGNED else cell.ljust(width)
            for cell, width, heading in zip(line, widths, headings, strict=True)
        ).rstrip()
        for line in cells
    ]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([aligned[0], rule, *aligned[1:]])


def markdown(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table for the page."""
    marks = ["--:" if heading in RIGHT_ALIGNED else "---" for heading in headings]
    rows = [headings, marks, *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def figure_lines(figures: Sequence[dict[str, Any]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings and lines of a measurement's own figures; what a row lacks is a dash."""
    names = tuple(dict.fromkeys(name for row in figures for name in row))
    rows = [
        tuple(row[name] if isinstance(row.get(name), str) else _cell(row.get(name)) for name in names)
        for row in figures
    ]
    return tuple(name.replace("_", " ") for name in names), rows


def _cell(value: Any) -> str:
    return "-" if value is None else number(value)
