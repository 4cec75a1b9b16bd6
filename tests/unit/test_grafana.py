"""Dashboards ask for nothing that is not there: every column and every metric exists."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edgeseries.http.messages import HttpRequest
from edgeseries.metrics.adapters.data_points import BY_RECORD
from router.flow import answer
from tests.fake_stores import SqliteDatabase
from tests.made_ports import router_ports
from tests.made_statistics import fill

FOLDER = Path(__file__).parents[2] / "docs" / "grafana"
COLUMNS = {one.kind: one for one in BY_RECORD.values()}


def targets(name: str) -> list[tuple[str, dict[str, Any]]]:
    document = json.loads((FOLDER / name).read_text())
    return [(panel["title"], target) for panel in document["panels"] for target in panel["targets"]]


QUERIES = [(title, target["query"]) for title, target in targets("analytics-engine.json")]
EXPRESSIONS = [(title, target["expr"]) for title, target in targets("metrics.json")]


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=[title for title, _ in QUERIES])
def test_a_query_asks_one_kind_for_its_own_columns_and_weighs_samples(title: str, query: str) -> None:
    (kind,) = re.findall(r"blob1 = '(\w+)'", query)
    columns = COLUMNS[kind]
    for group, place in re.findall(r"\b(blob|double|index)(\d+)\b", query):
        held = {"blob": 1 + len(columns.blobs), "double": len(columns.doubles), "index": 1}[group]
        assert 1 <= int(place) <= held, f"{title}: {group}{place} of {kind}"
    assert "_sample_interval" in query or "max(" in query
    assert "$timeFilter" in query
    assert "FROM $dataset" in query


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=[title for title, _ in QUERIES])
def test_a_column_is_shown_under_its_own_name(title: str, query: str) -> None:
    (kind,) = re.findall(r"blob1 = '(\w+)'", query)
    names = ["kind", *(name for name, _ in COLUMNS[kind].blobs)]
    for place, alias in re.findall(r"\bblob(\d+) AS (\w+)", query):
        assert names[int(place) - 1] == alias, title


def exposed() -> dict[str, set[str]]:
    """Sample names with their labels, of a system that has some of everything."""
    database = SqliteDatabase()
    fill(database)
    ports = router_ports(database=database)
    request = HttpRequest(method="GET", path="/api/metrics", request_id="r", arrived_ms=ports.clock.now_ms())
    body = asyncio.run(answer(request, ports)).body.decode()
    database.close()
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(body):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS, ids=[title for title, _ in EXPRESSIONS])
def test_an_expression_names_metrics_and_labels_that_are_exposed(title: str, expression: str) -> None:
    metrics = exposed()
    names = re.findall(r"\bedgeseries_\w+", expression)
    assert names
    assert set(names) <= set(metrics), title
    labels = set(re.findall(r"(\w+)(?:=|!=)\"", expression))
    for grouped in re.findall(r"by \(([^)]*)\)", expression):
        labels |= {label.strip() for label in grouped.split(",")}
    for name in names:
        assert labels <= metrics[name], f"{title}: {name} has {metrics[name]}"


def test_panels_do_not_overlap() -> None:
    for name in ("analytics-engine.json", "metrics.json"):
        panels = json.loads((FOLDER / name).read_text())["panels"]
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
        assert len(set(places)) == len(places)
        assert len({panel["id"] for panel in panels}) == len(panels)
