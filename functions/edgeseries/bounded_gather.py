"""Many calls, a few at a time. No task outlives the call: an abandoned one spoils the isolate."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

from edgeseries.errors import EdgeError

Argument = TypeVar("Argument")
Result = TypeVar("Result")


async def bounded_gather(
    arguments: Iterable[Argument], call: Callable[[Argument], Awaitable[Result]], *, at_once: int
) -> tuple[dict[Argument, Result], EdgeError | None]:
    """Results by argument, and the first error, after which no further call was begun."""
    waiting: Iterator[Argument] = iter(arguments)
    results: dict[Argument, Result] = {}
    errors: list[EdgeError] = []

    async def work() -> None:
        for argument in waiting:
            if errors:
                return
            try:
                results[argument] = await call(argument)
            except EdgeError as error:
                errors.append(error)

    # `work` handles our own errors; a defect ends its worker, and the others end before it is raised.
    ended = await asyncio.gather(*(work() for _ in range(at_once)), return_exceptions=True)
    for failure in ended:
        if failure is not None:
            raise failure
    return results, errors[0] if errors else None
