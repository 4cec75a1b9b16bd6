"""Wiring: which function gets which bindings, consumes which queues, and runs on which cron.

The one place that says so: `pulumi up`, `make dev` and the tests all read it. Pure data,
made from settings; `check` compares it with what the code takes. Must not know Pulumi.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from stack import settings as known
from stack.bundle import BindingUse
from stack.settings import Settings

WIRING_FILE: Final = "infra/stack/wiring.py"

FUNCTIONS: Final = known.FUNCTIONS

CACHE_BUCKET: Final = "cache"
DATABASE: Final = "db"
DATASET: Final = "analytics"
JOB_QUEUES: Final = ("jobs-high", "jobs-normal", "jobs-low")
DEAD_LETTERS: Final = "dead-letters"

RATE_PERIOD_SECONDS: Final = 60
"""Of a rate limit; the platform allows 10 or 60."""

DEAD_LETTER_MAX_RETRIES: Final = 100
"""The platform's maximum: nothing catches what the dead-letter consumer gives up."""

DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
SECOND_MS: Final = 1_000
GB_BYTES: Final = 1_000_000_000


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


def check(*, function: str, uses: Iterable[BindingUse], bindings: Iterable[Binding]) -> None:
    """Raise MissingBinding when the code of a function takes what its bindings do not have."""
    given = {binding.name for binding in bindings}
    missing = [use for use in uses if use.name not in given]
    if missing:
        faults = "; ".join(f"{use.name} (taken at {use.path}:{use.line})" for use in missing)
        raise MissingBinding(f"{function} is not given {faults}: add it for {function} in {WIRING_FILE}")


def _router(settings: Settings) -> FunctionWiring:
    return FunctionWiring(
        function="router",
        bindings=(
            *_stores(),
            *_upstream(settings),
            *_job_senders(),
            RateLimit(
                name="RATE_STANDARD",
                tier="standard",
                limit_count=settings.requests_per_minute,
                period_seconds=RATE_PERIOD_SECONDS,
            ),
            RateLimit(
                name="RATE_BULK",
                tier="bulk",
                limit_count=settings.bulk_requests_per_minute,
                period_seconds=RATE_PERIOD_SECONDS,
            ),
            SecretText(name="ADMIN_KEY_HASH", setting="adminKeyHash"),
            Text(name="AUTH", text=settings.auth),
            Text(name="ACTIVE_JOBS_PER_KEY", text=str(settings.active_jobs_per_key)),
            Text(name="CORS_ORIGINS", text=settings.cors_origins),
            Text(name="REQUESTS_PER_MINUTE", text=str(settings.requests_per_minute)),
            Text(name="BULK_REQUESTS_PER_MINUTE", text=str(settings.bulk_requests_per_minute)),
            Text(name="STACK", text=settings.stack),
            Text(name="CIRCUIT_PAUSE_MS", text=str(settings.circuit_pause_seconds * SECOND_MS)),
            Text(name="SETTLE_LAG_MS", text=str(settings.settle_lag_minutes * MINUTE_MS)),
            Text(name="ANSWER_TTL_MS", text=str(settings.answer_ttl_days * DAY_MS)),
            Text(name="REQUEST_DEADLINE_MS", text=str(settings.request_deadline_seconds * SECOND_MS)),
            Text(name="LIVE_TTL_MS", text=str(settings.live_ttl_seconds * SECOND_MS)),
            Text(name="DIRECT_MAX_SAMPLES", text=str(settings.direct_max_samples)),
            Text(name="QUEUED_MIN_SAMPLES", text=str(settings.queued_min_samples)),
        ),
        cpu_limit_ms=settings.router_cpu_limit_ms,
        public=True,
    )


def _consumer(settings: Settings) -> FunctionWiring:
    return FunctionWiring(
        function="consumer",
        bindings=(
            *_stores(),
            *_upstream(settings),
            *_job_senders(),
            QueueProducer(name="DEAD_LETTERS", queue=DEAD_LETTERS),
            Text(name="STACK", text=settings.stack),
            Text(name="CIRCUIT_PAUSE_MS", text=str(settings.circuit_pause_seconds * SECOND_MS)),
            Text(name="SETTLE_LAG_MS", text=str(settings.settle_lag_minutes * MINUTE_MS)),
            Text(name="BATCH_POINTS", text=str(settings.batch_points)),
            Text(name="BATCH_SAMPLES", text=str(settings.batch_samples)),
        ),
        cpu_limit_ms=settings.consumer_cpu_limit_ms,
        consumes=(
            *(_consumption(settings, queue=queue, dead_letter_queue=DEAD_LETTERS) for queue in JOB_QUEUES),
            _consumption(settings, queue=DEAD_LETTERS, dead_letter_queue=None),
        ),
    )


def _janitor(settings: Settings) -> FunctionWiring:
    return FunctionWiring(
        function="janitor",
        bindings=(
            *_stores(),
            *_upstream(settings),
            *_job_senders(),
            Text(name="STACK", text=settings.stack),
            SecretText(name="ALERT_WEBHOOK_URL", setting="alertWebhookUrl"),
            Text(name="CACHE_BUDGET_BYTES", text=str(round(settings.cache_budget_gb * GB_BYTES))),
            Text(name="JOB_KEEP_MS", text=str(settings.job_keep_days * DAY_MS)),
            Text(name="DEAD_LETTER_KEEP_MS", text=str(settings.dead_letter_keep_days * DAY_MS)),
            Text(name="RESCUE_AFTER_MS", text=str(settings.rescue_after_seconds * SECOND_MS)),
        ),
        cpu_limit_ms=settings.janitor_cpu_limit_ms,
        crons=(settings.janitor_cron,),
    )


def _stores() -> tuple[Binding, ...]:
    return (
        R2(name="CACHE", bucket=CACHE_BUCKET),
        D1(name="DB", database=DATABASE),
        AnalyticsEngine(name="ANALYTICS", dataset=DATASET),
    )


def _upstream(settings: Settings) -> tuple[Binding, ...]:
    return (
        Text(name="UPSTREAM_URL", text=settings.upstream_url),
        Text(name="UPSTREAM_KIND", text=settings.upstream_kind),
        SecretText(name="UPSTREAM_TOKEN", setting="upstreamToken"),
    )


def _job_senders() -> tuple[Binding, ...]:
    return tuple(QueueProducer(name=queue.replace("-", "_").upper(), queue=queue) for queue in JOB_QUEUES)


def _consumption(settings: Settings, *, queue: str, dead_letter_queue: str | None) -> Consumption:
    return Consumption(
        queue=queue,
        dead_letter_queue=dead_letter_queue,
        batch_messages=settings.queue_batch_messages,
        max_wait_seconds=settings.queue_max_wait_seconds,
        max_retries=DEAD_LETTER_MAX_RETRIES if dead_letter_queue is None else settings.queue_max_retries,
        max_concurrency=settings.queue_max_concurrency,
        retry_delay_seconds=settings.queue_retry_delay_seconds,
    )
