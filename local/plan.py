"""From the Pulumi program's graph to what the local host runs: Workers, bindings, triggers.

It owns the mapping of Cloudflare's resources and bindings onto the Workers runtime here. It
lists none itself: what the graph lacks, the local host lacks, and what it cannot map it
refuses by name. It must not know what the functions do. Pure: no files, no processes.
"""

import base64
import io
import sqlite3
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.graph import Graph, Resource

JAVASCRIPT: Final = "application/javascript+module"

PYTHON_FLAG_PREFIXES: Final = ("python_", "no_python_")
"""The Worker here is the JavaScript boot module, so flags of Cloudflare's own Python do not apply."""

BOOT_FLAGS: Final = ("nodejs_compat",)
"""The bundle's JavaScript modules use node: modules, which Cloudflare's date implies."""

ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest a zip can tell; the same bundle gives the same bytes."""

MS_PER_SECOND: Final = 1000


class PlanError(Exception):
    """The graph cannot be run here; the text names the resource and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPlan:
    """One Worker: physical name, runtime, bundle and everything that is bound to it."""

    name: str
    compatibility_date: str
    compatibility_flags: tuple[str, ...]
    bundle_zip: bytes
    javascript: Mapping[str, str]
    env: Mapping[str, Mapping[str, Any]]
    triggers: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPlan:
    """All Workers, the one that answers HTTP first."""

    workers: tuple[WorkerPlan, ...]

    def worker_with(self, ending: str) -> WorkerPlan:
        """The Worker whose name ends so, for instance `router`."""
        return next(worker for worker in self.workers if worker.name.endswith(f"-{ending}"))


def plan_host(graph: Graph) -> HostPlan:
    """The plan of a graph. Raises PlanError for what cannot be mapped."""
    names = {worker.id: str(worker.inputs["name"]) for worker in graph.of_type("Worker")}
    versions = {version.id: version for version in graph.of_type("WorkerVersion")}
    planned = {}
    for deployment in graph.of_type("WorkersDeployment"):
        script = str(deployment.inputs["scriptName"])
        if script not in names.values():
            raise PlanError(f"deployment {deployment.name} is of {script}, which no Worker of the graph is")
        version = versions[deployment.inputs["versions"][0]["versionId"]]
        planned[script] = _plan_worker(script, version, graph)
    undeployed = sorted(set(names.values()) - set(planned))
    if undeployed:
        raise PlanError(f"no deployment for {', '.join(undeployed)}: nothing of it would run")
    front = _front(graph, names)
    others = sorted(set(planned) - {front})
    return HostPlan(workers=tuple(planned[script] for script in (front, *others)))


def _front(graph: Graph, names: Mapping[str, str]) -> str:
    """The Worker with an address: a custom domain, or workers.dev."""
    addressed = {str(domain.inputs["service"]) for domain in graph.of_type("WorkersCustomDomain")} | {
        names[worker.id]
        for worker in graph.of_type("Worker")
        if worker.inputs.get("subdomain", {}).get("enabled")
    }
    if len(addressed) != 1:
        raise PlanError(f"one Worker must have an address (workers.dev or a domain), not {len(addressed)}")
    return addressed.pop()


def _plan_worker(script: str, version: Resource, graph: Graph) -> WorkerPlan:
    inputs = version.inputs
    flags = [
        flag for flag in inputs.get("compatibilityFlags", ()) if not flag.startswith(PYTHON_FLAG_PREFIXES)
    ]
    return WorkerPlan(
        name=script,
        compatibility_date=str(inputs["compatibilityDate"]),
        compatibility_flags=tuple(sorted({*flags, *BOOT_FLAGS})),
        bundle_zip=_zip_of(inputs["modules"]),
        javascript={
            module["name"]: base64.b64decode(module["contentBase64"]).decode()
            for module in inputs["modules"]
            if module["contentType"] == JAVASCRIPT
        },
        env={binding["name"]: _bound(binding, script, graph) for binding in inputs["bindings"]},
        triggers=(*_queue_triggers(script, graph), *_schedules(script, graph)),
    )


def _zip_of(modules: list[Mapping[str, str]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for module in modules:
            entry = zipfile.ZipInfo(module["name"], ZIP_TIME)
            archive.writestr(entry, base64.b64decode(module["contentBase64"]), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _bound(binding: Mapping[str, Any], script: str, graph: Graph) -> Mapping[str, Any]:
    """One binding as the local runtime takes it."""
    mapping = _BINDINGS.get(binding["type"])
    if mapping is None:
        raise PlanError(
            f"binding {binding['name']} of {script} has the type {binding['type']}, "
            f"which the local host does not know yet: add it in local/plan.py"
        )
    try:
        return mapping(binding, graph)
    except LookupError as missing:
        raise PlanError(
            f"binding {binding['name']} of {script} leads to {missing}, which no resource declares"
        ) from missing


def _named(graph: Graph, type_name: str, key: str, value: str) -> str:
    """The value, if a resource of the type has it under the key."""
    for resource in graph.of_type(type_name):
        if resource.inputs.get(key) == value:
            return value
    raise LookupError(f"{type_name} {value}")


def _database(binding: Mapping[str, Any], graph: Graph) -> Mapping[str, Any]:
    for resource in graph.of_type("D1Database"):
        if resource.id == binding["databaseId"]:
            return {"type": "d1", "id": str(resource.inputs["name"])}
    raise LookupError(f"D1Database {binding['databaseId']}")


_BINDINGS: Final[Mapping[str, Callable[[Mapping[str, Any], Graph], Mapping[str, Any]]]] = {
    "r2_bucket": lambda binding, graph: {
        "type": "r2",
        "name": _named(graph, "R2Bucket", "name", binding["bucketName"]),
    },
    "d1": _database,
    "queue": lambda binding, graph: {
        "type": "queue",
        "name": _named(graph, "Queue", "queueName", binding["queueName"]),
    },
    "analytics_engine": lambda binding, _: {"type": "analytics-engine-dataset", "name": binding["dataset"]},
    "ratelimit": lambda binding, _: {
        "type": "rate-limit",
        "namespace": binding["namespaceId"],
        "simple": {"limit": binding["simple"]["limit"], "period": binding["simple"]["period"]},
    },
    "plain_text": lambda binding, _: {"type": "text", "value": binding["text"]},
    "secret_text": lambda binding, _: {"type": "text", "value": binding["text"]},
}
"""Cloudflare's binding types to the local runtime's."""


def _queue_triggers(script: str, graph: Graph) -> list[Mapping[str, Any]]:
    queues = {queue.id: str(queue.inputs["queueName"]) for queue in graph.of_type("Queue")}
    triggers: list[Mapping[str, Any]] = []
    for consumer in graph.of_type("QueueConsumer"):
        if consumer.inputs["scriptName"] != script:
            continue
        if consumer.inputs["queueId"] not in queues:
            raise PlanError(f"consumer {consumer.name} is of a queue that no resource declares")
        settings = consumer.inputs.get("settings", {})
        trigger = {
            "type": "queue",
            "name": queues[consumer.inputs["queueId"]],
            "maxBatchSize": settings.get("batchSize"),
            "maxBatchTimeout": _seconds(settings.get("maxWaitTimeMs")),
            "maxConcurrency": settings.get("maxConcurrency"),
            "maxRetries": settings.get("maxRetries"),
            "retryDelay": settings.get("retryDelay"),
        }
        letters = consumer.inputs.get("deadLetterQueue")
        if letters is not None and letters not in queues.values():
            raise PlanError(f"consumer {consumer.name} buries in {letters}, which no resource declares")
        trigger["deadLetterQueue"] = letters
        triggers.append({key: value for key, value in trigger.items() if value is not None})
    return triggers


def _seconds(duration_ms: int | None) -> float | None:
    return None if duration_ms is None else duration_ms / MS_PER_SECOND


def _schedules(script: str, graph: Graph) -> list[Mapping[str, Any]]:
    return [
        {"type": "scheduled", "schedule": schedule["cron"]}
        for trigger in graph.of_type("WorkersCronTrigger")
        if trigger.inputs["scriptName"] == script
        for schedule in trigger.inputs["schedules"]
    ]


def statements_of(sql: str) -> tuple[str, ...]:
    """The single statements of a script, as SQLite itself tells where one ends."""
    statements: list[str] = []
    pending = ""
    for line in sql.splitlines(keepends=True):
        if not pending and not line.partition("--")[0].strip():
            continue
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending.strip())
            pending = ""
    if pending.strip():
        raise PlanError(f"the schema ends inside a statement: {pending.strip()[:80]}")
    return tuple(statements)


def plan_document(plan: HostPlan, *, port: int, state_path: str, schema: tuple[str, ...]) -> dict[str, Any]:
    """The plan as the JSON document that `local/host/host.mjs` reads; bundles are files beside it."""
    databases = {
        bound["id"]: {"worker": worker.name, "binding": name}
        for worker in plan.workers
        for name, bound in worker.env.items()
        if bound["type"] == "d1"
    }
    return {
        "port": port,
        "statePath": state_path,
        "schema": list(schema),
        "databases": list(databases.values()),
        "workers": [
            {
                "name": worker.name,
                "compatibilityDate": worker.compatibility_date,
                "compatibilityFlags": list(worker.compatibility_flags),
                "bundle": f"{worker.name}.zip",
                "javascript": dict(worker.javascript),
                "env": {name: dict(bound) for name, bound in worker.env.items()},
                "triggers": [dict(trigger) for trigger in worker.triggers],
            }
            for worker in plan.workers
        ],
    }
