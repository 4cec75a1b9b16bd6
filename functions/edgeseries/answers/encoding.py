"""The ResultEncoder in Python: the specification, and what runs where the kernel does not."""

from edgeseries.answers.answer import json_bytes
from edgeseries.answers.formats import CsvWriter, NdjsonWriter, ResultFormat
from edgeseries.series.samples import Samples


class PythonResultEncoder:
    """See the port."""

    def part(self, form: ResultFormat, point: str, samples: Samples) -> bytes:
        """See the port."""
        match form:
            case ResultFormat.JSON:
                return json_bytes(list(zip(samples.times_ms, samples.values, strict=True)))[1:-1]
            case ResultFormat.NDJSON:
                return NdjsonWriter().part(point, samples)
            case ResultFormat.CSV:
                return CsvWriter().part(point, samples)
