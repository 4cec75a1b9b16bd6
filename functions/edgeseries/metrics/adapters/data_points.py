"""Records as points of Analytics Engine: which column holds what. It knows no platform.

One dataset holds three kinds of points; `blob1` distinguishes them, and the doubles of each kind are
its own. `docs/formats/analytics.md` is compared with these tables in a test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from edgeseries.metrics.ports.journal import BatchRecord, RequestRecord, SweepRecord

MAX_BLOBS: Final = 20
MAX_BLOB_BYTES: Final = 16_000
"""All blobs of a point together."""
MAX_DOUBLES: Final = 20
MAX_INDEX_BYTES: Final = 96
POINTS_OF_AN_INVOCATION: Final = 250
"""Analytics Engine limits, 2026."""

MESSAGES_OF_AN_INVOCATION: Final = 100
"""What a queue hands to one invocation at most, each a point (Queues limits, 2026). A request and a sweep
are one point each."""

Text = tuple[str, Callable[[Any], str]]
Number = tuple[str, Callable[[Any], float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns of one kind of record: names as the docs have them, and where each value comes from."""

    kind: str
    index: Callable[[Any], str]
    blobs: tuple[Text, ...]
    doubles: tuple[Number, ...]

    def point_of(self, record: object) -> dict[str, list[Any]]:
        """The point, as the platform takes it. Texts are cut so that no point is refused for its size."""
        blobs = [read(record) for _, read in self.blobs]
        share_bytes = MAX_BLOB_BYTES // (len(blobs) + 1)
        return {
            "indexes": [_cut(self.index(record), MAX_INDEX_BYTES)],
            "blobs": [self.kind, *(_cut(text, share_bytes) for text in blobs)],
            "doubles": [read(record) for _, read in self.doubles],
        }


def _cut(text: str, max_bytes: int) -> str:
    return text.encode()[:max_bytes].decode(errors="ignore")


REQUEST: Final = Columns(
    kind="request",
    index=lambda one: one.endpoint,
    blobs=(
        ("endpoint", lambda one: one.endpoint),
        ("method", lambda one: one.method),
        ("route", lambda one: one.route),
        ("cache_verdict", lambda one: one.cache_verdict),
    ),
    doubles=(
        ("status", lambda one: one.status),
        ("duration_ms", lambda one: one.duration_ms),
        ("origin_ms", lambda one: one.origin_ms),
        ("point_count", lambda one: one.point_count),
        ("sample_count", lambda one: one.sample_count),
        ("body_bytes", lambda one: one.body_bytes),
        ("origin_samples", lambda one: one.origin_samples),
        ("store_faults", lambda one: one.store_faults),
        ("dropped_rows", lambda one: one.dropped_rows),
    ),
)

BATCH: Final = Columns(
    kind="batch",
    index=lambda _: "batch",
    blobs=(("outcome", lambda one: one.outcome), ("priority", lambda one: one.priority)),
    doubles=(
        ("duration_ms", lambda one: one.duration_ms),
        ("origin_ms", lambda one: one.origin_ms),
        ("point_count", lambda one: one.point_count),
        ("sample_count", lambda one: one.sample_count),
        ("block_count", lambda one: one.block_count),
        ("attempt", lambda one: one.attempt),
        ("dropped_rows", lambda one: one.dropped_rows),
    ),
)

SWEEP: Final = Columns(
    kind="sweep",
    index=lambda _: "sweep",
    blobs=(),
    doubles=(
        ("duration_ms", lambda one: one.duration_ms),
        ("late_ms", lambda one: one.late_ms),
        ("duty_count", lambda one: one.duty_count),
        ("failed_count", lambda one: one.failed_count),
        ("held_count", lambda one: one.held_count),
        ("changed_count", lambda one: one.changed_count),
    ),
)

BY_RECORD: Final[dict[type, Columns]] = {RequestRecord: REQUEST, BatchRecord: BATCH, SweepRecord: SWEEP}

assert MESSAGES_OF_AN_INVOCATION <= POINTS_OF_AN_INVOCATION
assert all(len(one.blobs) < MAX_BLOBS and len(one.doubles) <= MAX_DOUBLES for one in BY_RECORD.values())
