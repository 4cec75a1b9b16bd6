"""A stand-in for the Pulumi command line, as a program on PATH: keeps stacks in a file, notes every call.

It knows the subcommands that `delivery` uses and refuses any other word, so that a flag which the real one
lacks has at least to be written here on purpose.
"""

import json
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SCRIPT = """#!{python}
import sys
sys.path.insert(0, {root!r})
from tests.fake_pulumi import main
sys.exit(main({state!r}, sys.argv[1:]))
"""


DEAD = 255
"""Exit status of a call that was stopped before it did anything."""


class FakePulumi:
    """The state of one, and the folder to put first on PATH."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self._state = folder / "pulumi.json"
        self.bin.mkdir(parents=True)
        program = self.bin / "pulumi"
        root = str(Path(__file__).parents[1])
        program.write_text(SCRIPT.format(python=sys.executable, root=root, state=str(self._state)))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self._write({"stacks": {}, "calls": [], "outputs": {}, "urns": []})

    def add(self, stack: str, config: dict[str, str], secrets: dict[str, str]) -> None:
        state = self._read()
        entries = {f"edgeseries:{key}": {"value": text, "secret": False} for key, text in config.items()}
        entries |= {f"edgeseries:{key}": {"value": text, "secret": True} for key, text in secrets.items()}
        state["stacks"][stack] = entries
        self._write(state)

    def output(self, **outputs: Any) -> None:
        self._write({**self._read(), "outputs": outputs})

    def has(self, urns: Iterable[str]) -> None:
        """What every stack has been deployed with."""
        self._write({**self._read(), "urns": sorted(urns)})

    def config(self, stack: str) -> dict[str, str]:
        entries = self._read()["stacks"][stack]
        return {key.partition(":")[2]: entry["value"] for key, entry in entries.items()}

    def secret(self, stack: str, key: str) -> bool:
        found: bool = self._read()["stacks"][stack][f"edgeseries:{key}"]["secret"]
        return found

    @property
    def stacks(self) -> list[str]:
        return sorted(self._read()["stacks"])

    def calls(self, verb: str) -> list[list[str]]:
        """The words of every call of a subcommand, without it."""
        return [words[1:] for words in self._read()["calls"] if words[0] == verb]

    def forget_calls(self) -> None:
        """Count calls anew."""
        self._write({**self._read(), "calls": []})

    @property
    def call_count(self) -> int:
        return len(self._read()["calls"])

    def _read(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._state.read_text())
        return state

    def _write(self, state: dict[str, Any]) -> None:
        self._state.write_text(json.dumps(state))


def targets(fake: FakePulumi) -> list[str]:
    """URNs that the one `up` was told."""
    (words,) = fake.calls("up")
    return [words[place + 1] for place, word in enumerate(words) if word == "--target"]


def short(urn: str) -> str:
    """Kind and name of a resource."""
    _, _, types, name = urn.split("::")
    return f"{types.rpartition('$')[2].rpartition(':')[2]} {name}"


def main(state_file: str, words: list[str]) -> int:
    path = Path(state_file)
    state = json.loads(path.read_text())
    state["calls"].append(words)
    dies_at = int(os.environ.get("FAKE_PULUMI_DIES_AT", "0"))
    status = DEAD if len(state["calls"]) == dies_at else _act(state, words)
    path.write_text(json.dumps(state))
    return status


def _act(state: dict[str, Any], words: list[str]) -> int:  # noqa: C901, PLR0912 - a case a subcommand
    stacks = state["stacks"]
    match words:
        case ["version"]:
            print(os.environ.get("FAKE_PULUMI_VERSION", "v3.274.1"))
        case ["whoami", "--json", "--non-interactive"]:
            url = os.environ.get("FAKE_PULUMI_BACKEND", "https://app.pulumi.com/me")
            if not url:
                print("error: PULUMI_ACCESS_TOKEN must be set for login", file=sys.stderr)
                return 255
            print(json.dumps({"user": "me", "organizations": [], "url": url}))
        case ["stack", "select", name, *flags] if flags in ([], ["--create"]):
            if name not in stacks and not flags:
                print(f"error: no stack named '{name}' found", file=sys.stderr)
                return 255
            stacks.setdefault(name, {})
        case ["stack", "ls", "--json"]:
            print(json.dumps([{"name": name, "current": False} for name in stacks]))
        case ["stack", "output", "--json", "--stack", _]:
            print(json.dumps(state["outputs"]))
        case ["stack", "export", "--stack", name] if name in stacks:
            deployment = {"resources": [{"urn": urn} for urn in state["urns"]]} if state["urns"] else None
            print(json.dumps({"version": 3, "deployment": deployment}))
        case ["config", "--json", "--stack", name]:
            hidden = {
                key: {"secret": True} if entry["secret"] else entry for key, entry in stacks[name].items()
            }
            print(json.dumps(hidden))
        case ["config", "set", "--secret", key, "--stack", name]:
            stacks[name][key] = {"value": sys.stdin.read(), "secret": True}
        case ["config", "set", key, text, "--stack", name]:
            stacks[name][key] = {"value": text, "secret": False}
        case ["config", "rm", key, "--stack", name]:
            stacks[name].pop(key, None)
        case ["up", "--stack", name, *rest] if name in stacks:
            flags = rest[::2] if rest[-2:] != ["--yes", "--non-interactive"] else rest[:-2][::2]
            if set(flags) - {"--target"}:
                return 1
            earlier = len([call for call in state["calls"] if call[0] == "up"]) - 1
            statuses = os.environ.get("FAKE_PULUMI_STATUS", "0").split()
            return int(statuses[min(earlier, len(statuses) - 1)])
        case ["destroy", "--stack", name, "--yes", "--non-interactive", "--remove"] if name in stacks:
            del stacks[name]
        case _:
            print(f"unknown: {words}", file=sys.stderr)
            return 2
    return 0
