"""Program: from settings to resources and outputs. The whole graph of a stack is made here.

Owns the order in which components are made and how wiring is resolved to real resources.
Bundles are built and checked against the wiring before the first resource is made, so that
a fault changes nothing. Must not decide limits or names: those are `settings` and `names`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pulumi
import pulumi_cloudflare as cloudflare
from pulumi.runtime.config import CONFIG

from edgeseries.settings import workers
from stack import platform_settings as declared
from stack import wiring
from stack.assets import Assets, read_assets
from stack.bundle import Bundle, bundle, vendored_sdk, vendored_wheels
from stack.components.function import Function, FunctionSpec
from stack.components.queues import Consumers, ConsumersSpec, Queues, QueueSpec, QueuesSpec
from stack.components.storage import Storage, StorageSpec
from stack.names import Names, names_of, preview_number
from stack.schema import Migration, digest_of, read_migrations
from stack.settings import NAMESPACE, SECRET_KEYS, Settings, parse

ROOT: Final = Path(__file__).resolve().parents[2]
FUNCTIONS_DIR: Final = ROOT / "functions"

_PRESENT: Final = "[secret]"


def read_settings() -> Settings:
    """The settings of the current stack, from Pulumi config; raises SettingsError.

    Values of secrets are kept out: the parser is told only that they are there.
    """
    prefix = f"{NAMESPACE}:"
    # Pulumi's public Config answers for known keys only, and unknown ones are faults here.
    config: Mapping[str, str] = CONFIG.get()
    texts = {key.removeprefix(prefix): text for key, text in config.items() if key.startswith(prefix)}
    secret_keys = {key for key in texts if pulumi.runtime.is_config_secret(prefix + key)}
    hidden = {key: _PRESENT if texts[key] else "" for key in secret_keys | (SECRET_KEYS & texts.keys())}
    return parse(pulumi.get_stack(), {**texts, **hidden}, secret_keys=secret_keys)


def build(settings: Settings, *, functions_dir: Path = FUNCTIONS_DIR) -> Mapping[str, pulumi.Input[object]]:
    """Make all resources of a stack and return its outputs.

    Raises BundleError, AssetsFault, MissingBinding, SchemaFault or NameFault before anything is made.
    """
    names = names_of(settings.stack)
    wired = wiring.wire(settings)
    bundles = _bundles(wired, functions_dir)

    assets = read_assets(ROOT)
    migrations = read_migrations(ROOT / "migrations")

    storage = Storage("storage", _storage_spec(settings, names, migrations))
    queues = Queues("queues", _queues_spec(settings, names))
    resolve = _resolver(names=names, storage=storage, queues=queues)
    functions: dict[str, Function] = {}
    for plan in wired:
        function = Function(
            plan.function,
            _function_spec(
                settings, names, plan, built=bundles[plan.function], assets=assets, resolve=resolve
            ),
            pulumi.ResourceOptions(depends_on=storage.ready),
        )
        functions[plan.function] = function
        if plan.consumes:
            Consumers(
                plan.function,
                ConsumersSpec(
                    account_id=settings.text(declared.ACCOUNT_ID),
                    script_name=function.worker.name,
                    queues=queues.by_name,
                    consumes=plan.consumes,
                    protect=settings.flag(declared.PROTECT_DATA),
                ),
                pulumi.ResourceOptions(depends_on=[function.deployment]),
            )
    return {
        "routerUrl": _router_url(settings, functions["router"]),
        "bucket": storage.bucket.name,
        "database": storage.database.name,
        "databaseId": storage.database.id,
        "schemaVersion": migrations[-1].version,
        "dataset": names.dataset(wiring.DATASET),
        "queues": {queue: resource.queue_name for queue, resource in queues.by_name.items()},
        "workers": {name: function.worker.name for name, function in functions.items()},
        "versions": {name: function.version.id for name, function in functions.items()},
    }


def _bundles(wired: tuple[wiring.FunctionWiring, ...], functions_dir: Path) -> dict[str, Bundle]:
    vendored, wheels = vendored_sdk(), vendored_wheels()
    bundles = {}
    for plan in wired:
        built = bundle(plan.function, functions_dir, vendored, wheels)
        wiring.check(function=plan.function, uses=wiring.bindings_taken(built), bindings=plan.bindings)
        bundles[plan.function] = built
    return bundles


def _storage_spec(settings: Settings, names: Names, migrations: tuple[Migration, ...]) -> StorageSpec:
    return StorageSpec(
        account_id=settings.text(declared.ACCOUNT_ID),
        bucket_name=names.bucket(wiring.CACHE_BUCKET),
        database_name=names.database(wiring.DATABASE),
        location_hint=settings.optional_text(declared.LOCATION_HINT),
        answer_ttl_days=settings.whole(workers.ANSWER_TTL_DAYS),
        block_ttl_days=settings.whole(declared.BLOCK_TTL_DAYS),
        abort_multipart_days=settings.whole(declared.ABORT_MULTIPART_DAYS),
        protect=settings.flag(declared.PROTECT_DATA),
        emptied=preview_number(settings.stack) is not None,
        migrations=migrations,
        schema_digest=digest_of((ROOT / "schema.sql").read_text(encoding="utf-8"), migrations),
    )


def _queues_spec(settings: Settings, names: Names) -> QueuesSpec:
    retention_days = {
        **dict.fromkeys(wiring.JOB_QUEUES, settings.whole(declared.QUEUE_RETENTION_DAYS)),
        wiring.DEAD_LETTERS: settings.whole(declared.DEAD_LETTER_RETENTION_DAYS),
    }
    return QueuesSpec(
        account_id=settings.text(declared.ACCOUNT_ID),
        queues=tuple(
            QueueSpec(queue=queue, queue_name=names.queue(queue), retention_days=days)
            for queue, days in retention_days.items()
        ),
        protect=settings.flag(declared.PROTECT_DATA),
    )


Resolve = Callable[[wiring.Binding], cloudflare.WorkerVersionBindingArgs]


def _function_spec(
    settings: Settings,
    names: Names,
    plan: wiring.FunctionWiring,
    *,
    built: Bundle,
    assets: Assets,
    resolve: Resolve,
) -> FunctionSpec:
    # The platform returns bindings by name; in another order every preview would show a change.
    bindings = sorted(plan.bindings, key=lambda binding: binding.name)
    return FunctionSpec(
        account_id=settings.text(declared.ACCOUNT_ID),
        script_name=names.worker(plan.function),
        bundle=built,
        bindings=tuple(resolve(binding) for binding in bindings),
        cpu_limit_ms=plan.cpu_limit_ms,
        log_sampling_rate=settings.number(declared.LOG_SAMPLING_RATE),
        workers_dev=plan.public and settings.flag(declared.WORKERS_DEV),
        crons=plan.crons,
        custom_domain=settings.optional_text(declared.CUSTOM_DOMAIN) if plan.public else None,
        canary_percent=settings.whole(declared.CANARY_PERCENT),
        protect=settings.flag(declared.PROTECT_DATA),
        stable_version=settings.versions(declared.STABLE_VERSIONS).get(plan.function),
        pinned_version=settings.versions(declared.PINNED_VERSIONS).get(plan.function),
        assets=assets if plan.public else None,
    )


def _resolver(*, names: Names, storage: Storage, queues: Queues) -> Resolve:
    """How a binding of the wiring becomes one of a Worker version, with real resources behind it."""
    args = cloudflare.WorkerVersionBindingArgs

    def resolve(binding: wiring.Binding) -> cloudflare.WorkerVersionBindingArgs:  # noqa: PLR0911 - one a kind
        match binding:
            case wiring.R2(name=name):
                return args(name=name, type="r2_bucket", bucket_name=storage.bucket.name)
            case wiring.D1(name=name):
                return args(name=name, type="d1", database_id=storage.database.id)
            case wiring.QueueProducer(name=name, queue=queue):
                return args(name=name, type="queue", queue_name=queues.by_name[queue].queue_name)
            case wiring.AnalyticsEngine(name=name, dataset=dataset):
                return args(name=name, type="analytics_engine", dataset=names.dataset(dataset))
            case wiring.RateLimit(name=name, tier=tier, limit_count=limit, period_seconds=period):
                simple = cloudflare.WorkerVersionBindingSimpleArgs(limit=limit, period=period)
                namespace_id = names.rate_limit_namespace(tier)
                return args(name=name, type="ratelimit", namespace_id=namespace_id, simple=simple)
            case wiring.Text(name=name, text=text):
                return args(name=name, type="plain_text", text=text)
            case wiring.SecretText(name=name, setting=setting):
                secret = pulumi.Config().get_secret(setting)
                if secret is None:
                    # A secret that may stay unset. The code takes the binding all the same.
                    return args(name=name, type="plain_text", text="")
                return args(name=name, type="secret_text", text=secret)

    return resolve


def _router_url(settings: Settings, router: Function) -> pulumi.Input[str | None]:
    domain = settings.optional_text(declared.CUSTOM_DOMAIN)
    if domain is not None:
        return f"https://{domain}"
    url: pulumi.Output[str | None] = router.worker.subdomain.apply(lambda subdomain: subdomain.url)
    return url
