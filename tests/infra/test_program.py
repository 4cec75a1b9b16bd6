"""The real program's graph: golden for dev, and the properties that every stack must have."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.capture import capture_graph
from local.graph import Graph, Resource
from stack import wiring
from stack.settings import SettingsError

ROOT = Path(__file__).resolve().parents[2]
GOLDEN_DIR = ROOT / "tests" / "golden"
STACKS = ("dev", "prod", "pr-1")


def reviewed(resource: Resource) -> dict[str, Any]:
    """What people review of a resource: no secrets, no contents, nothing that changes with every edit."""
    inputs = resource.redacted_inputs()
    if "annotations" in inputs:
        inputs["annotations"] = {
            name: re.sub(r"[0-9a-f]{12,}", "[bundle hash]", text)
            for name, text in inputs["annotations"].items()
        }
    if "modules" in inputs:
        # Listed once, for all stacks; `test_every_stack_uploads_the_manifest` holds them to it.
        inputs["modules"] = f"[those of manifest.{resource.name}.json]"
    if "migrations" in inputs:
        inputs["migrations"] = [migration["name"] for migration in inputs["migrations"]]
        inputs["digest"] = "[schema hash]"
    options = {name: True for name in ("protect", "retain") if getattr(resource, name)}
    return {"id": resource.id, "inputs": inputs, "dependsOn": sorted(resource.depends_on), **options}


def inputs_of(graph: Graph, type_name: str) -> dict[str, Mapping[str, Any]]:
    return {resource.name: resource.inputs for resource in graph.of_type(type_name)}


def capture(
    config: Mapping[str, str], secrets: Mapping[str, str], *, stack: str = "dev", **changes: str
) -> Graph:
    return capture_graph(stack=stack, config={**config, **changes}, secrets=secrets)


@pytest.mark.parametrize("stack", STACKS)
def test_the_graph_of_each_stack(
    graphs: Mapping[str, Graph], stack: str, assert_golden: Callable[[str, object], None]
) -> None:
    graph = graphs[stack]
    resources = {resource.key: reviewed(resource) for resource in graph.resources}
    assert_golden(f"graph.{stack}.json", {"outputs": dict(graph.outputs), "resources": resources})


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_uploads_the_manifest(graphs: Mapping[str, Graph], stack: str) -> None:
    for version in graphs[stack].of_type("WorkerVersion"):
        manifest = json.loads((GOLDEN_DIR / f"manifest.{version.name}.json").read_text(encoding="utf-8"))
        types = {module["name"]: module["contentType"] for module in version.inputs["modules"]}
        own = {name: kind for name, kind in types.items() if not name.startswith("python_modules/")}
        assert own == manifest["own"]
        assert sorted(types.keys() - own.keys()) == sorted(
            [*manifest["vendored"], *manifest["vendored_javascript"]]
        )


def test_the_same_settings_give_the_same_graph(
    dev_graph: Graph, config: Mapping[str, str], secrets: Mapping[str, str]
) -> None:
    assert capture(config, secrets) == dev_graph


def test_queues_are_consumed_by_the_deployed_consumer(dev_graph: Graph) -> None:
    queues = {resource.id: resource.inputs["queueName"] for resource in dev_graph.of_type("Queue")}
    consumers = dev_graph.of_type("QueueConsumer")
    wired = {queues[each.inputs["queueId"]]: each.inputs.get("deadLetterQueue") for each in consumers}
    dead_letters = "edgeseries-dev-dead-letters"
    job_queues = {f"edgeseries-dev-{queue}" for queue in wiring.JOB_QUEUES}
    assert wired == {**dict.fromkeys(job_queues, dead_letters), dead_letters: None}
    (deployment,) = (each for each in dev_graph.of_type("WorkersDeployment") if each.name == "consumer")
    for consumer in consumers:
        assert consumer.inputs["scriptName"] == "edgeseries-dev-consumer"
        assert deployment.key in consumer.depends_on
        assert consumer.inputs["settings"]["maxRetries"] == (100 if consumer.name == "dead-letters" else 10)


def test_a_deployment_runs_the_version_of_its_own_worker(dev_graph: Graph) -> None:
    versions = {resource.name: resource for resource in dev_graph.of_type("WorkerVersion")}
    workers = {resource.name: resource for resource in dev_graph.of_type("Worker")}
    for deployment in dev_graph.of_type("WorkersDeployment"):
        assert deployment.inputs["versions"] == [
            {"versionId": versions[deployment.name].id, "percentage": 100}
        ]
        assert deployment.inputs["scriptName"] == workers[deployment.name].inputs["name"]
        assert versions[deployment.name].inputs["workerId"] == workers[deployment.name].id
    assert set(versions) == set(workers) == set(wiring.FUNCTIONS)


def test_the_router_alone_is_public(dev_graph: Graph) -> None:
    public = {name: inputs["subdomain"]["enabled"] for name, inputs in inputs_of(dev_graph, "Worker").items()}
    assert public == {"router": True, "consumer": False, "janitor": False}
    assert not any(
        inputs["subdomain"]["previewsEnabled"] for inputs in inputs_of(dev_graph, "Worker").values()
    )


@pytest.mark.parametrize(("stack", "changes", "protected"), [
    ("prod", {}, True),
    ("prod", {"protectData": "false"}, False),
    ("dev", {}, False),
    ("dev", {"protectData": "true"}, True),
])  # fmt: skip
def test_protection_covers_whatever_loses_data_or_service(
    config: Mapping[str, str],
    secrets: Mapping[str, str],
    stack: str,
    changes: dict[str, str],
    *,
    protected: bool,
) -> None:
    """Whatever is left out here an unprotected destroy would delete before it comes to the rest and fails.

    Versions and deployments are replaced by every change, which protection would refuse: they are let go of
    and stay. The schema's destruction does nothing.
    """
    graph = capture(config, secrets, stack=stack, customDomain="telemetry.example.com", **changes)
    made = [resource for resource in graph.resources if not resource.component]
    harmless = [resource for resource in made if resource.retain or resource.type.endswith(":Schema")]
    assert {resource.type.rpartition(":")[2] for resource in harmless} == {
        "Schema",
        "WorkerVersion",
        "WorkersDeployment",
    }
    rest = [resource for resource in made if resource not in harmless]
    assert {resource.protect for resource in rest} == {protected}
    assert not any(resource.protect for resource in harmless)


def test_stacks_share_no_name(graphs: Mapping[str, Graph]) -> None:
    def physical(graph: Graph) -> set[str]:
        shown = json.dumps(
            [resource.redacted_inputs() for resource in graph.resources if not resource.component]
        )
        limits = {
            binding["namespaceId"]
            for inputs in inputs_of(graph, "WorkerVersion").values()
            for binding in inputs["bindings"]
            if binding["type"] == "ratelimit"
        }
        return limits | set(re.findall(r'"(edgeseries[-_][^"]+)"', shown))

    taken = [physical(graph) for graph in graphs.values()]
    assert all(taken)
    assert sum(map(len, taken)) == len(set().union(*taken))


def test_a_custom_domain_waits_for_the_router(config: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    graph = capture(config, secrets, customDomain="telemetry.example.com", workersDev="false")
    (domain,) = graph.of_type("WorkersCustomDomain")
    assert domain.inputs["hostname"] == "telemetry.example.com"
    assert domain.inputs["service"] == "edgeseries-dev-router"
    assert "cloudflare:index/workersDeployment:WorkersDeployment::router" in domain.depends_on
    assert graph.outputs["routerUrl"] == "https://telemetry.example.com"
    assert not any(inputs["subdomain"]["enabled"] for inputs in inputs_of(graph, "Worker").values())


def test_settings_reach_the_resources(config: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    graph = capture(
        config,
        secrets,
        locationHint="weur",
        janitorCron="0 3 * * *",
        consumerCpuLimitMs="1234",
        queueBatchMessages="7",
        queueRetentionDays="2",
        requestsPerMinute="8",
        logSamplingRate="0.5",
        answerTtlDays="3",
    )
    assert inputs_of(graph, "R2Bucket")["cache"]["location"] == "weur"
    assert inputs_of(graph, "D1Database")["db"]["primaryLocationHint"] == "weur"
    assert inputs_of(graph, "WorkersCronTrigger")["janitor"]["schedules"] == [{"cron": "0 3 * * *"}]
    assert inputs_of(graph, "WorkerVersion")["consumer"]["limits"] == {"cpuMs": 1234}
    assert inputs_of(graph, "QueueConsumer")["jobs-low"]["settings"]["batchSize"] == 7
    assert inputs_of(graph, "Queue")["jobs-low"]["settings"]["messageRetentionPeriod"] == 172_800
    limits = [
        binding["simple"]
        for binding in inputs_of(graph, "WorkerVersion")["router"]["bindings"]
        if "simple" in binding
    ]
    assert limits == [{"limit": 6000, "period": 60}, {"limit": 8, "period": 60}]
    assert inputs_of(graph, "Worker")["router"]["observability"]["headSamplingRate"] == 0.5
    answers, *_ = inputs_of(graph, "R2BucketLifecycle")["cache"]["rules"]
    assert answers["conditions"] == {"prefix": "answers/"}
    assert answers["deleteObjectsTransition"]["condition"] == {"type": "Age", "maxAge": 259_200}


def test_bad_settings_come_out_as_themselves_with_every_fault() -> None:
    with pytest.raises(SettingsError) as caught:
        capture_graph(stack="dev", config={"cacheBudget": "1", "upstreamToken": "hunter2"}, secrets={})
    assert [fault.split(" ")[0] for fault in caught.value.faults] == [
        "cacheBudget",
        "accountId",
        "upstreamUrl",
        "upstreamToken",
        "adminKeyHash",
    ]
    assert "hunter2" not in str(caught.value)


def test_a_binding_removed_from_the_wiring_stops_the_program_by_name(
    tmp_path: Path, config: Mapping[str, str]
) -> None:
    """On a copy of the tree, in a process of its own: exactly what `make dev` would run into."""
    for folder in ("infra", "functions", "migrations", "build/wheels"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "local").mkdir()
    for name in ("capture.py", "graph.py"):
        shutil.copy(ROOT / "local" / name, tmp_path / "local")
    file = tmp_path / "infra" / "stack" / "wiring.py"
    line = '        R2(name="CACHE", bucket=CACHE_BUCKET),\n'
    assert line in file.read_text(encoding="utf-8")
    file.write_text(file.read_text(encoding="utf-8").replace(line, ""), encoding="utf-8")
    secrets = {"upstreamToken": "t", "adminKeyHash": "h"}
    call = f"capture_graph(stack='dev', config={dict(config)!r}, secrets={secrets!r})"
    done = subprocess.run(
        [sys.executable, "-c", f"from local.capture import capture_graph; {call}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.search(
        r"MissingBinding: router is not given CACHE "
        r"\(taken at functions/edgeseries/platform/bindings\.py:\d+\): "
        r"add it for router in infra/stack/wiring\.py",
        done.stderr,
    )
