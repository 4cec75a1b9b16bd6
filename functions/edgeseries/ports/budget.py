"""What the platform allows one invocation, and how much of it is left."""

from typing import Protocol


class Budget(Protocol):
    """The calls of one invocation: statements of the database, and calls of the bucket."""

    def spent(self) -> bool:
        """Whether so little is left that nothing new should be begun: what is under way may need it."""
        ...
