"""Which files of the functions run for something: what a reader opens who follows it.

`python -m tests.opened_files` lists them.
Counted over fakes of stores and platform, so that the files of the domain count and not those of adapters.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from edgeseries.warming.asks import Ask
from tests.asked_router import QUERY, START_MS, ask, make_ports
from tests.fakes import FakeClock
from tests.job_system import JobSystem


@dataclass
class ListedAsks:
    """Counts questions, as where warming is on."""

    listed: list[Ask] = field(default_factory=list)

    def count(self, ask: Ask, now_ms: int) -> None:
        assert now_ms
        self.listed.append(ask)


FUNCTIONS = "/functions/"
LATER_MS = START_MS + 40 * 86_400_000


def opened(work: Callable[[], object]) -> set[str]:
    """Files below `functions/` of which code runs, without declarations that tests hold answers against."""
    ran: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        name = frame.f_code.co_filename.replace("\\", "/")
        if event == "call" and FUNCTIONS in name:
            ran.add(name.split(FUNCTIONS)[1])

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return {name for name in ran if "openapi" not in name and "contract/" not in name}


def of_a_cached_request() -> set[str]:
    """A request that is answered from the stored answer: asked once before."""
    asks = ListedAsks()
    ports = make_ports(clock=FakeClock(at_ms=LATER_MS), asks=asks)
    query = (*QUERY, ("route", "cached"))
    ask(query=query, ports=ports)
    answers = []
    files = opened(lambda: answers.append(ask(query=query, ports=ports)))
    assert "; hit" in answers[0].headers["Cache-Status"]
    assert len(asks.listed) == len(("the first", "the hit"))
    return files


def of_a_job_batch() -> set[str]:
    """The message of one batch of a job, from its delivery to its acknowledgement."""
    system = JobSystem()
    try:
        job_id = system.start().job.job_id
        system.deliver(system.ready()[0])
        files = opened(lambda: system.deliver(system.ready()[0]))
        assert system.job(job_id).batches_done == 1
        return files
    finally:
        system.close()


if __name__ == "__main__":
    for what, files in (("a cached request", of_a_cached_request()), ("a batch of a job", of_a_job_batch())):
        sys.stdout.write("\n  ".join([f"{what}: {len(files)} files", *sorted(files)]) + "\n")
