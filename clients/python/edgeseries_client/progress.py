"""A bar for a job: rich where it is installed (it knows notebooks by itself), else tqdm, else nothing."""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from edgeseries_client.jobs import Job

Progress = bool | Literal["auto"] | Callable[["Job"], None]
"""Whether to show bars: `auto` does in a terminal and in a notebook. A function is called with each job."""


class Bar(Protocol):
    """What shows jobs."""

    def show(self, job: "Job") -> None:
        """The job as it is now."""

    def close(self) -> None:
        """Nothing more comes."""


def bar_of(progress: Progress) -> Bar:
    """The bar that is asked for, as far as there is a library for it."""
    if callable(progress):
        return _Function(progress)
    if progress is False or (progress == "auto" and not (sys.stderr.isatty() or in_notebook())):
        return _Silent()
    if find_spec("rich") is not None:
        return _Rich()
    return _Tqdm() if find_spec("tqdm") is not None else _Silent()


def in_notebook() -> bool:
    """Whether this runs in a kernel of Jupyter."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


def words(job: "Job") -> str:
    """A job's state in a line."""
    rate = f", {job.rate_per_s:,.0f} samples/s" if job.rate_per_s else ""
    eta = f", {job.eta_s:,.0f} s left" if job.eta_s is not None and not job.ended else ""
    return f"{job.site}: {job.status}{rate}{eta}"


class _Silent:
    def show(self, job: "Job") -> None:
        del job

    def close(self) -> None:
        pass


class _Function:
    def __init__(self, call: Callable[["Job"], None]) -> None:
        self._call = call

    def show(self, job: "Job") -> None:
        self._call(job)

    def close(self) -> None:
        pass


class _Rich:
    """Of rich. The bar appears with the first job, so that quick answers flicker nothing."""

    def __init__(self) -> None:
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}

    def show(self, job: "Job") -> None:
        if self._bars is None:
            from rich.console import Console  # noqa: PLC0415 - optional, and loaded for a job alone
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn  # noqa: PLC0415

            columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
            self._bars = Progress(*columns, console=Console(stderr=not in_notebook()))
            self._bars.start()
        if job.job_id not in self._tasks:
            self._tasks[job.job_id] = self._bars.add_task(words(job), total=100.0)
        self._bars.update(self._tasks[job.job_id], completed=job.progress, description=words(job))

    def close(self) -> None:
        if self._bars is not None:
            self._bars.stop()


class _Tqdm:
    """Of tqdm, whose `auto` knows notebooks."""

    def __init__(self) -> None:
        self._bars: dict[str, Any] = {}

    def show(self, job: "Job") -> None:
        if job.job_id not in self._bars:
            from tqdm.auto import tqdm  # noqa: PLC0415 - optional, and loaded for a job alone

            self._bars[job.job_id] = tqdm(total=100.0, unit="%")
        bar = self._bars[job.job_id]
        bar.set_description(words(job))
        bar.update(job.progress - bar.n)

    def close(self) -> None:
        for bar in self._bars.values():
            bar.close()
