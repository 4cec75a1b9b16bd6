"""What an isolate counts in memory before it is written: requests, uses of objects, billed operations.

A busy router would otherwise write a row a hit. It knows no platform and no clock.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from edgeseries.limits import HOUR_MS, KEY_MEMORY_KEYS, MINUTE_MS
from edgeseries.metrics.adapters.buffer_limits import (
    FLUSH_AFTER_MS,
    FLUSH_REQUESTS,
    LATE_SITES_MAX,
    REQUEST_ROWS_MAX,
    USE_GRAIN_MS,
    USE_MAX_KEYS,
)
from edgeseries.metrics.adapters.upstream_counts import UpstreamCounts
from edgeseries.metrics.latency import BUCKETS, bucket_of
from edgeseries.metrics.ports.journal import RequestRecord
from edgeseries.planning.lateness import NO_LATENESS, Lateness, added, lateness_of

NO_VERDICT = "none"
"""In `request_analytics`, where no store is concerned."""

RequestKey = tuple[int, str, str, int, str]
"""The primary key of `request_analytics`."""


@dataclass(slots=True)
class RequestSums:
    """Sums over the requests of one key."""

    request_count: int = 0
    duration_sum_ms: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    sample_count: int = 0
    origin_samples: int = 0
    body_bytes: int = 0


@dataclass(slots=True)
class _Use:
    """Hits of one object that are not written yet, and when it was used and written last."""

    hits: int = 0
    used_ms: int = 0
    written_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is to be written now."""

    requests: dict[RequestKey, RequestSums]
    uses: tuple[tuple[str, int, int], ...]
    operations: Counter[str]
    keys: tuple[tuple[str, int], ...] = ()
    late: Mapping[str, Lateness] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.requests or self.uses or self.operations or self.keys or self.late)


class MetricsBuffer:
    """The counts of one isolate. `operations` are billed or paid for elsewhere, by the names of
    `platform_usage`; adapters add to it as they go, and to `upstreams`. `max_rows` sums of requests and
    `max_keys` uses are held.
    """

    def __init__(self, *, max_rows: int = REQUEST_ROWS_MAX, max_keys: int = USE_MAX_KEYS) -> None:
        self._max_rows = max_rows
        self._max_keys = max_keys
        self.operations: Counter[str] = Counter()
        self.upstreams = UpstreamCounts()
        self._requests: dict[RequestKey, RequestSums] = {}
        self._request_count = 0
        self._uses: dict[str, _Use] = {}
        self._key_hours: dict[str, int] = {}
        self._new_key_hours: dict[str, int] = {}
        self._late: dict[str, Lateness] = {}
        self._planned_ms: int | None = None

    def late(self, site: str, late_ms: Sequence[int]) -> None:
        """Count observations of how late samples came (LatenessNotes)."""
        if site in self._late or len(self._late) < LATE_SITES_MAX:
            self._late[site] = added(self._late.get(site, NO_LATENESS), lateness_of(late_ms))

    def request(self, record: RequestRecord, now_ms: int) -> None:
        """Count an answered request."""
        self.operations["requests"] += 1
        self.operations["upstream_samples"] += record.origin_samples
        if record.expected_ms is not None:
            self.operations["expected_answers"] += 1
            self.operations["expected_samples"] += record.expected_samples
            self.operations["delivered_samples"] += record.origin_samples
            self.operations["expected_ms"] += record.expected_ms
            self.operations["measured_ms"] += record.duration_ms
        key = (
            now_ms // MINUTE_MS * MINUTE_MS,
            record.endpoint,
            record.route,
            record.status // 100,
            record.cache_verdict or NO_VERDICT,
        )
        if key not in self._requests and len(self._requests) >= self._max_rows:
            return
        sums = self._requests.setdefault(key, RequestSums())
        self._request_count += 1
        sums.request_count += 1
        sums.duration_sum_ms += record.duration_ms
        sums.buckets[bucket_of(record.duration_ms)] += 1
        sums.sample_count += record.sample_count
        sums.origin_samples += record.origin_samples
        sums.body_bytes += record.body_bytes

    def used(self, keys: Iterable[str], now_ms: int) -> None:
        """Count a use of each object."""
        for key in keys:
            use = self._uses.get(key)
            if use is None:
                if len(self._uses) >= self._max_keys:
                    self._uses = {name: kept for name, kept in self._uses.items() if kept.hits}
                if len(self._uses) >= self._max_keys:
                    continue
                use = self._uses[key] = _Use()
            use.hits += 1
            use.used_ms = max(use.used_ms, now_ms)

    def key_used(self, key_id: str, now_ms: int) -> None:
        """Take note of a key's use, once an hour."""
        hour_ms = now_ms // HOUR_MS * HOUR_MS
        if self._key_hours.get(key_id) == hour_ms:
            return
        if len(self._key_hours) >= KEY_MEMORY_KEYS:
            self._key_hours.clear()  # The next use of each is counted again, which writes nothing new.
        self._key_hours[key_id] = self._new_key_hours[key_id] = hour_ms

    def full(self) -> bool:
        """Whether there is enough to write at once."""
        return self._request_count >= FLUSH_REQUESTS

    def plan(self, now_ms: int) -> bool:
        """Whether the asker is to write in FLUSH_AFTER_MS: nobody else is, or who was to did not."""
        if self._planned_ms is not None and now_ms < self._planned_ms + 2 * FLUSH_AFTER_MS:
            return False
        self._planned_ms = now_ms
        return True

    def take(self, now_ms: int) -> Taken:
        """What is to be written; it is not counted here any more."""
        self._planned_ms = None
        uses = []
        for key, use in self._uses.items():
            due = use.written_ms is None or now_ms - use.written_ms >= USE_GRAIN_MS
            if use.hits and due:
                uses.append((key, use.hits, use.used_ms))
                use.hits, use.written_ms = 0, now_ms
        taken = Taken(
            requests=self._requests,
            uses=tuple(uses),
            operations=+self.operations,
            keys=tuple(self._new_key_hours.items()),
            late=self._late,
        )
        self._late = {}
        self._new_key_hours = {}
        self._requests, self._request_count = {}, 0
        self.operations.clear()
        return taken

    def put_back(self, taken: Taken) -> None:
        """Count again what could not be written. Uses are let go: the next one counts as much."""
        self.operations.update(taken.operations)
        self._new_key_hours = {**dict(taken.keys), **self._new_key_hours}
        for site, lateness in taken.late.items():
            self._late[site] = added(self._late.get(site, NO_LATENESS), lateness)
        for key, sums in taken.requests.items():
            if key not in self._requests and len(self._requests) >= self._max_rows:
                continue
            there = self._requests.setdefault(key, RequestSums())
            self._request_count += sums.request_count
            there.request_count += sums.request_count
            there.duration_sum_ms += sums.duration_sum_ms
            there.buckets = [one + other for one, other in zip(there.buckets, sums.buckets, strict=True)]
            there.sample_count += sums.sample_count
            there.origin_samples += sums.origin_samples
            there.body_bytes += sums.body_bytes
