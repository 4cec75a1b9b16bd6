"""Registry: every measurement, in the order in which they run and are printed.

To add one: a file in `bench/measures/` that makes a Measurement, and a line here. A bound of
`bounds.py` that none of them measures is printed as not measured.
"""

from typing import Final

from bench.finding import Measurement
from bench.measures.codec import CODEC
from bench.measures.cold import COLD
from bench.measures.contention import CONTENTION
from bench.measures.dashboard import DASHBOARD
from bench.measures.formats import FORMATS
from bench.measures.jobs import JOBS
from bench.measures.kernel_runtime import KERNEL_RUNTIME
from bench.measures.latency import LATENCY
from bench.measures.monday import MONDAY
from bench.measures.questions import QUESTIONS
from bench.measures.results import RESULTS

MEASUREMENTS: Final[tuple[Measurement, ...]] = (
    LATENCY,
    CODEC,
    KERNEL_RUNTIME,
    COLD,
    CONTENTION,
    DASHBOARD,
    MONDAY,
    JOBS,
    RESULTS,
    FORMATS,
    QUESTIONS,
)

assert len({one.name for one in MEASUREMENTS}) == len(MEASUREMENTS)
