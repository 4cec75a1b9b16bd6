"""The kernel beside the Python code inside workerd: blocks written, read, and made text."""

from typing import Any, Final

import httpx

from bench.by_set import client_of, months_by_set, timed_reply
from bench.finding import Figure, Finding, Measurement, Report, Setting
from bench.telemetry import Month, block_of
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block_columns import PythonBlockCodec

PYTHON_TIMES: Final = 2
KERNEL_TIMES: Final = 40
"""The kernel takes a millisecond, and the clock in the Worker moves by whole ones."""

WHAT: Final = ("encode", "decode", "json", "ndjson", "csv")
MICROSECOND: Final = 1e6
HOST_CODEC: Final = PythonBlockCodec(compressor=PackageCompression())


def _run(setting: Setting) -> Report:
    figures: list[Figure] = []
    findings: list[Finding] = []
    with client_of("kernel_worker.py") as client:
        for name, months in months_by_set(setting):
            figure = _figure(name, months, client)
            figures.append(figure)
            findings.extend(
                (
                    Finding(
                        what=f"{name}: blocks written in workerd",
                        measured=round(1 / figure["kernel_encode_us"], 2),
                        unit="M/s",
                        bound="encode-speed",
                        note=f"{figure['kernel_encode_us']} us a sample; Python {figure['python_encode_us']}",
                    ),
                    Finding(
                        what=f"{name}: blocks read in workerd",
                        measured=round(1 / figure["kernel_decode_us"], 2),
                        unit="M/s",
                        bound="decode-speed",
                        note=f"{figure['kernel_decode_us']} us a sample; Python {figure['python_decode_us']}",
                    ),
                    Finding(
                        what=f"{name}: blocks to CSV in workerd, Python's time in the kernel's",
                        measured=round(figure["python_csv_us"] / figure["kernel_csv_us"], 1),
                        unit="x",
                        note=f"{figure['kernel_csv_us']} us a sample",
                    ),
                )
            )
    return Report(findings=tuple(findings), figures=tuple(figures), method=METHOD)


def _figure(name: str, months: list[Month], client: httpx.Client) -> dict[str, Any]:
    count = sum(len(month.samples) for month in months)
    seconds: dict[str, float] = {}
    for month in months:
        for key, spent in _ask(client, month).items():
            seconds[key] = seconds.get(key, 0.0) + spent
    each = {
        f"{side}_{what}_us": round(seconds[f"{side}_{what}_s"] / count * MICROSECOND, 4)
        for what in WHAT
        for side in ("python", "kernel")
    }
    day_ms = {
        f"{side}_day_ms": round(seconds[f"{side}_day_s"] / len(months) * 1000, 3)
        for side in ("python", "kernel")
    }
    return {"set": name, "samples": count, **each, **day_ms}


def _ask(client: httpx.Client, month: Month) -> dict[str, float]:
    """Seconds of one month; the Worker compares both sides' columns and texts before it tells."""
    times = {"python": PYTHON_TIMES, "kernel": KERNEL_TIMES}
    return timed_reply(
        client,
        month,
        block_of(month, HOST_CODEC),
        times={f"{side}_times": count for side, count in times.items()},
        inside_s=lambda found: sum(spent * times[name.partition("_")[0]] for name, spent in found.items()),
    )


METHOD: Final = (
    "The bench Worker (bench/workers/kernel_worker.py) is bundled and run as every Worker is, on Pyodide in "
    "workerd; months spread evenly over each set, up to 60,000 samples of it, one block at a time. Both "
    "sides read the same stored bytes in the same event, in turns: Python to samples and on to text; the "
    "kernel to columns that Python gets, and on to text, brotli and the crossing of the border included. "
    "Writing includes the proof that the block reads back. Microseconds a sample; a day is the mean of the "
    "months. Blocks (with CPython's, too), columns and texts are compared byte for byte before anything is "
    "timed."
)

KERNEL_RUNTIME: Final = Measurement(
    name="kernel-in-workerd", bounds=frozenset({"encode-speed", "decode-speed"}), run=_run
)
