"""What a record of an ACE installation may set."""

from typing import Final

from edgeseries.origins.option import Option

TEXT_POINTS: Final = Option(
    key="textPoints",
    description="names of points whose values are texts, however they look; `*` for anything, `|` between",
    default="",
)

OPTIONS: Final[tuple[Option, ...]] = (TEXT_POINTS,)
