"""The configuration for wrangler: everything of the graph has its place, and no secret is written."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from delivery.programs import DeliveryFault
from delivery.wrangler import HEAD, config_of, write
from local.graph import Graph
from tests.made_graph import changed

SECRET_NAME = "UPSTREAM_TOKEN"  # noqa: S105 - the binding's name


def test_the_consumer_has_its_queues_and_the_janitor_its_cron(graphs: Mapping[str, Graph]) -> None:
    prod = graphs["prod"]
    consumer = config_of(prod, "consumer", database_ids={"d1database-db": "real-id"})
    assert consumer["name"] == "edgeseries-prod-consumer"
    assert consumer["main"] == "src/entry.py"
    assert consumer["account_id"] == "0123456789abcdef" * 2
    (database,) = consumer["d1_databases"]
    assert (database["binding"], database["database_name"]) == ("DB", "edgeseries-prod-db")
    assert database["database_id"] == "real-id"
    assert (Path(database["migrations_dir"]) / "0001_initial.sql").is_file()
    consumed = {one["queue"]: one for one in consumer["queues"]["consumers"]}
    assert "dead_letter_queue" not in consumed["edgeseries-prod-dead-letters"]
    assert config_of(prod, "janitor", database_ids={})["triggers"] == {"crons": ["*/15 * * * *"]}
    assert consumer["limits"] == {"cpu_ms": 300_000}


def test_the_settings_of_a_consumer_keep_their_meaning(graphs: Mapping[str, Graph]) -> None:
    settings = {"batchSize": 7, "maxWaitTimeMs": 2500, "maxRetries": 4, "maxConcurrency": 9, "retryDelay": 6}
    prod = graphs["prod"]
    resources = changed(prod.resources, "QueueConsumer::jobs-high", settings=settings)
    config = config_of(replace(prod, resources=tuple(resources)), "consumer", database_ids={})
    (high,) = (one for one in config["queues"]["consumers"] if one["queue"] == "edgeseries-prod-jobs-high")
    assert high == {
        "queue": "edgeseries-prod-jobs-high",
        "max_batch_size": 7,
        "max_batch_timeout": 2.5,
        "max_retries": 4,
        "max_concurrency": 9,
        "retry_delay": 6,
        "dead_letter_queue": "edgeseries-prod-dead-letters",
    }


def test_secrets_are_named_and_not_written(
    tmp_path: Path, graphs: Mapping[str, Graph], secrets: Mapping[str, str]
) -> None:
    folders = write(graphs["prod"], tmp_path, database_ids={})
    assert [folder.name for folder in folders] == ["consumer", "janitor", "router"]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert not [key for key, text in secrets.items() if text.encode() in path.read_bytes()], path
    for folder in folders:
        text = (folder / "wrangler.jsonc").read_text()
        assert text.startswith(HEAD)
        assert SECRET_NAME in json.loads(text.removeprefix(HEAD))["secrets"]["required"]


def test_what_was_there_goes_but_for_what_is_the_readers(tmp_path: Path, graphs: Mapping[str, Graph]) -> None:
    stale = tmp_path / "router" / "src" / "stale.py"
    stale.parent.mkdir(parents=True)
    stale.touch()
    mine = tmp_path / "router" / ".dev.vars"
    mine.write_text("UPSTREAM_TOKEN=mine")
    write(graphs["dev"], tmp_path, database_ids={})
    assert not stale.exists()
    assert mine.read_text() == "UPSTREAM_TOKEN=mine"
    assert (tmp_path / "router" / "python_modules" / "workers" / "__init__.py").is_file()


def test_a_custom_domain_is_a_route(graphs: Mapping[str, Graph]) -> None:
    dev = graphs["dev"]
    (worker,) = (one for one in dev.of_type("Worker") if one.name == "router")
    domain = replace(
        worker,
        type="cloudflare:index/workersCustomDomain:WorkersCustomDomain",
        inputs=MappingProxyType({"service": "edgeseries-dev-router", "hostname": "a.example"}),
    )
    graph = replace(dev, resources=(*dev.resources, domain))
    routes = config_of(graph, "router", database_ids={})["routes"]
    assert routes == [{"pattern": "a.example", "custom_domain": True}]
    assert "routes" not in config_of(graph, "janitor", database_ids={})


def test_a_binding_without_a_place_is_refused_by_name(graphs: Mapping[str, Graph]) -> None:
    dev = graphs["dev"]
    resources = changed(dev.resources, "WorkerVersion::router", bindings=[{"name": "KV", "type": "kv"}])
    with pytest.raises(DeliveryFault, match=r"binding 'KV' is of type 'kv'"):
        config_of(replace(dev, resources=tuple(resources)), "router", database_ids={})
