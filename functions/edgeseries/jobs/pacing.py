"""How often a job is looked at by who follows it: the longer it runs, the less often."""

from edgeseries.jobs.job import Job
from edgeseries.jobs.limits import EVENT_MAX_STEP_MS, EVENT_STEP_AGES, EVENT_STEP_MS


def step_ms(job: Job, now_ms: int) -> int:
    """Milliseconds between two looks at a job that is under way."""
    age_ms = max(0, now_ms - job.created_ms)
    return min(EVENT_MAX_STEP_MS, max(EVENT_STEP_MS, age_ms // EVENT_STEP_AGES))
