"""What the janitor takes from the platform: the names that the infra program must give it."""

from dataclasses import dataclass
from typing import Any, Self

from janitor.ports import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Bindings:
    """The janitor's bindings, resources as the SDK wraps them, settings checked."""

    cache: Any
    database: Any
    job_queues: dict[str, Any]
    analytics: Any
    stack: str
    upstream_url: str
    upstream_kind: str
    upstream_token: str
    alert_webhook_url: str
    settings: Settings

    @classmethod
    def from_env(cls, env: Any) -> Self:
        """Raises AttributeError that names the binding, if one is missing."""
        return cls(
            cache=env.CACHE,
            database=env.DB,
            job_queues={"high": env.JOBS_HIGH, "normal": env.JOBS_NORMAL, "low": env.JOBS_LOW},
            analytics=env.ANALYTICS,
            stack=env.STACK,
            upstream_url=env.UPSTREAM_URL,
            upstream_kind=env.UPSTREAM_KIND,
            upstream_token=env.UPSTREAM_TOKEN,
            alert_webhook_url=env.ALERT_WEBHOOK_URL,
            settings=Settings(
                cache_budget_bytes=int(env.CACHE_BUDGET_BYTES),
                job_keep_ms=int(env.JOB_KEEP_MS),
                rescue_after_ms=int(env.RESCUE_AFTER_MS),
                dead_letter_keep_ms=int(env.DEAD_LETTER_KEEP_MS),
            ),
        )
