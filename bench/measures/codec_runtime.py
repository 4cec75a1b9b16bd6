"""Block format inside workerd: the speed that the Workers have, on the bytes that CPython writes, too."""

import json
import tempfile
import time
from array import array
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx

from bench.alone import alone
from bench.finding import Figure, Finding, Measurement, Report, Setting
from bench.telemetry import Month, read_set, some_of
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block import encode_block

SAMPLES_MAX: Final = 60_000
"""Of a set: Python in the runtime takes some seconds for so many, three times over."""

QUICK_SAMPLES_MAX: Final = 4_000
QUICK_POINTS: Final = 2
TIMES: Final = 3
DAY_TIMES: Final = 50
"""A day takes some milliseconds, and the clock in the Worker moves by whole ones."""

TIMEOUT_S: Final = 300.0


def _run(setting: Setting) -> Report:
    figures: list[Figure] = []
    findings: list[Finding] = []
    with (
        tempfile.TemporaryDirectory(prefix="codec-") as folder,
        alone("codec_worker.py", Path(folder)) as url,
    ):
        for name, path in setting.sets.items():
            telemetry = read_set(path, points_max=QUICK_POINTS if setting.quick else None)
            months = some_of(telemetry.months, QUICK_SAMPLES_MAX if setting.quick else SAMPLES_MAX)
            if not months:
                continue
            setting.say(f"  {name}: {sum(len(month.samples) for month in months):,} samples")
            figure = _figure(name, months, url)
            figures.append(figure)
            findings.append(
                Finding(
                    what=f"{name}: one day of a block decoded in workerd",
                    measured=float(figure["day_ms"]),
                    unit="ms",
                )
            )
    return Report(findings=tuple(findings), figures=tuple(figures), method=METHOD)


def _figure(name: str, months: list[Month], url: str) -> Figure:
    count = sum(len(month.samples) for month in months)
    encode_s = decode_s = 0.0
    day_s: list[float] = []
    with httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False) as client:
        for month in months:
            order = _ask(client, month)
            encode_s += order["encode_s"]
            decode_s += order["decode_s"]
            day_s.append(order["day_s"])
    return {
        "set": name,
        "samples": count,
        "encode_samples_per_s": round(count / encode_s),
        "decode_samples_per_s": round(count / decode_s),
        "day_ms": round(median(day_s) * 1000, 3),
    }


def _ask(client: httpx.Client, month: Month) -> dict[str, Any]:
    """One month there and back; the bytes must be those that CPython makes."""
    key = month.key
    order = {
        "key": {"site": key.site, "point": key.point, "month": key.month},
        "days": month.days,
        "times": TIMES,
        "day_times": DAY_TIMES,
    }
    columns = array("q", month.samples.times_ms).tobytes() + _floats(month)
    started = time.perf_counter()
    reply = client.post("/", content=json.dumps(order).encode() + b"\n" + columns)
    outside_s = time.perf_counter() - started
    found: dict[str, Any] = reply.raise_for_status().json()
    inside_s = TIMES * (found["encode_s"] + found["decode_s"]) + DAY_TIMES * found["day_s"]
    if not 0 < inside_s < outside_s:
        raise AssertionError(f"the Worker's clock told {inside_s} s of {outside_s} s: it does not move there")
    here = encode_block(key, month.days, month.samples, PackageCompression())
    if found["sha256"] != sha256(here).hexdigest():
        raise AssertionError(f"workerd and CPython write different blocks of {key}")
    return found


def _floats(month: Month) -> bytes:
    return array("d", month.samples.values).tobytes()  # type: ignore[type-var]  # all floats here


METHOD: Final = (
    "The bench Worker (bench/workers/codec_worker.py) is bundled and run as every Worker is, on Pyodide "
    "in workerd with the runtime's own brotli; months spread evenly over each set, up to 60,000 samples "
    "of it. It times itself, months three times and a day fifty times, after a first one for warmth; "
    "its clock is checked against the time of the whole call from outside. Every block is compared with "
    "CPython's, byte for byte."
)

CODEC_RUNTIME: Final = Measurement(name="codec-in-workerd", bounds=frozenset(), run=_run)
