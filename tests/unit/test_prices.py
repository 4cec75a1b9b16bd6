"""The price table: allowances, rounding, and the bill, against figures worked out by hand."""

import datetime as dt
import re

import pytest

from edgeseries.metrics import prices
from edgeseries.metrics.prices import PRICES, Price, bill


def one(meter: str) -> Price:
    return prices.BY_METER[meter]


@pytest.mark.parametrize(
    ("meter", "used", "usd"),
    [
        ("requests", 10_000_000, 0.0),
        ("requests", 12_500_000, 0.75),
        ("cpu_ms", 40_000_000, 0.20),
        # R2 bills whole millions and whole GB.
        ("r2_class_a", 1_000_000, 0.0),
        ("r2_class_a", 1_000_001, 4.50),
        ("r2_class_b", 11_500_000, 0.72),
        ("r2_storage_gb", 10.0, 0.0),
        ("r2_storage_gb", 1_000.2, 991 * 0.015),
        ("d1_rows_read", 26_000_000_000, 1.0),
        ("d1_rows_written", 50_500_000, 0.50),
        ("d1_storage_gb", 7, 1.50),
        ("queue_operations", 1_500_000, 0.20),
        ("analytics_points", 14_000_000, 1.0),
        ("observability_gb", 54, 1.0),
    ],
)
def test_what_is_over_the_allowance_is_billed(meter: str, used: float, usd: float) -> None:
    assert one(meter).usd_of(used) == pytest.approx(usd)


@pytest.mark.parametrize("price", PRICES, ids=[price.meter for price in PRICES])
def test_every_price_names_its_source_and_its_day(price: Price) -> None:
    assert re.fullmatch(r"developers\.cloudflare\.com/[a-z0-9/-]+", price.source)
    assert dt.date.fromisoformat(price.read_on)
    assert price.from_date is None or dt.date.fromisoformat(price.from_date)
    assert price.usd > 0
    assert price.per_count > 0


def test_an_idle_month_costs_the_plan() -> None:
    assert bill({}).total_usd == prices.PLAN_USD
    assert [line.price for line in bill({}).lines] == list(PRICES)


def test_the_lines_add_up() -> None:
    made = bill({"requests": 11_000_000, "r2_class_a": 3_000_000})
    assert made.total_usd == pytest.approx(5 + 0.30 + 9.00)
    assert {line.price.meter: line.usd for line in made.lines if line.usd} == pytest.approx(
        {"requests": 0.30, "r2_class_a": 9.00}
    )


def test_a_meter_that_nobody_bills_is_no_meter() -> None:
    with pytest.raises(KeyError, match="r2_class_c"):
        bill({"r2_class_c": 1})


@pytest.mark.parametrize(
    ("message_bytes", "deliveries", "operations"),
    [(200, 10, 30), (64_000, 10, 30), (64_001, 10, 60), (200, 14, 34)],
)
def test_a_message_is_three_operations_and_one_more_for_each_retry(
    message_bytes: int, deliveries: int, operations: int
) -> None:
    counted = prices.queue_operations(messages=10, deliveries=deliveries, message_bytes=message_bytes)
    assert counted == operations


def test_every_index_is_one_more_written_row() -> None:
    assert prices.d1_rows_written(rows=10, indexes=2) == 30
