"""Wiring: which function gets which bindings, consumes which queues, and runs on which cron.

The one place that says so: `pulumi up`, `make dev` and the tests all read it. Pure data,
made from settings; `check` compares it with what the code takes. Must not know Pulumi.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from edgeseries.limits import RATE_WINDOW_S
from edgeseries.rates import Tier
from edgeseries.settings import workers
from edgeseries.settings.declaration import Setting
from stack import platform_settings as platform
from stack import settings as known
from stack.bundle import BindingUse, Bundle, bindings_used, names_imported
from stack.settings import Settings

FUNCTIONS: Final = known.FUNCTIONS

WIRING_FILE: Final = "infra/stack/wiring.py"
SETTINGS_FILE: Final = "functions/edgeseries/settings/workers.py"

CACHE_BUCKET: Final = "cache"
DATABASE: Final = "db"
DATASET: Final = "analytics"
JOB_QUEUES: Final = ("jobs-high", "jobs-normal", "jobs-low")
DEAD_LETTERS: Final = "dead-letters"

DEAD_LETTER_MAX_RETRIES: Final = 100
"""The platform's maximum: nothing catches what the dead-letter consumer gives up."""

RATE_PERIODS_S: Final = (10, 60)
"""Windows of a rate limit that the platform has (Workers rate limiting, 2026)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class R2:
    """An R2 bucket under a name in the code."""

    name: str
    bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class D1:
    """A D1 database."""

    name: str
    database: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueProducer:
    """The sending end of a queue."""

    name: str
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyticsEngine:
    """An Analytics Engine dataset, which the first write makes."""

    name: str
    dataset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """A rate limit; `tier` separates its counters from those of the others."""

    name: str
    tier: str
    limit_count: int
    period_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A plain value. Numbers travel as decimal text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretText:
    """A secret value, named by its setting; the value itself never comes here."""

    name: str
    setting: str


Binding = R2 | D1 | QueueProducer | AnalyticsEngine | RateLimit | Text | SecretText


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """The receiving end of a queue. Without a dead-letter queue a message that fails for good is lost."""

    queue: str
    dead_letter_queue: str | None
    batch_messages: int
    max_wait_seconds: int
    max_retries: int
    max_concurrency: int
    retry_delay_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionWiring:
    """Everything that one function is connected to."""

    function: str
    bindings: tuple[Binding, ...]
    cpu_limit_ms: int
    consumes: tuple[Consumption, ...] = ()
    crons: tuple[str, ...] = ()
    public: bool = False


class MissingBinding(ValueError):
    """The code takes a binding that the wiring does not give; the text names both and the remedy."""


def wire(settings: Settings) -> tuple[FunctionWiring, ...]:
    """The wiring of all functions of a stack."""
    return (_router(settings), _consumer(settings), _janitor(settings))


def bindings_taken(built: Bundle) -> tuple[BindingUse, ...]:
    """The bindings that a bundle's code takes: `env.NAME`, and the settings that it imports."""
    settings = (
        replace(use, name=setting.binding)
        for use in names_imported(built, workers.__name__)
        if isinstance(setting := getattr(workers, use.name, None), Setting)
    )
    return (*bindings_used(built), *settings)


def check(*, function: str, uses: Iterable[BindingUse], bindings: Iterable[Binding]) -> None:
    """Raise MissingBinding when the code of a function takes what its bindings do not have."""
    given = {binding.name for binding in bindings}
    missing = [use for use in uses if use.name not in given]
    if missing:
        faults = "; ".join(f"{use.name} (taken at {use.path}:{use.line})" for use in missing)
        raise MissingBinding(
            f"{function} is not given {faults}: add it for {function} in {WIRING_FILE}, "
            f"or, for a setting, name {function} in {SETTINGS_FILE}"
        )


def _router(settings: Settings) -> FunctionWiring:
    rates = {
        Tier.STANDARD: settings.whole(workers.REQUESTS_PER_MINUTE),
        Tier.BULK: settings.whole(workers.BULK_REQUESTS_PER_MINUTE),
    }
    return FunctionWiring(
        function="router",
        bindings=(
            *_stores(settings),
            *_job_senders(),
            *(
                RateLimit(
                    name=f"RATE_{tier.upper()}",
                    tier=tier,
                    limit_count=limit_count,
                    period_seconds=RATE_WINDOW_S,
                )
                for tier, limit_count in rates.items()
            ),
            *_settings_of("router", settings),
        ),
        cpu_limit_ms=settings.whole(platform.ROUTER_CPU_LIMIT_MS),
        public=True,
    )


def _consumer(settings: Settings) -> FunctionWiring:
    return FunctionWiring(
        function="consumer",
        bindings=(
            *_stores(settings),
            *_job_senders(),
            QueueProducer(name="DEAD_LETTERS", queue=DEAD_LETTERS),
            *_settings_of("consumer", settings),
        ),
        cpu_limit_ms=settings.whole(platform.CONSUMER_CPU_LIMIT_MS),
        consumes=(
            *(_consumption(settings, queue=queue, dead_letter_queue=DEAD_LETTERS) for queue in JOB_QUEUES),
            _consumption(settings, queue=DEAD_LETTERS, dead_letter_queue=None),
        ),
    )


def _janitor(settings: Settings) -> FunctionWiring:
    return FunctionWiring(
        function="janitor",
        bindings=(
            *_stores(settings),
            *_job_senders(),
            *_settings_of("janitor", settings),
        ),
        cpu_limit_ms=settings.whole(platform.JANITOR_CPU_LIMIT_MS),
        crons=(settings.text(platform.JANITOR_CRON),),
    )


def _stores(settings: Settings) -> tuple[Binding, ...]:
    return (
        Text(name="STACK", text=settings.stack),
        R2(name="CACHE", bucket=CACHE_BUCKET),
        D1(name="DB", database=DATABASE),
        AnalyticsEngine(name="ANALYTICS", dataset=DATASET),
    )


def _settings_of(function: str, settings: Settings) -> tuple[Binding, ...]:
    """The bindings of every setting that a function takes, as it is declared."""
    return tuple(
        SecretText(name=one.binding, setting=one.key)
        if one.secret
        else Text(name=one.binding, text=one.binding_text(settings.values[one.key]))
        for one in workers.SETTINGS
        if function in one.workers
    )


def _job_senders() -> tuple[Binding, ...]:
    return tuple(QueueProducer(name=queue.replace("-", "_").upper(), queue=queue) for queue in JOB_QUEUES)


def _consumption(settings: Settings, *, queue: str, dead_letter_queue: str | None) -> Consumption:
    return Consumption(
        queue=queue,
        dead_letter_queue=dead_letter_queue,
        batch_messages=settings.whole(platform.QUEUE_BATCH_MESSAGES),
        max_wait_seconds=settings.whole(platform.QUEUE_MAX_WAIT_SECONDS),
        max_retries=(
            DEAD_LETTER_MAX_RETRIES
            if dead_letter_queue is None
            else settings.whole(platform.QUEUE_MAX_RETRIES)
        ),
        max_concurrency=settings.whole(platform.QUEUE_MAX_CONCURRENCY),
        retry_delay_seconds=settings.whole(platform.QUEUE_RETRY_DELAY_SECONDS),
    )


assert RATE_WINDOW_S in RATE_PERIODS_S
