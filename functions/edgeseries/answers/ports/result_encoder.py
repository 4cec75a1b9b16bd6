"""Columns to text: in Python by `answers/encoding.py`, in the kernel by `platform/kernel.py`."""

from typing import Protocol

from edgeseries.answers.result_format import ResultFormat
from edgeseries.series.samples import Samples


class ResultEncoder(Protocol):
    """Writes samples as text, the same on every host. Nothing is kept between calls."""

    def part(self, form: ResultFormat, point: str, samples: Samples) -> bytes:
        """Some samples of a point: lines of NDJSON or CSV, or `[time,value]` with commas between for JSON.

        What stands around them is for a `ResultWriter` to say. If a text of JSON holds half of a surrogate
        pair, all of the part is ASCII. Numbers are the shortest that read back, as Python's `repr` has them.
        """
        ...
