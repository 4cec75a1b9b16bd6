"""Storage: R2 buckets with lifecycles and objects, D1 databases over sqlite."""

import sqlite3
import uuid
from typing import Any
from urllib.parse import unquote

from tests.engine.cloud.account import Account, Body, Refused, found, known, now

NO_BUCKET = (10006, "The specified bucket does not exist.")
DEFAULT_RULE = {
    "id": "Default Multipart Abort Rule",
    "enabled": True,
    "conditions": {},
    "abortMultipartUploadsTransition": {"condition": {"type": "Age", "maxAge": 604800}},
}


def r2(account: Account, method: str, parts: list[str], query: Body, body: Body) -> Any:
    match method, parts:
        case "GET", ["buckets"]:
            return {"buckets": list(account.buckets.values())}
        case "POST", ["buckets"]:
            return create_bucket(account, body)
        case "GET", ["buckets", name]:
            return found(account.buckets, name, *NO_BUCKET)
        case "DELETE", ["buckets", name]:
            found(account.buckets, name, *NO_BUCKET)
            if account.objects.get(name):
                raise Refused(409, 10008, "The bucket you tried to delete is not empty.")
            del account.buckets[name]
            account.lifecycles.pop(name, None)
            return {}
        case _, ["buckets", name, *rest]:
            found(account.buckets, name, *NO_BUCKET)
            return in_bucket(account, method, name, rest, query, body)
    raise LookupError


def create_bucket(account: Account, body: Body) -> Body:
    known(body, "name", "locationHint", "storageClass")
    name = body["name"]
    if name in account.buckets:
        raise Refused(409, 10004, "The bucket you tried to create already exists, and you own it.")
    account.buckets[name] = {
        "name": name,
        "creation_date": now(),
        # The platform tells the place in capitals, whatever was asked for.
        "location": str(body.get("locationHint") or "weur").upper(),
        "storage_class": body.get("storageClass") or "Standard",
        "jurisdiction": "default",
    }
    account.lifecycles[name] = [DEFAULT_RULE]
    return account.buckets[name]


def in_bucket(account: Account, method: str, name: str, rest: list[str], query: Body, body: Body) -> Any:
    match method, rest:
        case "GET", ["lifecycle"]:
            return {"rules": account.lifecycles[name]}
        case "PUT", ["lifecycle"]:
            for rule in body["rules"]:
                known(
                    rule, "id", "enabled", "conditions", "abortMultipartUploadsTransition",
                    "deleteObjectsTransition", "storageClassTransitions",
                )  # fmt: skip
            account.lifecycles[name] = body["rules"]
            return {}
        case "GET", ["objects"]:
            keys = sorted(account.objects.get(name, {}))
            return [{"key": key, "size": 1, "etag": "e"} for key in keys[: int(query["per_page"])]]
        case "DELETE", ["objects", *key]:
            if account.objects.get(name, {}).pop(unquote("/".join(key)), None) is None:
                raise Refused(404, 10007, "no such object")
            return {}
    raise LookupError


def d1(account: Account, method: str, parts: list[str], body: Body) -> Any:
    match method, parts:
        case "GET", ["database"]:
            return list(account.databases.values())
        case "POST", ["database"]:
            return create_database(account, body)
        case _, ["database", database_id, *rest]:
            row = found(
                account.databases, database_id, 7404, f"The database {database_id} could not be found"
            )
            match method, rest:
                case "GET", []:
                    return row
                case "PUT", []:
                    known(body, "read_replication")
                    row["read_replication"] = body["read_replication"]
                    return row
                case "DELETE", []:
                    del account.databases[database_id]
                    account.sql.pop(database_id).close()
                    return None
                case "POST", ["query"]:
                    return run(account.sql[database_id], body)
    raise LookupError


def create_database(account: Account, body: Body) -> Body:
    known(body, "name", "primary_location_hint", "jurisdiction", "read_replication")
    if any(one["name"] == body["name"] for one in account.databases.values()):
        raise Refused(400, 7502, "A database with that name already exists")
    database_id = str(uuid.uuid4())
    account.databases[database_id] = {
        "uuid": database_id,
        "name": body["name"],
        "created_at": now(),
        "version": "production",
        # Always told, whether or not anybody has asked for it.
        "read_replication": body.get("read_replication") or {"mode": "disabled"},
    }
    account.sql[database_id] = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    return account.databases[database_id]


def run(connection: sqlite3.Connection, body: Body) -> list[Body]:
    """A batch is one transaction."""
    results = []
    connection.row_factory = sqlite3.Row
    connection.execute("BEGIN")
    try:
        for one in body.get("batch") or [body]:
            cursor = connection.execute(one["sql"], one.get("params") or [])
            rows = [dict(row) for row in cursor.fetchall()]
            results.append({"results": rows, "success": True, "meta": {"changes": max(0, cursor.rowcount)}})
    except sqlite3.Error as error:
        connection.execute("ROLLBACK")
        raise Refused(400, 7500, f"{error}: SQLITE_ERROR") from error
    connection.execute("COMMIT")
    return results
