"""`make wrangler`: a folder for each function with a `wrangler.jsonc` of the same graph, and its bundle.

Owns the mapping from the resources of the Pulumi program to wrangler's configuration, for `pywrangler dev`
and `pywrangler tail`. Deploying is `make deploy`'s affair. Whatever cannot be mapped is refused by name, as
the local host does. Secrets are named, never written.
"""

import argparse
import base64
import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from delivery import deploying
from delivery.programs import ROOT, DeliveryFault, pulumi_json
from local.capture import capture_graph
from local.graph import Graph, Resource
from stack.bundle import VENDOR_FOLDER, BundleError
from stack.settings import SECRET_KEYS, SettingsError

OUTPUT_DIR: Final = ROOT / "build" / "wrangler"
MIGRATIONS_DIR: Final = ROOT / "migrations"
CODE_FOLDER: Final = "src"
"""Of the bundle's own modules. Vendored ones lie beside it, where wrangler looks for them."""

HEAD: Final = "// Made by make wrangler from the Pulumi program's graph. Edits are lost.\n"
NO_ACCOUNT: Final = "0" * 32
SECOND_MS: Final = 1_000

PYPROJECT: Final = """# pywrangler wants a project. The code needs nothing but the SDK, which it vendors.
[project]
name = "{name}"
version = "0"
requires-python = ">=3.12"
dependencies = []
"""

Binding = Mapping[str, Any]


def config_of(graph: Graph, function: str, *, database_ids: Mapping[str, str]) -> dict[str, Any]:
    """The configuration of one function; raises DeliveryFault that names what has no place in it.

    `database_ids` lead from the graph's ids of databases, which are made up, to real ones.
    """
    worker, version = _one(graph, "Worker", function), _one(graph, "WorkerVersion", function)
    script = worker.inputs["name"]
    config: dict[str, Any] = {
        "$schema": "node_modules/wrangler/config-schema.json",
        "name": script,
        "main": f"{CODE_FOLDER}/{version.inputs['mainModule']}",
        "compatibility_date": version.inputs["compatibilityDate"],
        "compatibility_flags": version.inputs["compatibilityFlags"],
        "workers_dev": worker.inputs["subdomain"]["enabled"],
        "preview_urls": worker.inputs["subdomain"]["previewsEnabled"],
        "limits": {"cpu_ms": version.inputs["limits"]["cpuMs"]},
        "observability": {
            "enabled": worker.inputs["observability"]["enabled"],
            "head_sampling_rate": worker.inputs["observability"]["headSamplingRate"],
        },
        # Of WebAssembly wrangler has this kind of rule by itself, and warns of another.
        "rules": [{"type": "ESModule", "globs": ["**/*.mjs"]}],
    }
    assets = version.inputs.get("assets")
    if assets is not None:
        config["assets"] = {
            "directory": str(ROOT / assets["directory"]),
            "html_handling": assets["config"]["htmlHandling"],
            "not_found_handling": assets["config"]["notFoundHandling"],
            "run_worker_first": assets["config"]["runWorkerFirst"],
        }
    if version.inputs["accountId"] != NO_ACCOUNT:
        config["account_id"] = version.inputs["accountId"]
    names = {one.id: one.inputs["name"] for one in graph.of_type("D1Database")}
    for binding in version.inputs["bindings"]:
        _place(config, binding, database_names=names, database_ids=database_ids)
    for consumer in _of_script(graph, "QueueConsumer", script):
        config.setdefault("queues", {}).setdefault("consumers", []).append(_consumer(graph, consumer))
    for trigger in _of_script(graph, "WorkersCronTrigger", script):
        config["triggers"] = {"crons": [one["cron"] for one in trigger.inputs["schedules"]]}
    for domain in graph.of_type("WorkersCustomDomain"):
        if domain.inputs["service"] == script:
            config["routes"] = [{"pattern": domain.inputs["hostname"], "custom_domain": True}]
    return config


def write(graph: Graph, folder: Path, *, database_ids: Mapping[str, str]) -> list[Path]:
    """Write a folder for each function anew and return them, sorted."""
    written = []
    for worker in graph.of_type("Worker"):
        target = folder / worker.name
        # Not the whole folder: .dev.vars and wrangler's local state are the reader's.
        for own in (CODE_FOLDER, VENDOR_FOLDER):
            shutil.rmtree(target / own, ignore_errors=True)
        for module in _one(graph, "WorkerVersion", worker.name).inputs["modules"]:
            name = str(module["name"])
            path = target / (name if name.startswith(f"{VENDOR_FOLDER}/") else f"{CODE_FOLDER}/{name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(module["contentBase64"]))
        config = config_of(graph, worker.name, database_ids=database_ids)
        (target / "wrangler.jsonc").write_text(HEAD + json.dumps(config, indent=2) + "\n", encoding="utf-8")
        (target / "pyproject.toml").write_text(PYPROJECT.format(name=config["name"]), encoding="utf-8")
        written.append(target)
    return written


def main(words: list[str]) -> int:
    """Exit status 0 when written, 1 with what is wrong."""
    parser = argparse.ArgumentParser(prog="make wrangler", description=__doc__)
    parser.add_argument("--stack", default=None, help="names and ids of this stack; asks pulumi for them")
    asked = parser.parse_args(words)
    try:
        if asked.stack is None:
            graph, database_ids = _of_nobody(), dict[str, str]()
        else:
            graph, database_ids = _of_stack(asked.stack)
        for folder in write(graph, OUTPUT_DIR, database_ids=database_ids):
            print(folder.relative_to(ROOT))
    except (DeliveryFault, SettingsError, BundleError) as fault:
        print(f"make wrangler: {fault}", file=sys.stderr)
        return 1
    return 0


def _of_nobody() -> Graph:
    """The graph of a development stack without an account: enough for `pywrangler dev`."""
    config = {"accountId": NO_ACCOUNT, "upstreamUrl": "http://127.0.0.1:8788/api"}
    return capture_graph(stack="dev", config=config, secrets=dict.fromkeys(SECRET_KEYS, deploying.HIDDEN))


def _of_stack(name: str) -> tuple[Graph, dict[str, str]]:
    graph = deploying.read_stack(name).graph
    outputs = pulumi_json(["stack", "output", "--json", "--stack", name])
    (database,) = graph.of_type("D1Database")
    return graph, {database.id: outputs["databaseId"]} if "databaseId" in outputs else {}


def _one(graph: Graph, kind: str, name: str) -> Resource:
    (found,) = (one for one in graph.of_type(kind) if one.name == name)
    return found


def _of_script(graph: Graph, kind: str, script: str) -> list[Resource]:
    return [one for one in graph.of_type(kind) if one.inputs["scriptName"] == script]


def _consumer(graph: Graph, consumer: Resource) -> dict[str, Any]:
    queues = {one.id: one.inputs["queueName"] for one in graph.of_type("Queue")}
    settings = consumer.inputs["settings"]
    options = {
        "queue": queues[consumer.inputs["queueId"]],
        "max_batch_size": settings.get("batchSize"),
        "max_batch_timeout": settings["maxWaitTimeMs"] / SECOND_MS if "maxWaitTimeMs" in settings else None,
        "max_retries": settings.get("maxRetries"),
        "max_concurrency": settings.get("maxConcurrency"),
        "retry_delay": settings.get("retryDelay"),
        "dead_letter_queue": consumer.inputs.get("deadLetterQueue"),
    }
    return {key: value for key, value in options.items() if value is not None}


def _place(
    config: dict[str, Any],
    binding: Binding,
    *,
    database_names: Mapping[str, str],
    database_ids: Mapping[str, str],
) -> None:
    """Put one binding of a version where wrangler wants it."""
    kind, name = binding["type"], binding["name"]
    match kind:
        case "plain_text":
            config.setdefault("vars", {})[name] = binding["text"]
        case "secret_text":
            config.setdefault("secrets", {"required": []})["required"].append(name)
        case "queue":
            producer = {"binding": name, "queue": binding["queueName"]}
            config.setdefault("queues", {}).setdefault("producers", []).append(producer)
        case "d1":
            graph_id = binding["databaseId"]
            entry = {
                "binding": name,
                "database_name": database_names[graph_id],
                "database_id": database_ids.get(graph_id, graph_id),
                "migrations_dir": str(MIGRATIONS_DIR),
            }
            config.setdefault("d1_databases", []).append(entry)
        case _ if kind in _LISTED:
            section, entry_of = _LISTED[kind]
            config.setdefault(section, []).append(entry_of(binding))
        case _:
            raise DeliveryFault(
                f"binding {name!r} is of type {kind!r}, for which {Path(__file__).name} knows no place in "
                "wrangler's configuration: add it there"
            )


_LISTED: Final[Mapping[str, tuple[str, Callable[[Binding], dict[str, Any]]]]] = {
    "r2_bucket": (
        "r2_buckets",
        lambda binding: {"binding": binding["name"], "bucket_name": binding["bucketName"]},
    ),
    "analytics_engine": (
        "analytics_engine_datasets",
        lambda binding: {"binding": binding["name"], "dataset": binding["dataset"]},
    ),
    "ratelimit": (
        "ratelimits",
        lambda binding: {
            "name": binding["name"],
            "namespace_id": binding["namespaceId"],
            "simple": dict(binding["simple"]),
        },
    ),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
