"""The ResultEncoder in Python: the specification, and what runs where the kernel does not."""

import json

from edgeseries.answers.answer import json_bytes
from edgeseries.answers.instants import InstantTexts
from edgeseries.answers.text_form import TextForm
from edgeseries.limits import SECOND_MS
from edgeseries.series.samples import Samples
from edgeseries.series.values import Value


class PythonResultEncoder:
    """See the port. It remembers texts of instants, since points of a building share their times of day."""

    def __init__(self) -> None:
        self._texts = InstantTexts()

    def part(self, form: TextForm, samples: Samples, prefix: bytes = b"") -> bytes:
        """See the port."""
        match form:
            case TextForm.PAIRS:
                return json_bytes(list(zip(samples.times_ms, samples.values, strict=True)))[1:-1]
            case TextForm.LINES:
                return self._lines(prefix.decode(), samples)
            case TextForm.CSV:
                return self._csv(prefix.decode(), samples)
            case TextForm.VALUES:
                return json_bytes(list(samples.values))[1:-1]
            case TextForm.TIMES:
                return ",".join(map(str, samples.times_ms)).encode()
            case TextForm.SECONDS:
                return ",".join(map(_seconds, samples.times_ms)).encode()

    def _lines(self, start: str, samples: Samples) -> bytes:
        column = samples.values
        values = map(json.dumps, column) if column.places else map(repr, column.floats)
        lines = [
            f'{start}{at}","value":{value}}}\n'
            for at, value in zip(self._texts.of(samples.times_ms), values, strict=True)
        ]
        return "".join(lines).encode()

    def _csv(self, start: str, samples: Samples) -> bytes:
        values = map(csv_value, samples.values)
        rows = [
            f"{start}{at},{value}\r\n"
            for at, value in zip(self._texts.of(samples.times_ms), values, strict=True)
        ]
        return "".join(rows).encode(errors="replace")


def csv_value(value: Value) -> str:
    """A value as a field of CSV: a text in quotes, null as nothing."""
    if type(value) is float:
        return repr(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return csv_text(value) if isinstance(value, str) else str(value)


def csv_text(text: str) -> str:
    """A text as a field of CSV: always quoted."""
    return '"' + text.replace('"', '""') + '"'


def _seconds(at_ms: int) -> str:
    seconds, rest = divmod(at_ms, SECOND_MS)
    return f"{seconds}.{rest:03d}" if rest else str(seconds)
