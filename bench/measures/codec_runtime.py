"""Block format inside workerd: the speed that the Workers have, on the bytes that CPython writes, too."""

from array import array
from hashlib import sha256
from statistics import median
from typing import Any, Final

import httpx

from bench.by_set import client_of, months_by_set, timed_reply
from bench.finding import Figure, Finding, Measurement, Report, Setting
from bench.telemetry import Month
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block import encode_block

TIMES: Final = 3
DAY_TIMES: Final = 50
"""A day takes some milliseconds, and the clock in the Worker moves by whole ones."""


def _run(setting: Setting) -> Report:
    figures: list[Figure] = []
    findings: list[Finding] = []
    with client_of("codec_worker.py") as client:
        for name, months in months_by_set(setting):
            figure = _figure(name, months, client)
            figures.append(figure)
            findings.append(
                Finding(
                    what=f"{name}: one day of a block decoded in workerd",
                    measured=float(figure["day_ms"]),
                    unit="ms",
                )
            )
    return Report(findings=tuple(findings), figures=tuple(figures), method=METHOD)


def _figure(name: str, months: list[Month], client: httpx.Client) -> Figure:
    count = sum(len(month.samples) for month in months)
    encode_s = decode_s = 0.0
    day_s: list[float] = []
    for month in months:
        reply = _ask(client, month)
        encode_s += reply["encode_s"]
        decode_s += reply["decode_s"]
        day_s.append(reply["day_s"])
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
    found = timed_reply(
        client,
        month,
        array("q", month.samples.times_ms).tobytes() + _floats(month),
        times={"times": TIMES, "day_times": DAY_TIMES},
        inside_s=lambda said: TIMES * (said["encode_s"] + said["decode_s"]) + DAY_TIMES * said["day_s"],
    )
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
