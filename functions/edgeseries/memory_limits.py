"""What of an isolate's memory is for what: the one sum that has to come out.

The platform ends an isolate that passes its limit, and every request under way in it fails. Nearly all of an
isolate's memory is the interpreter's (WebAssembly), which grows and never shrinks, and grows by at least a
fifth at a time. So it is bounded by what may ever be needed at once, not by what is needed mostly. Measured
inside workerd (docs/adr/0011-real-counts.md).
"""

from typing import Final

from edgeseries.platform_limits import MEMORY_BYTES

ISOLATE_BYTES: Final = MEMORY_BYTES.value
"""What the platform gives an isolate."""

OUTSIDE_BYTES: Final = 8_000_000
"""Margin for what is not the interpreter's: the heap of JavaScript, an instance of the kernel, bodies on
their way."""

GROWTH_STEP: Final = 5
"""The interpreter's memory grows by a fifth at least (Emscripten), whatever is missing."""

HEAP_BYTES: Final = (ISOLATE_BYTES - OUTSIDE_BYTES) * GROWTH_STEP // (GROWTH_STEP + 1)
"""What may be needed of the interpreter's memory at once: a fifth more is what it may then have."""

# --- what is always there -------------------------------------------------------------
INTERPRETER_BYTES: Final = 40_000_000
"""The interpreter, its stack and the imported modules: 38 MB after the first requests of a router."""

ARROW_BYTES: Final = 4_000_000
"""arro3, once an isolate has written Arrow or Parquet or read Parquet: 3.5 MB without the files of its
libraries (`platform/native_libraries.py`), 23 with them. It is counted whether or not it is loaded."""

# --- what is remembered -------------------------------------------------------------
NAMES_BYTES: Final = 14_000_000
"""Names of points: in catalogues, directories, sets with known generations, and beside last samples."""

CATALOGUE_NAME_BYTES: Final = 147
DIRECTORY_POINT_BYTES: Final = 220
LATEST_POINT_BYTES: Final = 261
STAMPED_NAME_BYTES: Final = 125
"""What a name of 100 characters takes in each of them, measured in Pyodide."""

BLOCK_MEMORY_BYTES: Final = 8_000_000
"""Raw blocks that an isolate keeps: half a month of 1,000 five-minute points."""

LIVE_MEMORY_BYTES: Final = 4_000_000
"""Live edges that an isolate keeps."""

LIVE_SAMPLE_BYTES: Final = 16
"""A remembered sample: an instant and a number."""

# --- what answers take ----------------------------------------------------------------
BUDGET_BYTES: Final = 30_000_000
"""What the samples of all requests of an isolate may take together."""

STORED_SAMPLE_BYTES: Final = 118
"""What a stored sample takes while an answer is made of it, its text included: 108 measured at the peak
(207,000 samples as JSON)."""

FETCHED_SAMPLE_BYTES: Final = 195
"""The same for one that is fetched, with the upstream's text: at most 175 measured (103,000 samples)."""

RESULT_SAMPLE_BYTES: Final = 150
"""What a sample of a result's window takes while it is written. Its text is made chunk by chunk, outside of
the interpreter where the kernel is on."""

QUESTION_SAMPLE_BYTES: Final = 100
"""What a sample takes that becomes part of a bucket: its columns before and after they are put together, and
the interpreter's list of values where the kernel is off."""

BUDGET_SMALL_BYTES: Final = 900_000
"""A share that needs not wait behind larger ones: an answer of 7,600 stored samples, as dashboards ask."""

# --- the consumer -----------------------------------------------------------------------
CONSUMER_NAMES_BYTES: Final = 8_000_000
"""Names in its catalogues: it remembers no others."""

CONSUMER_SEGMENTS_BYTES: Final = 8_000_000
"""Segments that the batches under way have written."""

CONSUMER_BUDGET_BYTES: Final = 40_000_000
"""What the batches under way may hold together. A consumer keeps no blocks and no live edges."""

assert (
    INTERPRETER_BYTES + ARROW_BYTES + NAMES_BYTES + BLOCK_MEMORY_BYTES + LIVE_MEMORY_BYTES + BUDGET_BYTES
    <= HEAP_BYTES
)
assert (
    INTERPRETER_BYTES + ARROW_BYTES + CONSUMER_NAMES_BYTES + CONSUMER_SEGMENTS_BYTES + CONSUMER_BUDGET_BYTES
    <= HEAP_BYTES
)
assert HEAP_BYTES * (GROWTH_STEP + 1) // GROWTH_STEP + OUTSIDE_BYTES <= ISOLATE_BYTES
assert 32 * BUDGET_SMALL_BYTES <= BUDGET_BYTES
