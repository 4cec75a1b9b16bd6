"""Account: what the stand-in for Cloudflare holds, and what is asked and refused of it."""

import base64
import re
import sqlite3
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Body = dict[str, Any]


class Refused(Exception):
    """An answer that is an error: HTTP status, Cloudflare's code, text."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass(kw_only=True)
class Trouble:
    """Calls that fail: the next `times` of this method and path, after `skip` that do not."""

    method: str
    path: str
    status: int = 500
    code: int = 10013
    message: str = "An unknown error occurred."
    times: int = 1_000_000
    skip: int = 0

    def strikes(self, method: str, path: str) -> bool:
        if not (re.fullmatch(self.method, method) and re.search(self.path, path)) or not self.times:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass(kw_only=True)
class Account:
    """Everything of one account, by id unless said otherwise."""

    id: str
    token: str
    buckets: dict[str, Body] = field(default_factory=dict)
    """By name."""
    lifecycles: dict[str, list[Body]] = field(default_factory=dict)
    """By bucket."""
    objects: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """By bucket."""
    databases: dict[str, Body] = field(default_factory=dict)
    sql: dict[str, sqlite3.Connection] = field(default_factory=dict)
    queues: dict[str, Body] = field(default_factory=dict)
    consumers: dict[str, Body] = field(default_factory=dict)
    workers: dict[str, Body] = field(default_factory=dict)
    versions: dict[str, dict[str, Body]] = field(default_factory=dict)
    """By Worker."""
    deployments: dict[str, list[Body]] = field(default_factory=dict)
    """By script name, newest first."""
    schedules: dict[str, list[Body]] = field(default_factory=dict)
    """By script name."""
    domains: dict[str, Body] = field(default_factory=dict)
    zones: tuple[str, ...] = ("example.com",)
    token_status: str = "active"  # noqa: S105 - a word
    token_of_account: bool = False
    """Whether the token belongs to the account, not to a person."""
    policies: list[Body] | None = None
    """The token's list of permissions; None while it may not read that."""
    subdomain: str | None = "example"
    """The account's name on workers.dev; None while nobody has chosen one."""
    troubles: list[Trouble] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    """Patterns of paths that the token has no permission for."""
    calls: list[str] = field(default_factory=list)
    on_call: Callable[[str], None] = lambda _: None
    """Is told of each call, with its method, before it is answered."""
    router_url: str = ""
    """What workers.dev addresses are here; empty for made-up ones."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def inventory(self) -> dict[str, list[str]]:
        """Names of all that there is, by kind, empty kinds left out."""
        kinds = {
            "buckets": list(self.buckets),
            "databases": [one["name"] for one in self.databases.values()],
            "queues": [one["queue_name"] for one in self.queues.values()],
            "consumers": [f"{one['queue_name']} <- {one['script']}" for one in self.consumers.values()],
            "workers": [one["name"] for one in self.workers.values()],
            "schedules": [name for name, crons in self.schedules.items() if crons],
            "domains": [one["hostname"] for one in self.domains.values()],
        }
        return {kind: sorted(names) for kind, names in kinds.items() if names}

    def shares(self, script: str) -> list[int]:
        """Percents of the versions that run, smallest first; empty for a script that does not run."""
        (newest, *_) = self.deployments.get(script) or [{"versions": []}]
        return sorted(int(one["percentage"]) for one in newest["versions"])

    def running(self, script: str) -> list[str]:
        """Versions that run, the one with the least traffic first."""
        (newest, *_) = self.deployments.get(script) or [{"versions": []}]
        return [
            str(one["version_id"]) for one in sorted(newest["versions"], key=lambda one: one["percentage"])
        ]

    def version_count(self, script: str) -> int:
        """How many versions a script has."""
        return len(self.versions[self.worker_of(script)])

    def modules(self, script: str) -> dict[str, tuple[str, bytes]]:
        """Content types and bytes of the modules of the newest version of a script, by name."""
        newest = max(self.versions[self.worker_of(script)].values(), key=lambda one: int(one["number"]))
        return {
            one["name"]: (one["content_type"], base64.b64decode(one["content_base64"]))
            for one in newest["modules"]
        }

    def changes(self) -> list[str]:
        """The calls that could change something, D1's reads among them, which look like writes."""
        return [call for call in self.calls if not call.startswith("GET ")]

    def worker_of(self, script: str) -> str:
        """The id of a script; raises Refused."""
        for worker_id, worker in self.workers.items():
            if worker["name"] == script:
                return worker_id
        raise Refused(404, 10007, "This Worker does not exist on your account.")


def now() -> str:
    return datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def hex_id() -> str:
    return uuid.uuid4().hex


def known(body: Body, *keys: str) -> None:
    """Raises Refused for a property that the API does not have."""
    extra = sorted(set(body) - set(keys))
    if extra:
        raise Refused(400, 10021, f"unknown properties {extra}")


def found(table: dict[str, Body], key: str, code: int, message: str) -> Body:
    """A row; raises Refused with 404."""
    if key not in table:
        raise Refused(404, code, message)
    return table[key]
