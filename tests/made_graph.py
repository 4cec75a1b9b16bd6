"""A small resource graph for tests of the local host: one public Worker with every kind of binding.

Built as the Pulumi program's graph comes out, but small enough to change one thing at a time.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from local.graph import Graph, Resource, made_up_id

DATABASE_ID = made_up_id("cloudflare:index/d1Database:D1Database", "db")

BINDINGS: tuple[Mapping[str, Any], ...] = (
    {"name": "CACHE", "type": "r2_bucket", "bucketName": "made-up-bucket"},
    {"name": "DB", "type": "d1", "databaseId": DATABASE_ID},
    {"name": "JOBS", "type": "queue", "queueName": "made-up-jobs"},
    {"name": "EVENTS", "type": "analytics_engine", "dataset": "made_up_dataset"},
    {"name": "RATE", "type": "ratelimit", "namespaceId": "1001", "simple": {"limit": 3, "period": 60}},
    {"name": "GREETING", "type": "plain_text", "text": "good day"},
    {"name": "TOKEN", "type": "secret_text", "text": "s3cret"},
)

PYTHON = "text/x-python"
JAVASCRIPT = "application/javascript+module"
DATA = "application/octet-stream"

Modules = Mapping[str, tuple[str, bytes]]
"""Module names to content type and content."""


def resource(kind: str, logical_name: str, /, **inputs: Any) -> Resource:
    """A resource of the Cloudflare provider by the last word of its type."""
    token = f"cloudflare:index/{kind[0].lower()}{kind[1:]}:{kind}"
    return Resource(
        type=token,
        name=logical_name,
        id=made_up_id(token, logical_name),
        inputs=MappingProxyType(inputs),
        secret_paths=frozenset(),
        depends_on=frozenset(),
        protect=False,
        component=False,
    )


def stores() -> list[Resource]:
    """A bucket, a database, a job queue and a queue for dead letters."""
    return [
        resource("R2Bucket", "cache", name="made-up-bucket"),
        resource("D1Database", "db", name="made-up-db"),
        resource("Queue", "jobs", queueName="made-up-jobs"),
        resource("Queue", "dead", queueName="made-up-dead"),
    ]


def worker(
    name: str,
    modules: Modules,
    *,
    public: bool = False,
    bindings: Sequence[Mapping[str, Any]] = (),
    date: str = "2026-10-01",
) -> list[Resource]:
    """A Worker with one version, deployed whole. Its script is named `made-up-<name>`."""
    script = f"made-up-{name}"
    made = resource("Worker", name, name=script, subdomain={"enabled": public})
    version = resource(
        "WorkerVersion",
        name,
        workerId=made.id,
        mainModule="entry.py",
        compatibilityDate=date,
        compatibilityFlags=["python_workers"],
        modules=[
            {
                "name": module,
                "contentType": content_type,
                "contentBase64": base64.b64encode(content).decode("ascii"),
            }
            for module, (content_type, content) in modules.items()
        ],
        bindings=[dict(binding) for binding in bindings],
    )
    share = {"versionId": version.id, "percentage": 100}
    deployment = resource("WorkersDeployment", name, scriptName=script, versions=[share])
    return [made, version, deployment]


def graph_of(resources: Iterable[Resource]) -> Graph:
    """A graph of these resources."""
    return Graph(
        stack="made-up",
        resources=tuple(sorted(resources, key=lambda one: one.key)),
        outputs={},
        secret_outputs=frozenset(),
    )


def changed(resources: Iterable[Resource], key_end: str, **inputs: Any) -> list[Resource]:
    """The same resources, with other inputs for the one whose key ends so, as `Kind::name`."""
    return [
        replace(one, inputs=MappingProxyType({**one.inputs, **inputs})) if one.key.endswith(key_end) else one
        for one in resources
    ]


def without(resources: Iterable[Resource], key_end: str) -> list[Resource]:
    """The same resources but for the one whose key ends so."""
    return [one for one in resources if not one.key.endswith(key_end)]
