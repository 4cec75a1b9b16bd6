"""Fresh names."""

from typing import Protocol


class Identity(Protocol):
    """Makes names that nobody else has."""

    def request_id(self) -> str:
        """A short name for one request, letters and digits."""
        ...
