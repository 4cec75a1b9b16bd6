"""The bench Worker's entry: one block written, read and made text, by Python and by the kernel, in workerd.

POST a block: a line of JSON (names, days, how often), then its bytes. The source is uploaded as text by
`bench/measures/kernel_runtime.py`; nothing imports it here.
"""
# mypy: disable-error-code="misc"

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workers import Response, WorkerEntrypoint

from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.pieces import rendered, texts_of
from edgeseries.answers.text_form import TextForm
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.year_block import decode_year_days
from edgeseries.blocks.year_encoding import merged_year
from edgeseries.blocks.year_header import YearKey
from edgeseries.platform.compression_workers import RuntimeCompression
from edgeseries.platform.exchange import bounded_body
from edgeseries.platform.kernel import KernelBlockCodec, KernelResultEncoder
from edgeseries.series.image import image_of

if TYPE_CHECKING:
    from edgeseries.answers.ports.result_encoder import ResultEncoder
    from edgeseries.blocks.ports.block_codec import BlockCodec

MAX_BODY_BYTES = 20_000_000


class Default(WorkerEntrypoint):
    """A block in, seconds out."""

    async def fetch(self, request: Any) -> Any:
        data = await bounded_body(request.js_object.body, MAX_BODY_BYTES)
        assert data is not None
        line, _, block = data.partition(b"\n")
        order = json.loads(line)
        key, days = YearKey(**order["key"]), int(order["days"])
        compression = RuntimeCompression()
        python = PythonBlockCodec(compressor=compression)
        kernel = KernelBlockCodec(python)
        codecs: dict[str, BlockCodec] = {"python": python, "kernel": kernel}
        encoders: dict[str, ResultEncoder] = {
            "python": PythonResultEncoder(),
            "kernel": KernelResultEncoder(PythonResultEncoder()),
        }

        def text(side: str, form: TextForm) -> bytes:
            samples = decode_year_days(block, key, days, codecs[side])
            return b"".join(rendered([one], encoders[side]) for one in texts_of(form, samples, b"p,"))

        found = decode_year_days(block, key, days, python)
        assert image_of(found) == image_of(decode_year_days(block, key, days, kernel))

        def written(side: str) -> bytes:
            made = merged_year(None, key, 0, days, found, codecs[side])
            return b"" if made is None else made.data

        seconds: dict[str, float] = {}
        for side, codec in codecs.items():
            assert written(side) == block
            times = order[f"{side}_times"]
            seconds |= {
                f"{side}_encode_s": timed(times, lambda: written(side)),  # noqa: B023
                f"{side}_decode_s": timed(times, lambda: decode_year_days(block, key, days, codec)),  # noqa: B023
                f"{side}_day_s": timed(times, lambda: decode_year_days(block, key, days & -days, codec)),  # noqa: B023
            }
        for form in (TextForm.PAIRS, TextForm.LINES, TextForm.CSV):
            assert text("python", form) == text("kernel", form)
            for side in encoders:
                seconds[f"{side}_{form}_s"] = timed(order[f"{side}_times"], lambda: text(side, form))  # noqa: B023
        return Response(json.dumps(seconds))


def timed(times: int, work: Callable[[], object]) -> float:
    """Seconds of one of so many runs."""
    started = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - started) / times
