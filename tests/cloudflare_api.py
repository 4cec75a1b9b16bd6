"""A small Cloudflare API on loopback, with the shape of the real one, for what we do over it.

D1's query endpoint over sqlite (a batch is one transaction, as there), R2's objects (listed in pages, slashes
of keys as they are), and the deployments of a Worker. Bodies follow the published OpenAPI description.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "made-up-token-of-an-account"  # noqa: S105 - made up
ACCOUNT = "0123456789abcdef" * 2

MAX_PARAMS = 100
PAGE_OBJECTS = 2


@dataclass
class Account:
    """What the account holds, and every request that came."""

    databases: dict[str, sqlite3.Connection] = field(default_factory=dict)
    buckets: dict[str, dict[str, bytes]] = field(default_factory=dict)
    deployments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def database(self, database_id: str) -> sqlite3.Connection:
        if database_id not in self.databases:
            self.databases[database_id] = sqlite3.connect(
                ":memory:", check_same_thread=False, isolation_level=None
            )
        return self.databases[database_id]

    def deploy(self, script: str, *versions: tuple[str, int]) -> None:
        """A newer deployment of a script."""
        rows = self.deployments.setdefault(script, [])
        rows.insert(
            0,
            {
                "id": f"deployment-{len(rows)}",
                "created_on": f"2026-11-{10 + len(rows)}T00:00:00Z",
                "source": "api",
                "strategy": "percentage",
                "versions": [{"version_id": version, "percentage": percent} for version, percent in versions],
            },
        )


class Refused(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@contextmanager
def running() -> Iterator[Account]:
    """The API on a free port of loopback, until the block ends."""
    account = Account()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            with lock:
                account.requests.append(f"{self.command} {self.path}")
                try:
                    authenticate(self.headers.get("authorization"))
                    result, info = answer(account, self.command, self.path, body)
                    status, told = 200, envelope(result, info)
                except Refused as refused:
                    status = refused.status
                    told = {**envelope(None, None), "success": False}
                    told["errors"] = [{"code": refused.code, "message": str(refused)}]
            text = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        account.url = f"http://127.0.0.1:{server.server_address[1]}/client/v4"
        try:
            yield account
        finally:
            server.shutdown()
            thread.join()
            for connection in account.databases.values():
                connection.close()


def authenticate(authorization: str | None) -> None:
    if authorization != f"Bearer {TOKEN}":
        raise Refused(401, 10000, "Authentication error")


def envelope(result: Any, info: Any) -> dict[str, Any]:
    extra = {} if info is None else {"result_info": info}
    return {"result": result, "success": True, "errors": [], "messages": [], **extra}


def answer(account: Account, method: str, target: str, body: bytes) -> tuple[Any, Any]:
    url = urlsplit(target)
    parts = url.path.removeprefix("/client/v4/accounts/").split("/")
    if parts[0] != ACCOUNT:
        raise Refused(403, 10000, "not your account")
    match method, parts[1:]:
        case "POST", ["d1", "database", database_id, "query"]:
            return query(account, database_id, json.loads(body)), None
        case "GET", ["r2", "buckets", bucket, "objects"]:
            return list_objects(account, bucket, int(parse_qs(url.query)["per_page"][0]))
        case "DELETE", ["r2", "buckets", bucket, "objects", *key]:
            return delete_object(account, bucket, key), None
        case "GET", ["workers", "scripts", script, "deployments"]:
            if script not in account.deployments:
                raise Refused(404, 10007, "This Worker does not exist on your account.")
            return {"deployments": account.deployments[script]}, None
    raise Refused(404, 7003, f"no route for {method} {url.path}")


def query(account: Account, database_id: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    if database_id not in account.databases:
        raise Refused(404, 7404, f"The database {database_id} could not be found")
    connection = account.databases[database_id]
    results = []
    connection.row_factory = sqlite3.Row
    connection.execute("BEGIN")
    try:
        for one in body.get("batch") or [body]:
            if len(one.get("params") or []) > MAX_PARAMS:
                raise Refused(400, 7500, "too many SQL variables")
            cursor = connection.execute(one["sql"], one.get("params") or [])
            rows = [dict(row) for row in cursor.fetchall()]
            meta = {"changes": max(0, cursor.rowcount), "duration": 0.1, "rows_read": len(rows)}
            results.append({"results": rows, "success": True, "meta": meta})
    except sqlite3.Error as error:
        connection.execute("ROLLBACK")
        raise Refused(400, 7500, f"{error}: SQLITE_ERROR") from error
    connection.execute("COMMIT")
    return results


def list_objects(account: Account, bucket: str, per_page: int) -> tuple[Any, Any]:
    if bucket not in account.buckets:
        raise Refused(404, 10006, "The specified bucket does not exist.")
    keys = sorted(account.buckets[bucket])
    page = keys[: min(PAGE_OBJECTS, per_page)]
    info = {"cursor": "next", "is_truncated": "true"} if len(keys) > len(page) else {}
    return [{"key": key, "size": 1, "etag": "e"} for key in page], info


def delete_object(account: Account, bucket: str, key_parts: list[str]) -> dict[str, Any]:
    if any("%2F" in part.upper() for part in key_parts):
        raise Refused(404, 10007, "slashes of a key are sent as they are")
    key = unquote("/".join(key_parts))
    if account.buckets[bucket].pop(key, None) is None:
        raise Refused(404, 10007, f"no object {key!r}")
    return {"key": key}
