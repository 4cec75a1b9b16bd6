"""Remote: commands from other processes to a running `make dev`, found by its STATE folder.

Owns the meeting place (a loopback port and a key, in a file that only its owner reads) and the form
of question and answer. Must not know what the commands do.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from threading import Thread
from typing import Any, Final, Self

LOOPBACK: Final = "127.0.0.1"
MEETING_PLACE: Final = "control.json"
KEY_BYTES: Final = 32

FAULTS: Final = (OSError, EOFError, AuthenticationError, ValueError, KeyError)
"""What a broken, foreign or nonsensical caller (or file) leads to."""

Commands = Mapping[str, Callable[[], Any]]
"""What may be asked for; each gives a JSON value, or raises an error whose text says why not."""


class RemoteError(Exception):
    """The command cannot be given, or failed; the text says why and what to do."""


class Remote:
    """Takes commands while it is open, one after the other, in a thread of its own."""

    def __init__(self, state: Path, commands: Commands) -> None:
        self._place = state / MEETING_PLACE
        self._commands = commands

    def __enter__(self) -> Self:
        key = secrets.token_bytes(KEY_BYTES)
        self._listener = Listener((LOOPBACK, 0), authkey=key)
        self._place.unlink(missing_ok=True)
        self._place.touch(mode=0o600)
        _, port = self._listener.address
        self._place.write_text(json.dumps({"port": port, "key": key.hex()}), encoding="utf-8")
        # A daemon: it waits for callers until the process ends.
        Thread(target=self._serve, name="remote", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._place.unlink(missing_ok=True)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                with self._listener.accept() as caller:
                    caller.send_bytes(json.dumps(self._answer(caller)).encode())
            except FAULTS:
                if not self._place.exists():
                    return

    def _answer(self, caller: "Connection[Any, Any]") -> dict[str, Any]:
        name = json.loads(caller.recv_bytes())["command"]
        if name not in self._commands:
            return {"error": f"unknown command {name}; known are {', '.join(self._commands)}"}
        try:
            return {"result": self._commands[name]()}
        except Exception as error:  # noqa: BLE001 - whoever asked is told, and the stack runs on
            return {"error": str(error)}


def give(state: Path, command: str) -> Any:
    """Have a running `make dev` carry out a command; its result. Raises RemoteError."""
    try:
        place = json.loads((state / MEETING_PLACE).read_text(encoding="utf-8"))
        with Client((LOOPBACK, place["port"]), authkey=bytes.fromhex(place["key"])) as connection:
            connection.send_bytes(json.dumps({"command": command}).encode())
            answer = json.loads(connection.recv_bytes())
    except FAULTS as cause:
        raise RemoteError(
            f"no `make dev` serves the state in {state}; start one, or name its folder with STATE="
        ) from cause
    if "error" in answer:
        raise RemoteError(answer["error"])
    return answer["result"]
