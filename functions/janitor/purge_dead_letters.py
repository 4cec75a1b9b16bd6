"""Dead letters that nobody wanted back for long are forgotten."""

from typing import Final

from janitor.duty import Duty, Outcome, Turn
from janitor.ports import Ports

PAGE_DEAD_LETTERS: Final = 1_000
MAX_PAGES: Final = 10
"""10,000 letters a sweep. A letter is a message of some hundred bytes and its cause."""


async def purge_letters(ports: Ports, turn: Turn) -> Outcome:
    """Page by page until none is left. Nothing is remembered: what is left is found again."""
    count = 0
    for _ in range(MAX_PAGES):
        gone = await ports.keeping.purge_letters(
            before_ms=turn.now_ms - ports.settings.dead_letter_keep_ms, at_most=PAGE_DEAD_LETTERS
        )
        count += gone
        if gone < PAGE_DEAD_LETTERS or not turn.has_time(ports):
            break
    return Outcome(summary=f"{count} dead letters forgotten", count=count)


DUTY: Final = Duty(name="purge-letters", statements=MAX_PAGES, run=purge_letters)
