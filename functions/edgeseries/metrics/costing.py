"""What this month costs: what was counted, what is estimated, and where the month is going.

Prices are those of `metrics/prices.py`. Must not know how a use was counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from edgeseries.limits import DAY_MS, SECOND_MS
from edgeseries.metrics.prices import GB_BYTES, PRICES, Bill, bill

CPU_MS_A_REQUEST: Final = 4.0
"""CPU of an invocation, which a Worker cannot see of itself: an answer hit takes 3.8 ms, workerd and all,
on two cores (tests/runtime/test_upkeep.py). Requests that fetch, and batches, take more."""

ESTIMATED: Final = frozenset({"cpu_ms", "d1_rows_read"})
"""Meters that are not counted as the platform counts them."""

NOT_COUNTED: Final = frozenset({"d1_storage_gb", "analytics_queries", "observability_gb"})
"""Meters that no Worker sees: for these the bill says nothing."""

Basis = Literal["counted", "estimated", "not counted"]

_COUNTED: Final = frozenset(price.meter for price in PRICES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A calendar month in UTC, and which part of it is over."""

    start_ms: int
    end_ms: int
    elapsed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The bill if the month ended now, and the bill if it goes on as it began."""

    so_far: Bill
    whole_month: Bill


def month_at(now_ms: int) -> Month:
    """The month of an instant. Its first day counts as a whole one: projections of an hour are nonsense."""
    now = datetime.fromtimestamp(now_ms / SECOND_MS, tz=UTC)
    start = datetime(now.year, now.month, 1, tzinfo=UTC)
    end = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    start_ms, end_ms = round(start.timestamp()) * SECOND_MS, round(end.timestamp()) * SECOND_MS
    elapsed = max(now_ms - start_ms, DAY_MS) / (end_ms - start_ms)
    return Month(start_ms=start_ms, end_ms=end_ms, elapsed=elapsed)


def costs_of(operations: Mapping[str, int], *, stored_bytes: int, month: Month) -> Costs:
    """Bills of this month, from what was counted in it and what is stored now.

    What is stored is taken as stored all month long.
    """
    used = {name: float(count) for name, count in operations.items() if name in _COUNTED}
    used["cpu_ms"] = operations.get("requests", 0) * CPU_MS_A_REQUEST
    stored_gb = stored_bytes / GB_BYTES
    return Costs(
        so_far=bill({**used, "r2_storage_gb": stored_gb * month.elapsed}),
        whole_month=bill(
            {
                **{meter: count / month.elapsed for meter, count in used.items()},
                "r2_storage_gb": stored_gb,
            }
        ),
    )


def basis_of(meter: str) -> Basis:
    """How a meter's use is known."""
    if meter in NOT_COUNTED:
        return "not counted"
    return "estimated" if meter in ESTIMATED else "counted"


assert ESTIMATED | NOT_COUNTED <= _COUNTED
