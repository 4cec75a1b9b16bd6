"""A server of answers that a test lists, behind the Python client: no socket, no waiting."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from edgeseries_client import Client, RetryPolicy

Made = httpx.Response | Callable[[httpx.Request], httpx.Response]


@dataclass
class Served:
    """The client, what it asked, and how long it would have waited between."""

    client: Client
    asked: list[httpx.Request] = field(default_factory=list)
    waited_s: list[float] = field(default_factory=list)


def serve(monkeypatch: Any, answers: Sequence[Made], **policy: Any) -> Served:
    """A client whose requests are answered by the list, in order."""
    left = list(answers)
    served: Served

    def handler(request: httpx.Request) -> httpx.Response:
        served.asked.append(request)
        made = left.pop(0)
        return made(request) if callable(made) else made

    http = httpx.Client(transport=httpx.MockTransport(handler), base_url="http://edge.test")
    served = Served(Client(http=http, progress=False, policy=RetryPolicy(**policy)))
    monkeypatch.setattr("edgeseries_client.connection.time.sleep", served.waited_s.append)
    return served


def series(data: dict[str, list[list[Any]]], **errors: str) -> httpx.Response:
    """A 200 of `/api/timeseries`."""
    entries = {
        name: {"samples": rows, "count": len(rows), "error": errors.get(name)} for name, rows in data.items()
    }
    return httpx.Response(200, json={"data": entries, "_meta": {"site": "s"}})


def job(status: str, progress: float = 0.0, **fields: Any) -> dict[str, Any]:
    """A job's document."""
    ended = status in {"completed", "failed", "cancelled"}
    return {
        "jobId": "a-1",
        "status": status,
        "progress": progress,
        "site": "s",
        "resultUrl": "/api/jobs/a-1/result" if status == "completed" else None,
        "resultParts": 1 if status == "completed" else None,
        "etaSeconds": 4,
        "ratePerSecond": 100.0,
        "error": None,
        "pollInterval": None if ended else 250,
        **fields,
    }


def problem(status: int, kind: str = "unavailable", headers: Any = None, **fields: Any) -> httpx.Response:
    """A refusal."""
    document = {"type": f"urn:edgeseries:problem:{kind}", "title": kind, "status": status, **fields}
    media_type = {"content-type": "application/problem+json"}
    return httpx.Response(status, content=json.dumps(document), headers={**media_type, **(headers or {})})


class Broken(httpx.SyncByteStream):
    """A body that breaks off after so many bytes."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body
        raise httpx.ReadError("connection reset")
