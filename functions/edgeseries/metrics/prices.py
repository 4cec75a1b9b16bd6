"""Prices: what the platform bills, its allowances, and the bill for a month's use.

Owns the one price table: `/api/stats` and `make cost` both read it. Every price names its source
and the day on which it was read. Must not know how a use was counted, nor what it was for.

All prices are those of the Workers Paid plan, in US dollars, without tax. Allowances belong to
the account, so two stacks of one account share them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MILLION: Final = 1_000_000
GB_BYTES: Final = 1_000_000_000
"""A billed GB is 10^9 bytes."""

READ_ON: Final = "2026-11-23"
"""The day on which the pages named below were read. A price without a date of its own is of this day."""

PLAN_USD: Final = 5.0
"""Workers Paid, a month, whatever is used. Source: developers.cloudflare.com/workers/platform/pricing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One meter: `usd` buys `per_count` units, after `included_count` units that cost nothing.

    `whole` says that a part of `per_count` is billed as all of it. `from_date` is set for a price that
    does not hold before that day.
    """

    meter: str
    product: str
    unit: str
    included_count: float
    per_count: int
    usd: float
    source: str
    read_on: str = READ_ON
    whole: bool = False
    from_date: str | None = None

    def usd_of(self, used_count: float) -> float:
        """What a month costs in which so many units were used; 0 within the allowance."""
        billed = max(0.0, used_count - self.included_count) / self.per_count
        return (math.ceil(billed) if self.whole else billed) * self.usd


_WORKERS: Final = "developers.cloudflare.com/workers/platform/pricing"
_R2: Final = "developers.cloudflare.com/r2/pricing"
_D1: Final = "developers.cloudflare.com/d1/platform/pricing"
_QUEUES: Final = "developers.cloudflare.com/queues/platform/pricing"
_ANALYTICS: Final = "developers.cloudflare.com/analytics/analytics-engine/pricing"

REQUESTS: Final = Price(
    meter="requests",
    product="Workers requests",
    unit="requests",
    included_count=10 * MILLION,
    per_count=MILLION,
    usd=0.30,
    source=_WORKERS,
)
"""Invocations of any kind: HTTP, batches of a queue, runs of a cron."""

CPU_MS: Final = Price(
    meter="cpu_ms",
    product="Workers CPU",
    unit="ms",
    included_count=30 * MILLION,
    per_count=MILLION,
    usd=0.02,
    source=_WORKERS,
)

R2_STORAGE_GB: Final = Price(
    meter="r2_storage_gb",
    product="R2 storage",
    unit="GB-months",
    included_count=10,
    per_count=1,
    usd=0.015,
    source=_R2,
    whole=True,
)

R2_CLASS_A: Final = Price(
    meter="r2_class_a",
    product="R2 writes and lists (class A)",
    unit="operations",
    included_count=MILLION,
    per_count=MILLION,
    usd=4.50,
    source=_R2,
    whole=True,
)
"""Put, list and multipart calls; a conditional put that loses is one, too."""

R2_CLASS_B: Final = Price(
    meter="r2_class_b",
    product="R2 reads (class B)",
    unit="operations",
    included_count=10 * MILLION,
    per_count=MILLION,
    usd=0.36,
    source=_R2,
    whole=True,
)
"""Get and head. Deletes cost nothing, and neither does what leaves R2."""

D1_ROWS_READ: Final = Price(
    meter="d1_rows_read",
    product="D1 rows read",
    unit="rows",
    included_count=25_000 * MILLION,
    per_count=MILLION,
    usd=0.001,
    source=_D1,
)
"""Rows that a query scans, not those that it returns."""

D1_ROWS_WRITTEN: Final = Price(
    meter="d1_rows_written",
    product="D1 rows written",
    unit="rows",
    included_count=50 * MILLION,
    per_count=MILLION,
    usd=1.00,
    source=_D1,
)

D1_STORAGE_GB: Final = Price(
    meter="d1_storage_gb",
    product="D1 storage",
    unit="GB-months",
    included_count=5,
    per_count=1,
    usd=0.75,
    source=_D1,
)

QUEUE_OPERATIONS: Final = Price(
    meter="queue_operations",
    product="Queues",
    unit="operations",
    included_count=MILLION,
    per_count=MILLION,
    usd=0.40,
    source=_QUEUES,
)

ANALYTICS_POINTS: Final = Price(
    meter="analytics_points",
    product="Analytics Engine points",
    unit="points",
    included_count=10 * MILLION,
    per_count=MILLION,
    usd=0.25,
    source=_ANALYTICS,
)
"""The platform's page says that billing has not begun; it is counted here as if it had."""

ANALYTICS_QUERIES: Final = Price(
    meter="analytics_queries",
    product="Analytics Engine queries",
    unit="queries",
    included_count=MILLION,
    per_count=MILLION,
    usd=1.00,
    source=_ANALYTICS,
)

OBSERVABILITY_GB: Final = Price(
    meter="observability_gb",
    product="Workers Logs",
    unit="GB",
    included_count=50,
    per_count=1,
    usd=0.25,
    source="developers.cloudflare.com/workers/observability/logs/workers-logs",
    from_date="2026-12-01",
)
"""Logs and traces by volume, from that day on; before it 20 M events are included, then $0.60 a million."""

PRICES: Final = (
    REQUESTS,
    CPU_MS,
    R2_STORAGE_GB,
    R2_CLASS_A,
    R2_CLASS_B,
    D1_ROWS_READ,
    D1_ROWS_WRITTEN,
    D1_STORAGE_GB,
    QUEUE_OPERATIONS,
    ANALYTICS_POINTS,
    ANALYTICS_QUERIES,
    OBSERVABILITY_GB,
)
BY_METER: Final[Mapping[str, Price]] = {price.meter: price for price in PRICES}

assert len(BY_METER) == len(PRICES)

QUEUE_BILLED_BYTES: Final = 64_000
"""A message counts once for each 64 KB that it begins. Source: Queues pricing."""
QUEUE_OPERATIONS_A_MESSAGE: Final = 3
"""Written, read, deleted."""


def queue_operations(*, messages: float, deliveries: float, message_bytes: int) -> float:
    """Billed operations of so many messages: each is written and deleted once, and read at each delivery."""
    parts = max(1, -(-message_bytes // QUEUE_BILLED_BYTES))
    return parts * ((QUEUE_OPERATIONS_A_MESSAGE - 1) * messages + deliveries)


def d1_rows_written(*, rows: float, indexes: int) -> float:
    """Billed rows of so many row writes, each of which also touches so many indexes."""
    return rows * (1 + indexes)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """What one meter costs in a month."""

    price: Price
    used_count: float
    usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A month's bill: the plan, and a line for each meter, used or not."""

    lines: tuple[BillLine, ...]
    plan_usd: float = PLAN_USD

    @property
    def total_usd(self) -> float:
        """The plan and all lines."""
        return self.plan_usd + sum(line.usd for line in self.lines)


def bill(used: Mapping[str, float]) -> Bill:
    """The bill for a month in which so much was used, by meter; KeyError for a meter not in PRICES."""
    for meter in used:
        BY_METER[meter]
    return Bill(
        lines=tuple(
            BillLine(
                price=price,
                used_count=used.get(price.meter, 0),
                usd=price.usd_of(used.get(price.meter, 0)),
            )
            for price in PRICES
        )
    )
