"""What Cloudflare allows, on a paid plan: the one table of the platform's limits that concern this system.

Pure data. Bounds of our own derive from it (`limits.py` and the `limits.py` of domains), and the local host
counts by it (`local/host/limits.mjs`), because workerd on a machine of one's own enforces few of them. What
has been lowered by a setting (the CPU time of a Worker) is the stack's affair.

Sources: developers.cloudflare.com, Workers, D1, R2, Queues and Analytics Engine, pages "Limits", as of 2026.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """What a limit is counted over."""

    EVENT = "event"
    """One invocation of a handler, with the work that it hands to waitUntil."""

    ISOLATE = "isolate"
    CALL = "call"
    OBJECT = "object"


class LocalHost(StrEnum):
    """What the local host does about a limit."""

    REFUSES = "refuses"
    """The call that passes it fails, as on the platform, and the event is reported."""

    REPORTS = "reports"
    """The event is reported, and goes on."""

    WAITS = "waits"
    """The call waits for its turn, as on the platform."""

    FAILS = "fails"
    """The call fails with the platform's own error, which is an answer that callers must expect."""

    NOT_COUNTED = "not counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformLimit:
    """One limit: its name in reports, the largest value that is allowed, in `unit`."""

    name: str
    value: int
    unit: str
    scope: Scope
    local_host: LocalHost
    source: str


MB: Final = 1_000_000
KB: Final = 1_000

# --- an event ------------------------------------------------------------------
SUBREQUESTS: Final = PlatformLimit(
    name="subrequests",
    value=10_000,
    unit="calls",
    scope=Scope.EVENT,
    local_host=LocalHost.REFUSES,
    source="Workers limits, 2026-07: fetch, R2, D1, queue sends and the Cache API together",
)
D1_QUERIES: Final = PlatformLimit(
    name="d1_queries",
    value=1_000,
    unit="statements",
    scope=Scope.EVENT,
    local_host=LocalHost.REFUSES,
    source="D1 limits, 2026-04: queries per Worker invocation; here each statement of a batch is one",
)
CACHE_CALLS: Final = PlatformLimit(
    name="cache_calls",
    value=1_000,
    unit="calls",
    scope=Scope.EVENT,
    local_host=LocalHost.REFUSES,
    source="Workers limits, 2026-07: Cache API calls per request",
)
CONNECTIONS: Final = PlatformLimit(
    name="connections",
    value=6,
    unit="calls that wait for an answer's head",
    scope=Scope.EVENT,
    local_host=LocalHost.WAITS,
    source="Workers limits, 2026-04: fetch, R2, Cache API and queue sends; a seventh waits",
)
DATA_POINTS: Final = PlatformLimit(
    name="data_points",
    value=250,
    unit="points",
    scope=Scope.EVENT,
    local_host=LocalHost.REPORTS,
    source="Analytics Engine limits, 2026",
)
CPU_MS: Final = PlatformLimit(
    name="cpu_ms",
    value=300_000,
    unit="ms",
    scope=Scope.EVENT,
    local_host=LocalHost.REPORTS,
    source="Workers limits, 2026-07: the most that limits.cpu_ms takes; 30,000 where it is not set",
)
DEFAULT_CPU_MS: Final = 30_000
"""What a Worker has whose version sets no limits.cpu_ms (Workers limits, 2026-07)."""

FREQUENT_CRON_CPU_MS: Final = PlatformLimit(
    name="frequent_cron_cpu_ms",
    value=30_000,
    unit="ms",
    scope=Scope.EVENT,
    local_host=LocalHost.NOT_COUNTED,
    source="Workers limits, 2026-07: schedules that fire more often than hourly",
)
WAIT_UNTIL_MS: Final = PlatformLimit(
    name="wait_until_ms",
    value=30_000,
    unit="ms after the response",
    scope=Scope.EVENT,
    local_host=LocalHost.REPORTS,
    source="Workers limits, 2026-07: waitUntil",
)
WALL_MS: Final = PlatformLimit(
    name="wall_ms",
    value=15 * 60_000,
    unit="ms",
    scope=Scope.EVENT,
    local_host=LocalHost.REPORTS,
    source="Workers limits, 2026-07: queue batches and schedules; requests have none",
)
LOG_BYTES: Final = PlatformLimit(
    name="log_bytes",
    value=256 * KB,
    unit="bytes",
    scope=Scope.EVENT,
    local_host=LocalHost.REPORTS,
    source="Workers limits, 2026-07: log data per request",
)

# --- an isolate -----------------------------------------------------------------
MEMORY_BYTES: Final = PlatformLimit(
    name="memory_bytes",
    value=128 * MB,
    unit="bytes",
    scope=Scope.ISOLATE,
    local_host=LocalHost.REPORTS,
    source="Workers limits, 2026-07: JavaScript heap and WebAssembly memory together",
)

# --- HTTP -----------------------------------------------------------------------
URL_BYTES: Final = PlatformLimit(
    name="url_bytes",
    value=16_384,
    unit="bytes",
    scope=Scope.CALL,
    local_host=LocalHost.NOT_COUNTED,
    source="Workers limits, 2026-07",
)
HEADERS_BYTES: Final = PlatformLimit(
    name="headers_bytes",
    value=128 * KB,
    unit="bytes",
    scope=Scope.CALL,
    local_host=LocalHost.REPORTS,
    source="Workers limits, 2026-07: all headers of a request, and of a response",
)

# --- D1 -------------------------------------------------------------------------
D1_PARAMETERS: Final = PlatformLimit(
    name="d1_parameters",
    value=100,
    unit="parameters of a statement",
    scope=Scope.CALL,
    local_host=LocalHost.REFUSES,
    source="D1 limits, 2026-04",
)
D1_STATEMENT_BYTES: Final = PlatformLimit(
    name="d1_statement_bytes",
    value=100_000,
    unit="bytes",
    scope=Scope.CALL,
    local_host=LocalHost.REFUSES,
    source="D1 limits, 2026-04",
)
D1_VALUE_BYTES: Final = PlatformLimit(
    name="d1_value_bytes",
    value=2 * MB,
    unit="bytes of one value or row",
    scope=Scope.CALL,
    local_host=LocalHost.REFUSES,
    source="D1 limits, 2026-04",
)

# --- R2 -------------------------------------------------------------------------
R2_KEY_BYTES: Final = PlatformLimit(
    name="r2_key_bytes",
    value=1_024,
    unit="bytes",
    scope=Scope.CALL,
    local_host=LocalHost.REFUSES,
    source="R2 limits, 2026",
)
R2_METADATA_BYTES: Final = PlatformLimit(
    name="r2_metadata_bytes",
    value=8_192,
    unit="bytes of custom metadata",
    scope=Scope.CALL,
    local_host=LocalHost.REFUSES,
    source="R2 limits, 2026",
)
R2_KEYS: Final = PlatformLimit(
    name="r2_keys",
    value=1_000,
    unit="keys of one delete, objects of one list",
    scope=Scope.CALL,
    local_host=LocalHost.REFUSES,
    source="R2 Workers API reference, 2026",
)
R2_KEY_WRITES: Final = PlatformLimit(
    name="r2_key_writes",
    value=1,
    unit="writes to one key a second",
    scope=Scope.OBJECT,
    local_host=LocalHost.FAILS,
    source="R2 limits, 2026: more are answered by error 10058 (429)",
)

# --- Queues ---------------------------------------------------------------------
QUEUE_MESSAGE_BYTES: Final = PlatformLimit(
    name="queue_message_bytes",
    value=128 * KB,
    unit="bytes",
    scope=Scope.CALL,
    local_host=LocalHost.REFUSES,
    source="Queues limits, 2026: about 100 bytes are the platform's",
)
QUEUE_SEND_MESSAGES: Final = PlatformLimit(
    name="queue_send_messages",
    value=100,
    unit="messages of one sendBatch",
    scope=Scope.CALL,
    local_host=LocalHost.REFUSES,
    source="Queues limits, 2026",
)
QUEUE_SEND_BYTES: Final = PlatformLimit(
    name="queue_send_bytes",
    value=256 * KB,
    unit="bytes of one sendBatch",
    scope=Scope.CALL,
    local_host=LocalHost.REFUSES,
    source="Queues limits, 2026",
)
QUEUE_DELAY_S: Final = PlatformLimit(
    name="queue_delay_s",
    value=86_400,
    unit="s",
    scope=Scope.CALL,
    local_host=LocalHost.REFUSES,
    source="Queues limits, 2026: delay of a message",
)
QUEUE_BATCH_MESSAGES: Final = PlatformLimit(
    name="queue_batch_messages",
    value=100,
    unit="messages that a consumer is given",
    scope=Scope.EVENT,
    local_host=LocalHost.NOT_COUNTED,
    source="Queues limits, 2026",
)
QUEUE_BATCH_WAIT_S: Final = PlatformLimit(
    name="queue_batch_wait_s",
    value=60,
    unit="s",
    scope=Scope.EVENT,
    local_host=LocalHost.NOT_COUNTED,
    source="Queues limits, 2026: how long a batch may wait for company",
)
QUEUE_RETRIES: Final = PlatformLimit(
    name="queue_retries",
    value=100,
    unit="retries of a message",
    scope=Scope.CALL,
    local_host=LocalHost.NOT_COUNTED,
    source="Queues limits, 2026",
)

# --- Analytics Engine -----------------------------------------------------------
DATA_POINT_FIELDS: Final = PlatformLimit(
    name="data_point_fields",
    value=20,
    unit="blobs, and as many doubles",
    scope=Scope.CALL,
    local_host=LocalHost.REPORTS,
    source="Analytics Engine limits, 2026",
)
DATA_POINT_BLOB_BYTES: Final = PlatformLimit(
    name="data_point_blob_bytes",
    value=16_000,
    unit="bytes of all blobs",
    scope=Scope.CALL,
    local_host=LocalHost.REPORTS,
    source="workerd analytics-engine-impl.h, 2026-08",
)
DATA_POINT_INDEX_BYTES: Final = PlatformLimit(
    name="data_point_index_bytes",
    value=96,
    unit="bytes",
    scope=Scope.CALL,
    local_host=LocalHost.REPORTS,
    source="Analytics Engine limits, 2026",
)

ALL: Final = tuple(value for value in globals().copy().values() if isinstance(value, PlatformLimit))
"""Every limit, in the order above."""

assert len({limit.name for limit in ALL}) == len(ALL)
assert D1_QUERIES.value <= SUBREQUESTS.value
assert DEFAULT_CPU_MS <= CPU_MS.value <= WALL_MS.value
assert QUEUE_MESSAGE_BYTES.value <= QUEUE_SEND_BYTES.value
