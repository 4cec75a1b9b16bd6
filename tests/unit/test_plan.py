"""What the local host is told to run, and every graph that it must refuse by name."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from local.graph import Graph, Resource
from local.host_plan import BundleFile, QueueTrigger, Script
from local.plan import PlanError, plan_host, statements_of
from tests.made_graph import (
    BINDINGS,
    DATABASE_ID,
    PYTHON,
    changed,
    graph_of,
    resource,
    stores,
    without,
    worker,
)

ENTRY = {"entry.py": (PYTHON, b"hi")}


def full() -> list[Resource]:
    return [
        *stores(),
        *worker("front", ENTRY, public=True, bindings=BINDINGS),
        *worker("back", ENTRY),
        resource(
            "QueueConsumer",
            "jobs",
            queueId="queue-jobs",
            scriptName="made-up-back",
            deadLetterQueue="made-up-dead",
            settings={
                "batchSize": 7,
                "maxWaitTimeMs": 1500,
                "maxRetries": 2,
                "maxConcurrency": 4,
                "retryDelay": 9,
            },
        ),
        resource("QueueConsumer", "dead", queueId="queue-dead", scriptName="made-up-back"),
        resource(
            "WorkersCronTrigger",
            "back",
            scriptName="made-up-back",
            schedules=[{"cron": "*/15 * * * *"}, {"cron": "0 3 * * 1"}],
        ),
        resource("R2BucketLifecycle", "cache", bucketName="made-up-bucket", rules=[]),
    ]


def test_the_public_worker_comes_first_whatever_its_name() -> None:
    plan = plan_host(graph_of(full()))
    assert [(one.name, one.function) for one in plan.workers] == [
        ("made-up-front", "front"),
        ("made-up-back", "back"),
    ]


def test_resources_are_named_as_the_control_channel_names_them() -> None:
    plan = plan_host(graph_of(full()), schema=("CREATE TABLE t (x);",))
    assert plan.buckets == ("made-up-bucket",)
    assert plan.databases == (DATABASE_ID,)
    assert plan.queues == ("made-up-dead", "made-up-jobs")
    assert plan.schema == ("CREATE TABLE t (x);",)


def test_every_binding_type_is_mapped() -> None:
    assert plan_host(graph_of(full())).workers[0].env == {
        "CACHE": {"type": "r2", "name": "made-up-bucket"},
        "DB": {"type": "d1", "id": DATABASE_ID},
        "JOBS": {"type": "queue", "name": "made-up-jobs"},
        "EVENTS": {"type": "analytics-engine-dataset", "name": "made_up_dataset"},
        "RATE": {"type": "rate-limit", "namespace": "1001", "simple": {"limit": 3, "period": 60}},
        "GREETING": {"type": "text", "value": "good day"},
        "TOKEN": {"type": "text", "value": "s3cret"},
    }


def test_consumers_keep_their_settings_and_get_the_defaults_of_cloudflare() -> None:
    dead, jobs = plan_host(graph_of(full())).workers[1].queue_triggers
    assert jobs == QueueTrigger(
        queue="made-up-jobs",
        dead_letter_queue="made-up-dead",
        batch_messages=7,
        max_wait_seconds=1.5,
        max_retries=2,
        max_concurrency=4,
        retry_delay_seconds=9,
    )
    assert dead.to_wire() == {
        "type": "queue",
        "name": "made-up-dead",
        "maxBatchSize": 10,
        "maxBatchTimeout": 5.0,
        "maxRetries": 3,
    }


def test_crons_and_bundle_come_through_untouched() -> None:
    back = plan_host(graph_of(full())).workers[1]
    assert back.crons == ("*/15 * * * *", "0 3 * * 1")
    assert back.files == (BundleFile(name="entry.py", content_type=PYTHON, content_base64="aGk="),)
    assert back.main_module == "entry.py"


def test_flags_about_python_are_dropped_and_node_is_there() -> None:
    resources = changed(
        full(),
        "WorkerVersion::front",
        compatibilityFlags=["python_workers", "no_python_workers_314", "streams_enable_constructors"],
    )
    front = plan_host(graph_of(resources)).workers[0]
    assert front.compatibility_flags == ("nodejs_compat", "streams_enable_constructors")
    assert front.compatibility_date == "2026-10-01"


def test_a_hostname_of_its_own_makes_a_worker_public() -> None:
    resources = [
        *changed(full(), "Worker::front", subdomain={"enabled": False}),
        resource("WorkersCustomDomain", "back", service="made-up-back", hostname="made-up.example"),
    ]
    assert plan_host(graph_of(resources)).workers[0].name == "made-up-back"


def test_components_are_no_resources() -> None:
    component = replace(resource("Worker", "x"), type="edgeseries:stack:Function", component=True)
    assert plan_host(graph_of([*full(), component])) == plan_host(graph_of(full()))


def test_the_wire_form_holds_the_whole_plan() -> None:
    wire = plan_host(graph_of(full()), schema=("CREATE TABLE t (x);",)).to_wire()
    stores = {"buckets", "databases", "queues", "schema"}
    assert set(wire) == {"workers", *stores, "scripts", "limits", "wakeAll", "snapshots"}
    back = wire["workers"][1]
    assert back["name"] == "made-up-back"
    assert back["files"] == [{"name": "entry.py", "contentType": PYTHON, "contentBase64": "aGk="}]
    assert [trigger["name"] for trigger in back["triggers"]] == ["made-up-dead", "made-up-jobs"]
    assert back["crons"] == ["*/15 * * * *", "0 3 * * 1"]
    assert wire["scripts"] == [], "a graph has none"
    script = Script(name="made-up-script", source="export default {}", path="/made-up/")
    beside = replace(plan_host(graph_of(full())), scripts=(script,)).to_wire()["scripts"]
    assert beside == [{"name": "made-up-script", "source": "export default {}", "path": "/made-up/"}]


def with_binding(**binding: Any) -> list[Resource]:
    return changed(full(), "WorkerVersion::front", bindings=[binding])


def with_version(**inputs: Any) -> list[Resource]:
    return changed(full(), "WorkerVersion::front", **inputs)


SERVED = {"htmlHandling": "none", "notFoundHandling": "none", "runWorkerFirst": ["/api/*"]}


def test_assets_are_served_from_this_checkout() -> None:
    plan = plan_host(graph_of(with_version(assets={"directory": "console/assets", "config": SERVED})))
    assert plan.workers[0].assets is not None
    told = plan.workers[0].assets.to_wire()
    assert told["directory"].endswith("/console/assets")
    assert told["runWorkerFirst"] == ["/api/*"]
    assert plan.workers[1].to_wire()["assets"] is None


REFUSED: list[tuple[str, Callable[[], list[Resource]], tuple[str, ...]]] = [
    ("resource type", lambda: [*full(), resource("KVNamespace", "x")], ("KVNamespace", "'x'")),
    (
        "setting of assets",
        lambda: with_version(assets={"directory": "x", "config": {**SERVED, "basePath": "/x"}}),
        ("made-up-front", "basePath"),
    ),
    (
        "binding type",
        lambda: with_binding(name="KV", type="kv_namespace", namespaceId="1"),
        ("made-up-front", "'KV'", "kv_namespace"),
    ),
    (
        "binding setting",
        lambda: with_binding(name="B", type="r2_bucket", bucketName="made-up-bucket", jurisdiction="eu"),
        ("'B'", "jurisdiction"),
    ),
    ("same name twice", lambda: with_version(bindings=[BINDINGS[0], BINDINGS[0]]), ("2 bindings", "'CACHE'")),
    ("bucket", lambda: without(full(), "R2Bucket::cache"), ("'CACHE'", "'made-up-bucket'")),
    ("database", lambda: without(full(), "D1Database::db"), ("'DB'", f"'{DATABASE_ID}'")),
    (
        "produced queue",
        lambda: with_binding(name="Q", type="queue", queueName="nowhere"),
        ("'Q'", "'nowhere'"),
    ),
    (
        "consumed queue",
        lambda: changed(full(), "QueueConsumer::jobs", queueId="queue-nowhere"),
        ("'jobs'", "queue-nowhere"),
    ),
    (
        "dead letters",
        lambda: changed(full(), "QueueConsumer::jobs", deadLetterQueue="nowhere"),
        ("'jobs'", "'nowhere'"),
    ),
    (
        "script of a consumer",
        lambda: changed(full(), "QueueConsumer::jobs", scriptName="made-up-nobody"),
        ("QueueConsumer", "'jobs'", "made-up-nobody"),
    ),
    (
        "consumer without a script",
        lambda: changed(full(), "QueueConsumer::jobs", scriptName=None),
        ("QueueConsumer", "'jobs'"),
    ),
    (
        "two consumers of a queue",
        lambda: [*full(), resource("QueueConsumer", "too", queueId="queue-jobs", scriptName="made-up-front")],
        ("made-up-jobs", "more than one"),
    ),
    (
        "script of a cron",
        lambda: changed(full(), "WorkersCronTrigger::back", scriptName="made-up-nobody"),
        ("WorkersCronTrigger", "made-up-nobody"),
    ),
    (
        "worker that is not deployed",
        lambda: without(full(), "WorkersDeployment::front"),
        ("made-up-front", "0 deployed versions"),
    ),
    (
        "two versions at once",
        lambda: changed(
            full(), "WorkersDeployment::front", versions=[{"versionId": "a"}, {"versionId": "b"}]
        ),
        ("made-up-front", "2 deployed versions"),
    ),
    (
        "version of another worker",
        lambda: changed(full(), "WorkerVersion::front", workerId="worker-back"),
        ("made-up-front", "workerversion-front"),
    ),
    ("main module", lambda: with_version(mainModule="main.py"), ("made-up-front", "'main.py'")),
    (
        "module of the host",
        lambda: with_version(
            modules=[{"name": "local-host.mjs", "contentType": PYTHON, "contentBase64": ""}]
        ),
        ("made-up-front", "'local-host.mjs'"),
    ),
    (
        "nobody public",
        lambda: changed(full(), "Worker::front", subdomain={"enabled": False}),
        ("exactly one", "none"),
    ),
    (
        "two public",
        lambda: changed(full(), "Worker::back", subdomain={"enabled": True}),
        ("exactly one", "made-up-back, made-up-front"),
    ),
]


@pytest.mark.parametrize(("make", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_run_is_refused_by_name(
    make: Callable[[], list[Resource]], words: tuple[str, ...]
) -> None:
    graph: Graph = graph_of(make())
    with pytest.raises(PlanError) as refusal:
        plan_host(graph)
    assert [word for word in words if word not in str(refusal.value)] == []


def test_a_schema_is_cut_into_statements() -> None:
    schema = (
        "-- About; this file.\n\nCREATE TABLE a (x TEXT DEFAULT ';', -- why; not\n  y INTEGER);\n"
        "CREATE TRIGGER g AFTER INSERT ON a BEGIN\n  UPDATE a SET y = 1;\n  DELETE FROM a;\nEND;\n-- end\n"
    )
    table, trigger = statements_of(schema)
    assert table.startswith("CREATE TABLE a")
    assert table.endswith("y INTEGER);")
    assert trigger.endswith("END;")


def test_a_schema_that_breaks_off_is_refused() -> None:
    with pytest.raises(PlanError, match="CREATE TABLE b"):
        statements_of("CREATE TABLE a (x);\nCREATE TABLE b (x)\n")
