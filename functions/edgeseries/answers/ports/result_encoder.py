"""Columns to text: in Python by `answers/encoding.py`, in the kernel by `platform/kernel.py`."""

from typing import Protocol

from edgeseries.answers.text_form import TextForm
from edgeseries.series.samples import Samples


class ResultEncoder(Protocol):
    """Writes samples as text, the same on every host. Nothing is kept between calls."""

    def part(self, form: TextForm, samples: Samples, prefix: bytes = b"") -> bytes:
        """Some samples of a series in a form; `prefix` is what a line begins with, up to its instant.

        What stands around them is for a `ResultWriter` to say. If a text of JSON holds half of a surrogate
        pair, all of the part is ASCII. Numbers are the shortest that read back, as Python's `repr` has them.
        """
        ...
