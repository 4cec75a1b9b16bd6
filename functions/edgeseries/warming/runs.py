"""What was handed to a job to be fetched ahead, and what came of it."""

from dataclasses import dataclass

from edgeseries.warming.patterns import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmRun:
    """Days of a set of points (both held, since 1970) that one job fetches. `point_days` were missing when it
    was made; what it takes is as it was expected. `owner` and `name` are those of a saved set or a request.
    """

    job_id: str
    digest: str
    reason: Reason
    site: str
    first_day: int
    last_day: int
    point_days: int
    samples: int
    calls: int
    planned_ms: int
    owner: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A run as it ended so far: the status of its job (None once it is forgotten), samples that the job has
    delivered, and when the set was asked for these days first, after they were stored.
    """

    run: WarmRun
    status: str | None
    delivered: int
    used_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmSums:
    """Counts of the last weeks (`docs/formats/warming.md` says of what).

    Of questions: how often they were asked, sealed days of their points, those of them that were not stored.
    Of jobs that fetched ahead and are completed: how many, their days of points, those that were asked for.
    """

    asks: int = 0
    point_days: int = 0
    missing_point_days: int = 0
    runs: int = 0
    warmed_point_days: int = 0
    used_runs: int = 0
    used_point_days: int = 0

    @property
    def stored_without(self) -> int:
        """Days of points that would have been stored when they were asked for, had the first question for
        what was fetched ahead found nothing of it.
        """
        return max(0, self.point_days - self.missing_point_days - self.used_point_days)
