"""What a record of an ACE installation may set."""

from typing import Final

from edgeseries.origins.option import Option

OPTIONS: Final[tuple[Option, ...]] = ()
