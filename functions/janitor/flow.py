"""What a sweep does. There is nothing stored yet, so there is nothing to keep in order."""

from edgeseries.ports.journal import Journal


def sweep(cron: str, scheduled_ms: int, journal: Journal) -> None:
    """One sweep, named by its schedule and the moment it was due (UTC epoch ms)."""
    journal.line("info", "sweep: no duties in this version", cron=cron, scheduledMs=scheduled_ms)
