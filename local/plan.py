"""Plan: what the local host is to run, read off the resource graph of the Pulumi program.

Owns the mapping from Cloudflare's resources to a host plan, and the refusal of everything that
it cannot map: an unknown resource or binding type, a reference to what nothing declares. Must
not know which functions, bindings or queues exist: all of that comes from the graph. Does no
I/O and starts nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edgeseries.platform_limits import DEFAULT_CPU_MS
from local.host_plan import AssetsPlan, BundleFile, HostPlan, QueueTrigger, WorkerPlan
from stack import schema as schema_files

if TYPE_CHECKING:
    from local.graph import Graph, Resource

NOT_RUN_LOCALLY: Final = frozenset(
    {
        # Rules that remove objects after weeks; local state is thrown away with `make clean`.
        "R2BucketLifecycle",
        # Hostnames are the edge's affair; here the port is the address. It marks the public Worker.
        "WorkersCustomDomain",
        # The local host applies schema.sql itself, before the first event.
        "Schema",
        # Local buckets go with their folder.
        "EmptiedBucket",
    }
)
RUN_LOCALLY: Final = frozenset(
    {
        "D1Database",
        "Queue",
        "QueueConsumer",
        "R2Bucket",
        "Worker",
        "WorkerVersion",
        "WorkersCronTrigger",
        "WorkersDeployment",
    }
)

ROOT: Final = Path(__file__).resolve().parents[1]

HOST_PREFIX: Final = "local-host"
"""Modules and Workers that the host adds begin so; names of the graph may not."""

NODE_COMPAT_FLAG: Final = "nodejs_compat"
"""The boot module is JavaScript and needs node:buffer, also for dates that do not imply it."""

# What Cloudflare takes where a consumer leaves a setting out; Miniflare's own defaults differ.
# Source: developers.cloudflare.com/queues/configuration/configure-queues, 2026.
DEFAULT_BATCH_MESSAGES: Final = 10
DEFAULT_MAX_WAIT_MS: Final = 5_000
DEFAULT_MAX_RETRIES: Final = 3

SECOND_MS: Final = 1_000


class PlanError(ValueError):
    """The graph holds something that the local host cannot run; the text names it."""


def plan_host(graph: "Graph", *, schema: tuple[str, ...] = ()) -> HostPlan:
    """Map a graph onto the local host; raises PlanError that names what cannot be mapped."""
    resources = _Resources(graph)
    public = _public_worker(resources)
    names = sorted(resources.workers, key=lambda name: (name != public, name))
    return HostPlan(
        workers=tuple(_worker(resources, name) for name in names),
        buckets=tuple(sorted(resources.buckets)),
        databases=tuple(sorted(resources.databases)),
        queues=tuple(sorted(resources.queue_names.values())),
        schema=schema,
    )


def statements_of(schema_sql: str) -> tuple[str, ...]:
    """The statements of a schema file one by one, as D1 takes them; raises PlanError for a cut-off one."""
    try:
        return schema_files.statements_of(schema_sql)
    except schema_files.SchemaFault as fault:
        raise PlanError(str(fault)) from fault


class _Resources:
    """The graph's resources by type, with what may be referred to, checked once."""

    def __init__(self, graph: "Graph") -> None:
        self._by_type: dict[str, list[Resource]] = {}
        for resource in graph.resources:
            if resource.component:
                continue
            kind = resource.type.rpartition(":")[2]
            if kind not in RUN_LOCALLY and kind not in NOT_RUN_LOCALLY:
                raise PlanError(
                    f"{resource.type} {resource.name!r}: the local host knows no such resource. "
                    "Map it in local/plan.py, or list it there as one that is not run locally."
                )
            self._by_type.setdefault(kind, []).append(resource)
        self.buckets = {resource.inputs["name"] for resource in self.of("R2Bucket")}
        self.databases = {resource.id for resource in self.of("D1Database")}
        self.queue_names: dict[str, str] = {
            resource.id: resource.inputs["queueName"] for resource in self.of("Queue")
        }
        self.workers = {resource.inputs["name"]: resource for resource in self.of("Worker")}
        for kind in ("QueueConsumer", "WorkersCronTrigger", "WorkersDeployment"):
            for resource in self.of(kind):
                script = resource.inputs.get("scriptName")
                if script not in self.workers:
                    raise PlanError(
                        f"{kind} {resource.name!r} belongs to Worker {script!r}, which nothing declares"
                    )

    def of(self, kind: str) -> list["Resource"]:
        return self._by_type.get(kind, [])

    def of_script(self, kind: str, script: str) -> list["Resource"]:
        return [resource for resource in self.of(kind) if resource.inputs["scriptName"] == script]


def _public_worker(resources: _Resources) -> str:
    """The one Worker that the outside can reach: by workers.dev or by a hostname of its own."""
    domains = {resource.inputs["service"] for resource in resources.of("WorkersCustomDomain")}
    public: set[str] = {
        resource.inputs["name"]
        for resource in resources.of("Worker")
        if resource.inputs.get("subdomain", {}).get("enabled") or resource.inputs["name"] in domains
    }
    if len(public) != 1:
        found = ", ".join(sorted(public)) or "none"
        raise PlanError(f"exactly one Worker must be reachable from outside, to answer on the port: {found}")
    return public.pop()


def _worker(resources: _Resources, name: str) -> WorkerPlan:
    version = _deployed_version(resources, name).inputs
    files = tuple(
        BundleFile(
            name=module["name"],
            content_type=module["contentType"],
            content_base64=module["contentBase64"],
        )
        for module in version["modules"]
    )
    for taken in (name, *(file.name for file in files)):
        if taken.startswith(HOST_PREFIX):
            raise PlanError(f"Worker {name!r}: the name {taken!r} begins as those of the local host itself")
    bindings = version.get("bindings") or ()
    for binding, times in Counter(binding["name"] for binding in bindings).items():
        if times > 1:
            raise PlanError(f"Worker {name!r} has {times} bindings named {binding!r}")
    if version["mainModule"] not in {file.name for file in files}:
        raise PlanError(f"Worker {name!r}: its main module {version['mainModule']!r} is not in its bundle")
    return WorkerPlan(
        name=name,
        function=resources.workers[name].name,
        compatibility_date=version["compatibilityDate"],
        compatibility_flags=_runtime_flags(version.get("compatibilityFlags") or ()),
        main_module=version["mainModule"],
        files=files,
        env={binding["name"]: _env(resources, name, binding) for binding in bindings},
        queue_triggers=_queue_triggers(resources, name),
        crons=tuple(
            schedule["cron"]
            for trigger in resources.of_script("WorkersCronTrigger", name)
            for schedule in trigger.inputs["schedules"]
        ),
        cpu_limit_ms=(version.get("limits") or {}).get("cpuMs", DEFAULT_CPU_MS),
        assets=_assets(name, version.get("assets")),
    )


def _deployed_version(resources: _Resources, name: str) -> "Resource":
    shares = [
        share
        for deployment in resources.of_script("WorkersDeployment", name)
        for share in deployment.inputs["versions"]
    ]
    if len(shares) != 1:
        raise PlanError(
            f"Worker {name!r} has {len(shares)} deployed versions; the local host runs exactly one"
        )
    wanted = shares[0]["versionId"]
    for version in resources.of("WorkerVersion"):
        if version.id == wanted and version.inputs["workerId"] == resources.workers[name].id:
            return version
    raise PlanError(f"Worker {name!r} deploys version {wanted!r}, which is not declared as one of its own")


def _runtime_flags(flags: Iterable[str]) -> tuple[str, ...]:
    """Flags for the JavaScript Worker that stands in: those about Python mean nothing to it."""
    kept = {flag for flag in flags if "python" not in flag}
    return tuple(sorted(kept | {NODE_COMPAT_FLAG}))


def _assets(worker: str, assets: Mapping[str, Any] | None) -> AssetsPlan | None:
    """Files that the platform serves by itself, from this checkout."""
    if assets is None:
        return None
    config = dict(assets["config"])
    plan = AssetsPlan(
        directory=str(ROOT / assets["directory"]),
        html_handling=config.pop("htmlHandling"),
        not_found_handling=config.pop("notFoundHandling"),
        worker_first=tuple(config.pop("runWorkerFirst")),
    )
    if config:
        raise PlanError(f"Worker {worker!r}: the local host does not map assets' {', '.join(sorted(config))}")
    return plan


def _queue_triggers(resources: _Resources, name: str) -> tuple[QueueTrigger, ...]:
    queues = [consumer.inputs["queueId"] for consumer in resources.of("QueueConsumer")]
    triggers = []
    for consumer in resources.of_script("QueueConsumer", name):
        inputs = consumer.inputs
        queue_id, dead_letters = inputs["queueId"], inputs.get("deadLetterQueue")
        if queue_id not in resources.queue_names:
            raise PlanError(
                f"QueueConsumer {consumer.name!r} consumes queue {queue_id!r}, which nothing declares"
            )
        if queues.count(queue_id) > 1:
            raise PlanError(f"queue {resources.queue_names[queue_id]!r} has more than one consumer")
        if dead_letters is not None and dead_letters not in resources.queue_names.values():
            raise PlanError(
                f"QueueConsumer {consumer.name!r}: nothing declares its dead-letter queue {dead_letters!r}"
            )
        settings = inputs.get("settings") or {}
        triggers.append(
            QueueTrigger(
                queue=resources.queue_names[queue_id],
                dead_letter_queue=dead_letters,
                batch_messages=settings.get("batchSize", DEFAULT_BATCH_MESSAGES),
                max_wait_seconds=settings.get("maxWaitTimeMs", DEFAULT_MAX_WAIT_MS) / SECOND_MS,
                max_retries=settings.get("maxRetries", DEFAULT_MAX_RETRIES),
                max_concurrency=settings.get("maxConcurrency"),
                retry_delay_seconds=settings.get("retryDelay"),
            )
        )
    return tuple(triggers)


def _env(resources: _Resources, worker: str, binding: Mapping[str, Any]) -> dict[str, Any]:
    """One binding of a WorkerVersion in Miniflare's words."""
    where = f"Worker {worker!r}, binding {binding['name']!r}"
    mapping = _BINDINGS.get(binding["type"])
    if mapping is None:
        raise PlanError(f"{where}: the local host knows no binding of type {binding['type']!r}")
    unknown = sorted(
        key
        for key, value in binding.items()
        if value is not None and key not in {"name", "type", *mapping.keys}
    )
    if unknown:
        raise PlanError(
            f"{where} of type {binding['type']!r}: the local host does not map {', '.join(unknown)}"
        )
    if mapping.declared is not None:
        target = binding[mapping.keys[0]]
        if target not in mapping.declared(resources):
            raise PlanError(f"{where}: nothing declares the {binding['type']} {target!r}")
    return mapping.to_env(binding)


@dataclass(frozen=True, slots=True, kw_only=True)
class _BindingMapping:
    """How one Cloudflare binding type is mapped. `declared` gives what its first key may refer to."""

    keys: tuple[str, ...]
    to_env: Callable[[Mapping[str, Any]], dict[str, Any]]
    declared: Callable[[_Resources], Iterable[str]] | None = None


_TEXT: Final = _BindingMapping(
    keys=("text",), to_env=lambda binding: {"type": "text", "value": binding["text"]}
)

_BINDINGS: Final[Mapping[str, _BindingMapping]] = {
    "r2_bucket": _BindingMapping(
        keys=("bucketName",),
        to_env=lambda binding: {"type": "r2", "name": binding["bucketName"]},
        declared=lambda resources: resources.buckets,
    ),
    "d1": _BindingMapping(
        keys=("databaseId",),
        to_env=lambda binding: {"type": "d1", "id": binding["databaseId"]},
        declared=lambda resources: resources.databases,
    ),
    "queue": _BindingMapping(
        keys=("queueName",),
        to_env=lambda binding: {"type": "queue", "name": binding["queueName"]},
        declared=lambda resources: resources.queue_names.values(),
    ),
    # A dataset comes into being with its first data point; nothing declares it.
    "analytics_engine": _BindingMapping(
        keys=("dataset",),
        to_env=lambda binding: {"type": "analytics-engine-dataset", "name": binding["dataset"]},
    ),
    "ratelimit": _BindingMapping(
        keys=("namespaceId", "simple"),
        to_env=lambda binding: {
            "type": "rate-limit",
            "namespace": binding["namespaceId"],
            # Whole: Miniflare refuses, by name, a rule that it does not know.
            "simple": dict(binding["simple"]),
        },
    ),
    "plain_text": _TEXT,
    # Miniflare's own secret type reads a file of wrangler's; a Worker sees a string either way.
    "secret_text": _TEXT,
}
