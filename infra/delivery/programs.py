"""Programs: run the Pulumi command line, in the checkout, and read what it says.

Owns how it is found and what is said when it is not there. Must not know what is asked of it.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]


class DeliveryFault(Exception):
    """A command cannot do what it was asked to; the text says why and what to do."""


def pulumi(arguments: Sequence[str], *, stdin: str | None = None) -> None:
    """Run it in the terminal; raises DeliveryFault when it is not there or fails."""
    done = subprocess.run([_pulumi(), *arguments], cwd=ROOT, input=stdin, text=True, check=False)  # noqa: S603
    _judge(done, arguments)


def pulumi_json(arguments: Sequence[str]) -> Any:
    """Run it and read the JSON that it prints; raises DeliveryFault."""
    done = subprocess.run(  # noqa: S603 - found below, arguments are ours
        [_pulumi(), *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    _judge(done, arguments)
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise DeliveryFault(f"pulumi {arguments[0]} printed no JSON: {done.stdout[:200]!r}") from error


def outputs_of(stack: str) -> dict[str, Any]:
    """The outputs of a stack; raises DeliveryFault when it has none, which is before its first deployment."""
    outputs: dict[str, Any] = pulumi_json(["stack", "output", "--json", "--stack", stack])
    if "routerUrl" not in outputs:
        raise DeliveryFault(f"{stack} has not been deployed as a whole yet: make deploy STACK={stack}")
    return outputs


def urns_of(stack: str) -> frozenset[str]:
    """URNs of what a stack has, by its state; none before its first deployment."""
    state = pulumi_json(["stack", "export", "--stack", stack])
    return frozenset(str(one["urn"]) for one in (state.get("deployment") or {}).get("resources") or ())


def _pulumi() -> str:
    found = shutil.which("pulumi")
    if found is None:
        raise DeliveryFault(
            "the pulumi command is not installed; no Python or npm package brings it: "
            "see https://www.pulumi.com/docs/install, then run this again"
        )
    return found


def _judge(done: subprocess.CompletedProcess[str], arguments: Sequence[str]) -> None:
    if done.returncode:
        raise DeliveryFault(f"pulumi {arguments[0]} ended with status {done.returncode}; it says why above")
