"""The samples of an answer, counted while they are decoded and fetched: a bound that no estimate can talk its
way around.
"""

from collections.abc import Callable

from edgeseries.errors import AnswerTooLarge, MemoryBusy


def no_reservation(_stored: int, _fetched: int) -> None:
    """For who reserves no memory."""


class SampleBound:
    """Counts up to `most`. `reserve` is called with how many samples there are, stored and fetched, before
    they are there, and may raise. `besides` are held and no part of the answer: they are reserved as fetched.
    """

    def __init__(self, most: int, *, reserve: Callable[[int, int], None] = no_reservation) -> None:
        self._most = most
        self._reserve = reserve
        self.stored = 0
        self.fetched = 0
        self.besides = 0

    def add_stored(self, count: int) -> None:
        """So many samples of blocks more; less (a negative number) where a count before was too large.

        Raises AnswerTooLarge over the bound.
        """
        self.stored += count
        self._check(0)

    def add_fetched(self, count: int) -> None:
        """So many samples of the upstream more. Raises AnswerTooLarge over the bound."""
        self.fetched += count
        self._check(self.fetched)

    def hold_besides(self, count: int) -> bool:
        """Whether there is memory for so many samples, in all, that are no part of the answer."""
        try:
            self._reserve(self.stored, self.fetched + count)
        except (AnswerTooLarge, MemoryBusy):
            return False
        self.besides = count
        return True

    def _check(self, fetched: int) -> None:
        total = self.stored + self.fetched
        if total > self._most:
            raise AnswerTooLarge(
                f"the answer has {total} samples or more; at most {self._most} can be answered at once; "
                "ask for a shorter range or fewer points",
                estimated_samples=fetched,
            )
        self._reserve(self.stored, self.fetched + self.besides)
