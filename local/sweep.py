"""`make sweep`: have the janitor of a running `make dev` sweep now, and print what became of each duty.

Owns which Worker that is and how a sweep is told. `make dev` runs `sweep` when it is asked to.
"""

import os
import sys
from pathlib import Path
from typing import Any, Final

from local.hosting import Host
from local.remote import RemoteError, give

COMMAND: Final = "sweep"
JANITOR: Final = "janitor"
FAILED: Final = "failed"

REMEMBERED: Final = "SELECT duty, outcome, ran_ms FROM janitor_state ORDER BY ran_ms, duty"


def sweep(host: Host) -> list[dict[str, Any]]:
    """Run the janitor's schedule now, wait for it, and return what its duties remember."""
    janitor = next(worker for worker in host.plan.workers if worker.function == JANITOR)
    host.fire_schedule(janitor.name, janitor.crons[0])
    return host.query(REMEMBERED)


def main() -> int:
    """Exit status 0 when every duty is done, 1 when one failed or there is nobody to ask."""
    try:
        duties = give(Path(os.environ.get("STATE", ".edgeseries")), COMMAND)
    except RemoteError as fault:
        print(f"make sweep: {fault}", file=sys.stderr)
        return 1
    for duty in duties:
        print(f"{duty['duty']:<18} {duty['outcome']}")
    return int(any(str(duty["outcome"]).startswith(FAILED) for duty in duties))


if __name__ == "__main__":
    sys.exit(main())
