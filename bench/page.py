"""The page `docs/benchmarks.md`: the part between two marks is written from the reference record.

Owns the marks and that part. A test holds the page against the record.
"""

from pathlib import Path
from typing import Any, Final

from bench.table import HEADINGS, cells_of, figure_lines, markdown

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
BEGIN: Final = "<!-- begin: written by `make bench REFERENCE=1` from bench/results/reference.json -->"
END: Final = "<!-- end -->"


def page_text(record: dict[str, Any]) -> str:
    """The part of the page that a record makes."""
    machine = record["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    head = (
        f"Run of {record['date']}, commit `{record['commit']}`, on {machine['processors']} processors "
        f"({machine['processor']}), {machine['memory_mb']:,} MB, {machine['system']}, "
        f"Python {machine['python']}; {packages}. Data: {', '.join(record['sets'])}."
    )
    parts = [head, markdown(HEADINGS, map(cells_of, record["rows"]))]
    for name, figures in record["figures"].items():
        method = record["method"][name]
        parts.append(f"### {name}\n\n{method}")
        if figures:
            parts.append(markdown(*figure_lines(figures)))
    return "\n\n".join(parts)


def written(page: str, record: dict[str, Any]) -> str:
    """The page with its part made anew. Raises ValueError when the marks are not there."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} lacks its marks; put these two lines back: {BEGIN} and {END}")
    return f"{head}{BEGIN}\n\n{page_text(record)}\n\n{END}{tail}"
