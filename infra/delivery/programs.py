"""Programs: run the Pulumi command line, in the checkout, and read what it says.

Owns how it is found and what is said when it is not there. Must not know what is asked of it.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]


class DeliveryFault(Exception):
    """A command cannot do what it was asked to; the text says why and what to do."""


def pulumi(arguments: Sequence[str], *, stdin: str | None = None) -> None:
    """Run it in the terminal; raises DeliveryFault when it is not there or fails."""
    _judge(_run(arguments, stdin=stdin), arguments)


def pulumi_text(arguments: Sequence[str]) -> str:
    """Run it and return what it prints; raises DeliveryFault."""
    done = _run(arguments, stdout=subprocess.PIPE)
    _judge(done, arguments)
    return done.stdout


def pulumi_json(arguments: Sequence[str]) -> Any:
    """Run it and read the JSON that it prints; raises DeliveryFault."""
    told = pulumi_text(arguments)
    try:
        return json.loads(told)
    except ValueError as error:
        raise DeliveryFault(f"pulumi {arguments[0]} printed no JSON: {told[:200]!r}") from error


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


def _run(
    arguments: Sequence[str], *, stdin: str | None = None, stdout: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it to its own end. Ctrl-C reaches it from the terminal by itself, and SIGTERM is passed on to it as
    Ctrl-C is: killed half-way it would leave a locked stack, and forget what it was making. Raises
    KeyboardInterrupt once it has ended.
    """
    words = [_pulumi(), *arguments]
    child = subprocess.Popen(  # noqa: S603 - found below, arguments are ours
        words, cwd=ROOT, stdin=None if stdin is None else subprocess.PIPE, stdout=stdout, text=True
    )
    interrupted: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        interrupted.append(number)
        if number == signal.SIGTERM:
            child.terminate() if os.name == "nt" else child.send_signal(signal.SIGINT)

    previous = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        told, _ = child.communicate(stdin)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if interrupted:
        raise KeyboardInterrupt
    return subprocess.CompletedProcess(words, child.returncode, told)


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
