"""What a record of a Haystack server may set."""

from typing import Final

from edgeseries.origins.option import Option

OPTIONS: Final = (
    Option(
        key="format",
        default="hayson",
        words=("hayson", "zinc"),
        description="The form in which answers are asked.",
    ),
    Option(
        key="auth",
        default="scram",
        words=("scram", "bearer", "basic"),
        description="What the credential is: user:password (scram, basic), or a token.",
    ),
    Option(
        key="nameTag",
        default="",
        description="The tag whose values name sites and points, such as dis; empty: their ids.",
    ),
    Option(
        key="points", default="point and his", description="The filter of points, to which the site is added."
    ),
    Option(
        key="batch",
        default="auto",
        words=("auto", "off"),
        description="Whether several points are read in one call, where that is served.",
    ),
)
