"""Host plan: the values that say what the local host is to run, and their JSON form.

Owns the shape that `local/plan.py` makes and `local/host/host.mjs` reads. `env` and the queue
triggers are in the words of Miniflare's options already, so that the JavaScript side maps
nothing again. Must not know where a plan comes from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from local.large_files import is_large, kept_file
from local.limits import COUNTED, Table

SNAPSHOTS: Final = Path(__file__).resolve().parents[1] / "build" / "snapshots"
"""Where snapshots of interpreters are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFile:
    """One module of a Worker's bundle, as it would be uploaded."""

    name: str
    content_type: str
    content_base64: str

    def to_wire(self) -> dict[str, str]:
        """The JSON form: the content, or of a large file its path on this machine."""
        head = {"name": self.name, "contentType": self.content_type}
        # What Python imports is compiled before the start, from its content.
        if is_large(self.content_base64) and not self.name.endswith(".py"):
            return {**head, "path": str(kept_file(self.content_base64))}
        return {**head, "contentBase64": self.content_base64}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTrigger:
    """A queue that a Worker consumes, with Cloudflare's defaults filled in."""

    queue: str
    dead_letter_queue: str | None
    batch_messages: int
    max_wait_seconds: float
    max_retries: int
    max_concurrency: int | None
    retry_delay_seconds: int | None

    def to_wire(self) -> dict[str, Any]:
        """Miniflare's trigger; absent settings are left out."""
        trigger = {
            "type": "queue",
            "name": self.queue,
            "deadLetterQueue": self.dead_letter_queue,
            "maxBatchSize": self.batch_messages,
            "maxBatchTimeout": self.max_wait_seconds,
            "maxRetries": self.max_retries,
            "maxConcurrency": self.max_concurrency,
            "retryDelay": self.retry_delay_seconds,
        }
        return {key: value for key, value in trigger.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetsPlan:
    """Files that are served without the Worker, but for paths of `worker_first`. `directory` is absolute."""

    directory: str
    html_handling: str
    not_found_handling: str
    worker_first: tuple[str, ...]

    def to_wire(self) -> dict[str, Any]:
        """Miniflare's assets."""
        return {
            "directory": self.directory,
            "htmlHandling": self.html_handling,
            "notFoundHandling": self.not_found_handling,
            "runWorkerFirst": list(self.worker_first),
            "hasUserWorker": True,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPlan:
    """One Worker: its physical name, its function's, `env`, binding names to Miniflare's bindings, and the
    CPU time of an event. It answers requests to its `hosts`, whatever Worker is the public one.
    """

    name: str
    function: str
    compatibility_date: str
    compatibility_flags: tuple[str, ...]
    main_module: str
    files: tuple[BundleFile, ...]
    env: Mapping[str, Mapping[str, Any]]
    queue_triggers: tuple[QueueTrigger, ...]
    crons: tuple[str, ...]
    cpu_limit_ms: int
    assets: AssetsPlan | None = None
    hosts: tuple[str, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """The JSON form."""
        requests = [{"type": "fetch", "pattern": f"{host}/*"} for host in self.hosts]
        return {
            "name": self.name,
            "function": self.function,
            "compatibilityDate": self.compatibility_date,
            "compatibilityFlags": list(self.compatibility_flags),
            "mainModule": self.main_module,
            "files": [file.to_wire() for file in self.files],
            "env": {name: dict(binding) for name, binding in self.env.items()},
            "triggers": [*(trigger.to_wire() for trigger in self.queue_triggers), *requests],
            "crons": list(self.crons),
            "cpuLimitMs": self.cpu_limit_ms,
            "assets": None if self.assets is None else self.assets.to_wire(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A plain JavaScript Worker that no graph declares, run beside the graph's for comparison.

    `source` is one ES module. It has the bindings of the public Worker and answers on the same
    port, to paths that begin with `path`.
    """

    name: str
    source: str
    path: str

    def to_wire(self) -> dict[str, str]:
        """The JSON form."""
        return {"name": self.name, "source": self.source, "path": self.path}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPlan:
    """Everything that runs. The first Worker is the public one: it answers on the port.

    `databases` are ids, `buckets` and `queues` physical names. `schema` is applied to every
    database before the first event. `scripts` come from no graph and are none in production. Events are
    counted by `limits`. With `wake_all` every Worker imports its entry before anybody is served, else the
    public one alone: the others do so at their first event. Interpreters are restored from snapshots in the
    folder `snapshots`; without a folder each boots anew, which takes longer.
    """

    workers: tuple[WorkerPlan, ...]
    buckets: tuple[str, ...]
    databases: tuple[str, ...]
    queues: tuple[str, ...]
    schema: tuple[str, ...]
    scripts: tuple[Script, ...] = ()
    limits: Table = field(default_factory=lambda: COUNTED)
    wake_all: bool = True
    snapshots: Path | None = SNAPSHOTS

    def to_wire(self) -> dict[str, Any]:
        """The JSON form that `local/host/host.mjs` reads."""
        return {
            "workers": [worker.to_wire() for worker in self.workers],
            "buckets": list(self.buckets),
            "databases": list(self.databases),
            "queues": list(self.queues),
            "schema": list(self.schema),
            "limits": {name: dict(limit) for name, limit in self.limits.items()},
            "scripts": [script.to_wire() for script in self.scripts],
            "wakeAll": self.wake_all,
            "snapshots": None if self.snapshots is None else str(self.snapshots),
        }
