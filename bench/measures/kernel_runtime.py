"""The kernel beside the Python code inside workerd: blocks to columns, blocks to text."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx

from bench.alone import alone
from bench.finding import Figure, Finding, Measurement, Report, Setting
from bench.telemetry import Month, read_set, some_of
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block import encode_block

SAMPLES_MAX: Final = 60_000
"""Of a set: Python in the runtime takes some seconds for so many."""

QUICK_SAMPLES_MAX: Final = 4_000
QUICK_POINTS: Final = 2
PYTHON_TIMES: Final = 2
KERNEL_TIMES: Final = 40
"""The kernel takes a millisecond, and the clock in the Worker moves by whole ones."""

TIMEOUT_S: Final = 300.0
WHAT: Final = ("decode", "json", "ndjson", "csv")
MICROSECOND: Final = 1e6


def _run(setting: Setting) -> Report:
    figures: list[Figure] = []
    findings: list[Finding] = []
    with (
        tempfile.TemporaryDirectory(prefix="kernel-") as folder,
        alone("kernel_worker.py", Path(folder)) as url,
    ):
        for name, path in setting.sets.items():
            telemetry = read_set(path, points_max=QUICK_POINTS if setting.quick else None)
            months = some_of(telemetry.months, QUICK_SAMPLES_MAX if setting.quick else SAMPLES_MAX)
            if not months:
                continue
            setting.say(f"  {name}: {sum(len(month.samples) for month in months):,} samples")
            figure = _figure(name, months, url)
            figures.append(figure)
            findings.extend(
                (
                    Finding(
                        what=f"{name}: blocks to columns in workerd, Python's time in the kernel's",
                        measured=round(figure["python_decode_us"] / figure["kernel_decode_us"], 1),
                        unit="x",
                        note=f"{figure['kernel_decode_us']} us a sample",
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


def _figure(name: str, months: list[Month], url: str) -> dict[str, Any]:
    count = sum(len(month.samples) for month in months)
    seconds: dict[str, float] = {}
    with httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False) as client:
        for month in months:
            for key, spent in _ask(client, month).items():
                seconds[key] = seconds.get(key, 0.0) + spent
    each = {
        f"{side}_{what}_us": round(seconds[f"{side}_{what}_s"] / count * MICROSECOND, 4)
        for what in WHAT
        for side in ("python", "kernel")
    }
    return {"set": name, "samples": count, **each}


def _ask(client: httpx.Client, month: Month) -> dict[str, float]:
    """Seconds of one month; the Worker compares both sides' columns and texts before it tells."""
    key = month.key
    block = encode_block(key, month.days, month.samples, PackageCompression())
    order = {
        "key": {"site": key.site, "point": key.point, "month": key.month},
        "days": month.days,
        "python_times": PYTHON_TIMES,
        "kernel_times": KERNEL_TIMES,
    }
    started = time.perf_counter()
    reply = client.post("/", content=json.dumps(order).encode() + b"\n" + block)
    outside_s = time.perf_counter() - started
    found: dict[str, float] = reply.raise_for_status().json()
    times = {"python": PYTHON_TIMES, "kernel": KERNEL_TIMES}
    inside_s = sum(spent * times[name.partition("_")[0]] for name, spent in found.items())
    if not 0 < inside_s < outside_s:
        raise AssertionError(f"the Worker's clock told {inside_s} s of {outside_s} s: it does not move there")
    return found


METHOD: Final = (
    "The bench Worker (bench/workers/kernel_worker.py) is bundled and run as every Worker is, on Pyodide in "
    "workerd; months spread evenly over each set, up to 60,000 samples of it, one block at a time. Both "
    "sides read the same stored bytes in the same event, in turns: Python to samples and on to text; the "
    "kernel to columns that Python gets, and straight to text, brotli and the crossing of the border "
    "included. Microseconds a sample. Columns and texts of both are compared byte for byte before anything "
    "is timed."
)

KERNEL_RUNTIME: Final = Measurement(name="kernel-in-workerd", bounds=frozenset(), run=_run)
