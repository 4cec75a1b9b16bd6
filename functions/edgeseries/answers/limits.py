"""Bounds of answers: of their formats, of pages of points and files."""

from typing import Final

from edgeseries.limits import MAX_NAME_BYTES

WIDE_MAX_CELLS: Final = 500_000
"""Of an answer with a row for each instant and a column a point, empty ones too. A cell takes eight bytes as
a number and some twenty as text, so the largest takes less than WHOLE_MAX_SAMPLES of fetched samples."""

CODED_MIN_BYTES: Final = 1_400
"""A body below this fits into a packet of a network; coding it saves nothing."""

FILES_PAGE_POINTS: Final = 500
"""Points of a page of a result's files: at most eleven years each."""

POINT_PAGE_ROWS: Final = 1_000
"""Points of a page of a search that says no limit."""

POINT_PAGE_MAX_ROWS: Final = 10_000
"""Of one that does: 100 bytes each."""

MAX_SEARCH_CHARS: Final = 256
"""What points are looked for by. The longest names that we know of have about 100 characters."""

MAX_NAME_CURSOR_CHARS: Final = 4 * (MAX_NAME_BYTES + len("point:") + 2) // 3
"""A cursor that holds a name, in base64."""
