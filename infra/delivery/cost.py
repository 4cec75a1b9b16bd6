"""`make cost`: what a month would cost, by product, for a workload described by four numbers.

Owns how a workload becomes counted operations: `Assumptions` says how many of each one read, job or stored
byte takes, and where the number comes from. The prices are those of `edgeseries.metrics.prices`, which
`/api/stats` uses, too, with what was really counted. Must not know prices of its own.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edgeseries.metrics.prices import Bill, bill, d1_rows_written, queue_operations

TB_GB: Final = 1_000
MONTH_MINUTES: Final = 30 * 24 * 60
D1_MAX_GB: Final = 10
"""Of one database, and it cannot be raised (D1 platform limits, 2026-04)."""

REFERENCE_CACHED_TB: Final = 1.0
REFERENCE_READS: Final = 10_000_000
REFERENCE_JOBS: Final = 500_000
REFERENCE_JOB_SAMPLES: Final = 100_000
"""The reference example. A job of fewer samples would not have become one by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A month. `samples` are those that all jobs fetch; `hit_share` of the reads are cached answers."""

    cached_tb: float = REFERENCE_CACHED_TB
    reads: float = REFERENCE_READS
    jobs: float = REFERENCE_JOBS
    samples: float = REFERENCE_JOBS * REFERENCE_JOB_SAMPLES
    hit_share: float = 0.9
    janitor_minutes: float = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """How much of what one thing takes.

    Each is a default of the settings, a count of calls in the code, or a guess that is marked as one: put
    your own numbers, from /api/stats, in its place.
    """

    batch_samples: float = 250_000
    """Setting batchSamples: a batch at its limit."""
    piece_samples: float = 43_200
    """A month of one point at one sample a minute: what a batch puts into a block at a time."""
    block_samples: float = 525_600
    """A year of one point at one sample a minute."""
    message_bytes: int = 500
    """A message names a job and a batch; far below the 64 KB that count once."""
    job_polls: float = 5
    """A guess: looks at a job before it is done."""
    hit_cpu_ms: float = 5
    """A guess from local measures (docs/benchmarks.md): local CPU is not the edge's."""
    miss_cpu_ms: float = 150
    """A guess, likewise."""
    sample_cpu_ms: float = 0.004
    """A guess, likewise: fetched, coded, compressed and checked."""
    janitor_cpu_ms: float = 500
    """A guess."""
    miss_blocks: float = 10
    """A guess: blocks that an answer is made of, each a read from R2."""
    index_rows: float = 60
    """A guess: rows of the index and profiles scanned for one plan."""
    rows_bytes: float = 1_650
    """Of one row of the index of one-minute data, indexes and half-full pages included, as SQLite lays it
    down (tests/unit/test_cost.py); with the directory of five-minute data it is 790."""
    log_bytes: float = 1_000
    """A guess: one log line of ours and what the platform adds."""
    log_share: float = 0.1
    """logSamplingRate of Pulumi.prod.yaml."""
    stored_bytes_a_sample: float = 0.42
    """docs/benchmarks.md: from 0.3 for five-minute data to 2.7 for hourly meters."""


def used(work: Workload, per: Assumptions) -> Mapping[str, float]:
    """The counted use of a month by meter."""
    hits, misses = work.reads * work.hit_share, work.reads * (1 - work.hit_share)
    batches = max(work.jobs, work.samples / per.batch_samples)
    blocks_written = work.samples / per.piece_samples + misses
    messages = work.jobs + batches
    sweeps = MONTH_MINUTES / work.janitor_minutes
    polls = work.jobs * per.job_polls
    return {
        "requests": work.reads + work.jobs + polls + messages + sweeps,
        "cpu_ms": hits * per.hit_cpu_ms
        + misses * per.miss_cpu_ms
        + polls * per.hit_cpu_ms
        + work.samples * per.sample_cpu_ms
        + sweeps * per.janitor_cpu_ms,
        "r2_storage_gb": work.cached_tb * TB_GB,
        # Each block written is also read once to be merged; each miss keeps an answer.
        "r2_class_a": blocks_written + misses,
        "r2_class_b": hits + misses * (1 + per.miss_blocks) + blocks_written,
        "d1_rows_read": (misses + polls + batches * 3) * per.index_rows,
        # A block's row touches two indexes, a batch changes three times, a job five times.
        "d1_rows_written": d1_rows_written(rows=blocks_written + misses, indexes=2)
        + d1_rows_written(rows=3 * batches + 5 * work.jobs, indexes=1)
        + d1_rows_written(rows=MONTH_MINUTES, indexes=0) * 10,
        "d1_storage_gb": index_rows(work, per) * per.rows_bytes / 1e9,
        "queue_operations": queue_operations(
            messages=messages, deliveries=messages, message_bytes=per.message_bytes
        ),
        "analytics_points": work.reads + work.jobs + batches + sweeps,
        "observability_gb": (work.reads + messages) * per.log_bytes * per.log_share / 1e9,
    }


def index_rows(work: Workload, per: Assumptions) -> float:
    """Rows of the index: one for each block, a point's year."""
    return work.cached_tb * TB_GB * 1e9 / (per.stored_bytes_a_sample * per.block_samples)


def bill_table(made: Bill) -> str:
    """The bill as a table."""
    used = [line for line in made.lines if line.used_count]
    products = [line.price.product for line in used]
    uses = [f"{line.used_count:,.0f} {line.price.unit}" for line in used]
    included = [f"{line.price.included_count:,.0f}" for line in used]
    widths = [max(map(len, column), default=0) for column in (products, uses, included)]
    lines = [
        f"{product:{widths[0]}}  {use:>{widths[1]}}  {free:>{widths[2]}} included  {line.usd:9,.2f} $"
        for product, use, free, line in zip(products, uses, included, used, strict=True)
    ]
    plan, total = f"{'the plan':{widths[0]}}", f"{'a month':{widths[0]}}"
    blank = " " * (widths[1] + widths[2] + len("  included  ") + 1)
    return "\n".join(
        [*lines, f"{plan}  {blank}{made.plan_usd:9,.2f} $", f"{total}  {blank}{made.total_usd:9,.2f} $"]
    )


def main(words: list[str]) -> int:
    """Exit status 0; argparse ends with 2 for what is no number."""
    parser = argparse.ArgumentParser(prog="make cost", description=__doc__)
    parser.add_argument("--cached-tb", type=_amount, default=REFERENCE_CACHED_TB, help="TB in the cache")
    parser.add_argument("--reads", type=_amount, default=REFERENCE_READS, help="requests for time series")
    parser.add_argument("--jobs", type=_amount, default=REFERENCE_JOBS)
    parser.add_argument("--samples", type=_amount, default=None, help="fetched by all jobs together")
    parser.add_argument("--hit-share", type=_share, default=Workload().hit_share, help="of the reads")
    asked = parser.parse_args(words)
    samples = asked.jobs * REFERENCE_JOB_SAMPLES if asked.samples is None else asked.samples
    work = Workload(
        cached_tb=asked.cached_tb,
        reads=asked.reads,
        jobs=asked.jobs,
        samples=samples,
        hit_share=asked.hit_share,
    )
    print(
        f"{work.cached_tb:g} TB cached, {work.reads:,.0f} reads, {work.jobs:,.0f} jobs, {work.samples:,.0f} "
        f"samples a month; {work.hit_share:.0%} of the reads are cached answers"
    )
    use = used(work, Assumptions())
    print(bill_table(bill(use)))
    for warning in warnings_of(use):
        print(warning)
    return 0


def warnings_of(use: Mapping[str, float]) -> list[str]:
    """What the platform would not take, whatever is paid."""
    if use["d1_storage_gb"] <= D1_MAX_GB:
        return []
    needed = f"The index would need {use['d1_storage_gb']:.0f} GB, and a D1 database holds {D1_MAX_GB}"
    return [f"{needed}: split the sites over stacks, or keep less (cacheBudgetGb)."]


def _amount(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError("a number from 0 up")
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError("a number from 0 to 1")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
