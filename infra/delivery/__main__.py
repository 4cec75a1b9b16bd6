"""The commands that need the Pulumi command line and an account: `python -m delivery <command>`.

Owns reading the words and the exit status. `make` calls it; docs/deploy.md tells when to use which.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from delivery import cloud, deploying, previews
from delivery.programs import DeliveryFault
from stack.account import AccountFault
from stack.bundle import BundleError
from stack.names import NameFault
from stack.schema import SchemaFault
from stack.settings import SettingsError
from stack.wiring import MissingBinding

FAULTS: Final = (
    DeliveryFault,
    AccountFault,
    BundleError,
    NameFault,
    SchemaFault,
    SettingsError,
    MissingBinding,
)
"""Errors whose text says all there is to say."""

STOPPED: Final = 130
"""Exit status after Ctrl-C, as shells have it."""

DEFAULT_STACK: Final = "dev"
"""What `make cloud` deploys when no stack is named."""


def main(words: Sequence[str]) -> int:
    """Exit status 0 when done, 1 with a message when it cannot be."""
    asked = _parser().parse_args(words)
    try:
        done = _run(asked)
    except FAULTS as fault:
        print(f"make {asked.command}: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"make {asked.command}: stopped; run it again to go on", file=sys.stderr)
        return STOPPED
    return 0 if done else 1


def _run(asked: argparse.Namespace) -> bool:  # noqa: C901 - a case a command
    """Whether what was asked for holds; most commands raise where it does not."""
    for name, example in (("stack", "STACK=prod"), ("pr", "PR=12")):
        if getattr(asked, name, "") is None:
            raise DeliveryFault(f"say which one: make {asked.command} {example}")
    match asked.command:
        case "cloud":
            return cloud.cloud(asked.stack, os.environ, agreed=asked.yes)
        case "deploy":
            deploying.deploy(asked.stack, asked.function, agreed=asked.yes)
        case "promote":
            deploying.promote(asked.stack, asked.function, agreed=asked.yes)
        case "rollback":
            deploying.rollback(asked.stack, asked.function, version=asked.version, agreed=asked.yes)
        case "configure":
            previews.configure(asked.stack, os.environ)
        case "preview":
            previews.make(asked.pr, os.environ)
        case "preview-destroy":
            previews.destroy(asked.pr)
        case "preview-sweep":
            previews.sweep(asked.open)
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("deploy", "promote", "rollback"):
        command = commands.add_parser(name)
        command.add_argument("--stack", default=None, help="make takes it as STACK=prod")
        command.add_argument("--function", default=None, help="make takes it as FUNCTION=router")
        command.add_argument("--yes", action="store_true", help="do not ask; make takes it as YES=1")
        if name == "rollback":
            command.add_argument("--version", default=None, help="make takes it as VERSION=<id>")
    first = commands.add_parser("cloud")
    first.add_argument("--stack", default=DEFAULT_STACK, help="make takes it as STACK=prod")
    first.add_argument("--yes", action="store_true", help="do not ask; make takes it as YES=1")
    commands.add_parser("configure").add_argument("--stack", default=None, help="STACK=prod")
    for name in ("preview", "preview-destroy"):
        commands.add_parser(name).add_argument("--pr", type=int, default=None, help="PR=12")
    sweep = commands.add_parser("preview-sweep")
    sweep.add_argument("--open", type=int, nargs="*", required=True, help="numbers of open pull requests")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
