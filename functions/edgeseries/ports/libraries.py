"""The Libraries port: native libraries that are loaded when the first caller needs them."""

from typing import Protocol


class Libraries(Protocol):
    """Loading takes some hundred milliseconds, once an isolate, and what is loaded stays."""

    def load_arrow(self) -> None:
        """What writes Arrow and Parquet and reads Parquet, so that importing it takes nothing more."""
        ...


class ImportedLibraries:
    """Where loading is importing, which whoever needs them does."""

    def load_arrow(self) -> None:
        """Nothing."""
