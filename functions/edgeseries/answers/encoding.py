"""The ResultEncoder in Python: the specification, and what runs where the kernel does not."""

import json

from edgeseries.answers.answer import json_bytes
from edgeseries.answers.formats import csv_text, line_start
from edgeseries.answers.instants import InstantTexts
from edgeseries.answers.result_format import ResultFormat
from edgeseries.series.samples import Samples
from edgeseries.series.values import Value


class PythonResultEncoder:
    """See the port. It remembers texts of instants, since points of a building share their times of day."""

    def __init__(self) -> None:
        self._texts = InstantTexts()

    def part(self, form: ResultFormat, point: str, samples: Samples) -> bytes:
        """See the port."""
        match form:
            case ResultFormat.JSON:
                return json_bytes(list(zip(samples.times_ms, samples.values, strict=True)))[1:-1]
            case ResultFormat.NDJSON:
                return self._ndjson(line_start(form, point), samples)
            case ResultFormat.CSV:
                return self._csv(line_start(form, point), samples)

    def _ndjson(self, start: str, samples: Samples) -> bytes:
        column = samples.values
        values = map(json.dumps, column) if column.places else map(repr, column.floats)
        lines = [
            f'{start}{at}","value":{value}}}\n'
            for at, value in zip(self._texts.of(samples.times_ms), values, strict=True)
        ]
        return "".join(lines).encode()

    def _csv(self, start: str, samples: Samples) -> bytes:
        values = map(_csv_value, samples.values)
        rows = [
            f"{start}{at},{value}\r\n"
            for at, value in zip(self._texts.of(samples.times_ms), values, strict=True)
        ]
        return "".join(rows).encode(errors="replace")


def _csv_value(value: Value) -> str:
    if type(value) is float:
        return repr(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return csv_text(value) if isinstance(value, str) else str(value)
