"""Scenario: the blocks of our guides that `make engine` runs as they are written, in this order.

A test of the fast tier holds the marks of the guides to this list: a block marked `engine` is here, and what
is here is marked.
"""

from dataclasses import dataclass, field

from tests.guides import BLOCKS, Block

MARK = "engine"

CLOUD = "make cloud STACK=dev"
"""Has an account of its own, in `test_cloud.py`."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A block by its first line that is no `export`. `edited` is a file that has a line more from then on;
    `typed` are texts to wait for and what is typed then; `expected` is shown, and promised by the guide.
    `shares` are percents of the versions that run afterwards, by function.
    """

    command: str
    edited: str = ""
    typed: tuple[tuple[str, str], ...] = ()
    expected: tuple[str, ...] = ()
    shares: dict[str, list[int]] = field(default_factory=dict)
    stack: str = "prod"


STEPS = (
    Step(command="pulumi login", expected=("Created stack 'dev'",)),
    Step(
        command="pulumi config set edgeseries:accountId 0123456789abcdef0123456789abcdef",
        typed=(("value", "upstreamToken"), ("value", "adminKeyHash")),
    ),
    Step(command="pulumi config set edgeseries:settleLagMinutes 90"),
    Step(
        command="pulumi preview --stack dev",
        expected=("cloudflare:index:R2Bucket", "pulumi-python:dynamic/edgeseries:Schema"),
    ),
    Step(command="make deploy STACK=dev", stack="dev", shares={"router": [100]}, expected=("+ 29 created",)),
    Step(command="make smoke STACK=dev"),
    Step(command="pulumi stack init prod", shares={"router": [100], "consumer": [100], "janitor": [100]}),
    Step(
        command="make deploy STACK=prod FUNCTION=consumer",
        edited="functions/consumer/flow.py",
        shares={"router": [100], "consumer": [10, 90]},
    ),
    Step(
        command="make deploy STACK=prod FUNCTION=router",
        edited="functions/router/flow.py",
        shares={"router": [100], "consumer": [10, 90]},
    ),
    Step(
        command="make rollback STACK=prod FUNCTION=router",
        expected=("router: back to version",),
        shares={"router": [100]},
    ),
    Step(
        command="make preview PR=12",
        expected=("have been deleted, and the history and configuration removed",),
    ),
    Step(
        command="pulumi config set --secret edgeseries:alertWebhookUrl --stack prod",
        typed=(("value", "alertWebhookUrl"),),
        shares={"janitor": [10, 90]},
    ),
)


def blocks_of_engine() -> list[Block]:
    """The blocks of the guides with the mark."""
    return [block for block in BLOCKS if block.mark == MARK]


def first_command(block: Block) -> str:
    """The first line of a block that is no `export`."""
    return next(line for line in block.text.splitlines() if not line.startswith("export "))
