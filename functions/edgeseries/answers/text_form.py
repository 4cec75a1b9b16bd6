"""The forms of text that samples are written in, in Python and in the kernel alike."""

from enum import StrEnum


class TextForm(StrEnum):
    """How samples become text. The values are the names that `platform/kernel.mjs` knows them by."""

    PAIRS = "json"
    """`[time,value]` with commas between, times in epoch milliseconds."""
    LINES = "ndjson"
    """`<prefix><instant>","value":<value>}` and a line feed, all of it ASCII."""
    CSV = "csv"
    """`<prefix><instant>,<value>` and CR LF; texts in quotes, null as nothing."""
    VALUES = "values"
    """Values alone as JSON, with commas between."""
    TIMES = "times"
    """Instants alone, epoch milliseconds, with commas between."""
    SECONDS = "seconds"
    """Instants alone, epoch seconds, with commas between; three decimals where there are milliseconds."""


UTF_8_FORMS = frozenset({TextForm.PAIRS, TextForm.VALUES})
"""Forms whose texts are UTF-8; all of a piece is ASCII if one holds half of a surrogate pair."""
