"""Fresh names."""

from typing import Protocol


class Identity(Protocol):
    """Makes names that nobody else has."""

    def request_id(self) -> str:
        """A short name for one request, letters and digits."""
        ...

    def key_id(self) -> str:
        """A name for an API key: 2 * KEY_ID_BYTES hexadecimal digits."""
        ...

    def key_secret(self) -> str:
        """What nobody can guess: 2 * KEY_SECRET_BYTES hexadecimal digits."""
        ...
