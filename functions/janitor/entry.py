"""The janitor Worker: a cron event in, a sweep done. It decides nothing."""

from typing import Any

from workers import WorkerEntrypoint

from edgeseries.adapters.ffi import whole_number
from edgeseries.adapters.journal import PlatformJournal
from janitor.bindings import Bindings
from janitor.flow import sweep


class Default(WorkerEntrypoint):
    """The handler of cron events."""

    async def scheduled(self, controller: Any, env: Any, ctx: Any) -> None:  # noqa: ARG002 - the platform's signature
        """Sweep once."""
        bindings = Bindings.from_env(self.env)
        journal = PlatformJournal(function="janitor", dataset=bindings.analytics)
        sweep(str(controller.cron), whole_number(controller.scheduledTime, "scheduledTime"), journal)
