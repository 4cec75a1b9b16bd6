"""Function: one deployed Worker, its immutable version, and the deployment of that version.

Owns the compatibility date and how a bundle and bindings become a WorkerVersion. Must not
know which functions exist, nor what a binding is for.
"""

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import pulumi
import pulumi_cloudflare as cloudflare

from stack.assets import HTML_HANDLING, NOT_FOUND_HANDLING, WORKER_FIRST, Assets
from stack.bundle import CONTENTS_REMEMBERED, Bundle
from stack.rollout import shares

COMPATIBILITY_DATE: Final = "2026-10-01"
"""Brings CPython 3.14 (since 2026-09-08), node:zlib (since 2026-08-04) and the vendored SDK
(since 2026-04-21). A later date is a change of platform: run `make test` before it is set."""

COMPATIBILITY_FLAGS: Final = ("python_workers",)
"""What no date implies; everything else comes with COMPATIBILITY_DATE."""

SHORT_HASH_CHARS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """One function as it is to run. The bindings are resolved: they name real resources."""

    account_id: str
    script_name: str
    bundle: Bundle
    bindings: tuple[cloudflare.WorkerVersionBindingArgs, ...]
    cpu_limit_ms: int
    log_sampling_rate: float
    workers_dev: bool
    crons: tuple[str, ...] = ()
    custom_domain: str | None = None
    canary_percent: int
    protect: bool
    stable_version: str | None = None
    pinned_version: str | None = None
    assets: Assets | None = None

    @property
    def tag(self) -> str:
        """Another one with any byte that is uploaded."""
        if self.assets is None:
            return self.bundle.hash
        return hashlib.sha256(f"{self.bundle.hash} {self.assets.sha256}".encode()).hexdigest()


class Function(pulumi.ComponentResource):
    """A Worker with everything that belongs to it alone, so that `--target` can ship it alone.

    All children carry the function's name, which never changes with its contents.
    `opts.depends_on` holds the version back: what the code reads and writes must be there first.
    """

    def __init__(self, name: str, spec: FunctionSpec, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("edgeseries:stack:Function", name, None, opts)
        # Pulumi does not hand a component's own dependencies down to its children.
        needs = opts.depends_on if opts is not None else None
        self.worker = cloudflare.Worker(
            name,
            account_id=spec.account_id,
            name=spec.script_name,
            observability=cloudflare.WorkerObservabilityArgs(
                enabled=True, head_sampling_rate=spec.log_sampling_rate
            ),
            subdomain=cloudflare.WorkerSubdomainArgs(enabled=spec.workers_dev, previews_enabled=False),
            opts=pulumi.ResourceOptions(parent=self, protect=spec.protect),
        )
        self.version = cloudflare.WorkerVersion(
            name,
            account_id=spec.account_id,
            worker_id=self.worker.id,
            main_module=spec.bundle.main_module,
            modules=_modules(spec.bundle),
            bindings=list(spec.bindings),
            compatibility_date=COMPATIBILITY_DATE,
            compatibility_flags=list(COMPATIBILITY_FLAGS),
            assets=_assets(spec.assets),
            limits=cloudflare.WorkerVersionLimitsArgs(cpu_ms=spec.cpu_limit_ms),
            # The tag changes with any byte of bundle and assets, so that a change always makes a version.
            annotations=cloudflare.WorkerVersionAnnotationsArgs(
                workers_tag=spec.tag,
                workers_message=f"{spec.bundle.function} {spec.tag[:SHORT_HASH_CHARS]}",
            ),
            # A version that is replaced stays on the platform, or there would be nothing to roll back to.
            # It goes with its Worker.
            opts=pulumi.ResourceOptions(parent=self, depends_on=needs, retain_on_delete=True),
        )
        self.deployment = cloudflare.WorkersDeployment(
            name,
            account_id=spec.account_id,
            script_name=self.worker.name,
            strategy="percentage",
            versions=self.version.id.apply(lambda version_id: _versions(spec, version_id)),
            # Every change replaces it, which protection would refuse. Nothing is lost with the older one, and
            # what ran before is read from the list of them. It goes with its Worker.
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        self._make_triggers(name, spec)
        self.register_outputs({"script": self.worker.name, "version": self.version.id})

    def _make_triggers(self, name: str, spec: FunctionSpec) -> None:
        """The cron and the hostname, both refused by the platform before something is deployed."""
        opts = pulumi.ResourceOptions(parent=self, depends_on=[self.deployment], protect=spec.protect)
        if spec.crons:
            cloudflare.WorkersCronTrigger(
                name,
                account_id=spec.account_id,
                script_name=self.worker.name,
                schedules=[cloudflare.WorkersCronTriggerScheduleArgs(cron=cron) for cron in spec.crons],
                opts=opts,
            )
        if spec.custom_domain is not None:
            cloudflare.WorkersCustomDomain(
                name,
                account_id=spec.account_id,
                hostname=spec.custom_domain,
                service=self.worker.name,
                opts=opts,
            )


def _versions(spec: FunctionSpec, new_version: str) -> list[cloudflare.WorkersDeploymentVersionArgs]:
    return [
        cloudflare.WorkersDeploymentVersionArgs(version_id=share.version_id, percentage=share.percent)
        for share in shares(
            new_version=new_version,
            stable_version=spec.stable_version,
            pinned_version=spec.pinned_version,
            canary_percent=spec.canary_percent,
        )
    ]


def _assets(assets: Assets | None) -> cloudflare.WorkerVersionAssetsArgs | None:
    if assets is None:
        return None
    config = cloudflare.WorkerVersionAssetsConfigArgs(
        html_handling=HTML_HANDLING,
        not_found_handling=NOT_FOUND_HANDLING,
        run_worker_first=list(WORKER_FIRST),
    )
    return cloudflare.WorkerVersionAssetsArgs(directory=assets.directory, config=config)


def _modules(bundle: Bundle) -> list[cloudflare.WorkerVersionModuleArgs]:
    return [
        cloudflare.WorkerVersionModuleArgs(
            name=module.name,
            content_type=module.content_type,
            content_base64=_base64_of(module.content),
        )
        for module in bundle.modules
    ]


@lru_cache(maxsize=CONTENTS_REMEMBERED)
def _base64_of(content: bytes) -> str:
    # Most contents stand in all three bundles; as one text they take its memory once.
    return base64.b64encode(content).decode("ascii")
