"""What upstream calls are made for: the class of the work, and whose it is.

In an isolate interactive calls go before those of jobs, and these before warming. Within a class owners
(API keys, jobs) take turns. It knows no call and no queue.
"""

from dataclasses import dataclass
from enum import StrEnum


class WorkClass(StrEnum):
    """Classes, the most urgent first."""

    INTERACTIVE = "interactive"
    JOB = "job"
    WARMING = "warming"

    @property
    def yields(self) -> bool:
        """Whether nobody waits for an answer: such work leaves an upstream that slows down to others."""
        return self is not WorkClass.INTERACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """`owner` is whose it is: turns are shared between owners. Empty: nobody's in particular."""

    work_class: WorkClass = WorkClass.INTERACTIVE
    owner: str = ""


@dataclass(slots=True, kw_only=True)
class Requester:
    """Whose calls those of one event are. `owner` is set once it is known: a request arrives before its key
    is checked, a message before its job is read.
    """

    work_class: WorkClass = WorkClass.INTERACTIVE
    owner: str = ""

    @property
    def work(self) -> Work:
        """What a call that leaves now is made for."""
        return Work(work_class=self.work_class, owner=self.owner)
