"""Server: the account over HTTP, with the envelope, the token and the faults of the real API."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.engine.cloud.account import Account, Body, Refused
from tests.engine.cloud.queues import queues
from tests.engine.cloud.storage import d1, r2
from tests.engine.cloud.tokens import tokens
from tests.engine.cloud.workers import workers

PREFIX = "/client/v4/"
ZONE_ID = "f" * 32
WRONG_TOKEN = (403, 10000, "Authentication error")


@contextmanager
def serving(account: Account) -> Iterator[str]:
    """The address of the API, on a free port of loopback, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            try:
                with account.lock:
                    status, told = 200, _answer(account, self.command, self.path, self.headers, raw)
            except Refused as refused:
                errors = [{"code": refused.code, "message": str(refused)}]
                status, told = (
                    refused.status,
                    {"result": None, "success": False, "errors": errors, "messages": []},
                )
            text = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}{PREFIX.rstrip('/')}"
        finally:
            server.shutdown()
            thread.join()


def _answer(account: Account, method: str, target: str, headers: Any, raw: bytes) -> Body:
    url = urlsplit(target)
    account.calls.append(f"{method} {url.path}")
    account.on_call(account.calls[-1])
    if headers.get("authorization") != f"Bearer {account.token}":
        raise Refused(*WRONG_TOKEN)
    for trouble in account.troubles:
        if trouble.strikes(method, url.path):
            raise Refused(trouble.status, trouble.code, trouble.message)
    body = json.loads(raw) if raw else {}
    # The schedules of a script are a bare list.
    body = {"items": body} if isinstance(body, list) else body
    try:
        result = _route(account, method, url.path, dict(parse_qsl(url.query)), body)
    except LookupError as error:
        raise Refused(404, 7003, f"Could not route to {method} {url.path}") from error
    return {"result": result, "success": True, "errors": [], "messages": []}


def _route(account: Account, method: str, path: str, query: Body, body: Body) -> Any:
    parts = path.removeprefix(PREFIX).split("/")
    match parts:
        case ["user", "tokens", *rest]:
            return tokens(account, rest, of_account=False)
        case ["accounts", account.id, "tokens", *rest]:
            return tokens(account, rest, of_account=True)
        case ["zones", *rest]:
            _demand_permission(account, "/".join(parts))
            return zones(account, rest, query)
        case ["accounts", account_id, *rest] if account_id == account.id:
            _demand_permission(account, "/".join(rest))
    match parts:
        case ["accounts", account.id, "r2", *rest]:
            return r2(account, method, rest, query, body)
        case ["accounts", account.id, "d1", *rest]:
            return d1(account, method, rest, body)
        case ["accounts", account.id, "queues", *rest]:
            return queues(account, method, rest, body)
        case ["accounts", account.id, "workers", *rest]:
            return workers(account, method, rest, query, body)
        case ["accounts", account.id]:
            return {"id": account.id, "name": "Example"}
        case ["accounts", _, *_]:
            raise Refused(*WRONG_TOKEN)
    raise LookupError


def zones(account: Account, rest: list[str], query: Body) -> Any:
    match rest:
        case []:
            return [{"id": ZONE_ID, "name": one} for one in account.zones if one == query.get("name", one)]
        case [zone_id, "workers", "routes"] if zone_id == ZONE_ID:
            return []
    raise LookupError


def _demand_permission(account: Account, path: str) -> None:
    if any(path.startswith(one) for one in account.forbidden):
        raise Refused(*WRONG_TOKEN)
