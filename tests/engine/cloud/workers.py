"""Workers: by id with their versions, by name with deployments, crons and hostnames."""

import base64
import uuid
from typing import Any

from tests.engine.cloud.account import Account, Body, Refused, found, hex_id, known, now

NO_WORKER = (10007, "This Worker does not exist on your account.")
LATEST_DEPLOYMENTS = 10
MAX_TAG_CHARS, MAX_MESSAGE_CHARS = 100, 1_000

BINDINGS = {
    "r2_bucket": {"bucket_name"},
    "d1": {"database_id"},
    "queue": {"queue_name"},
    "analytics_engine": {"dataset"},
    "ratelimit": {"namespace_id", "simple"},
    "plain_text": {"text"},
    "secret_text": {"text"},
    "assets": set[str](),
}
"""What each kind of binding has beside its name."""


def workers(  # noqa: PLR0912 - a case a path
    account: Account, method: str, parts: list[str], query: Body, body: Body
) -> Any:
    match method, parts:
        case _, ["scripts", script, "deployments", *rest]:
            return deployments(account, method, script, rest, body)
        case "GET", ["scripts", script, "schedules"]:
            account.worker_of(script)
            return {"schedules": account.schedules.get(script, [])}
        case "PUT", ["scripts", script, "schedules"]:
            demand_deployed(account, script)
            account.schedules[script] = [{"cron": one["cron"], "created_on": now()} for one in body["items"]]
            return {"schedules": account.schedules[script]}
        case "GET", ["subdomain"]:
            if account.subdomain is None:
                raise Refused(404, 10007, "There is no workers.dev subdomain on this account.")
            return {"subdomain": account.subdomain}
        case "PUT", ["domains"]:
            return set_domain(account, body)
        case "GET", ["domains", domain_id]:
            return found(account.domains, domain_id, 100114, "domain not found")
        case "DELETE", ["domains", domain_id]:
            found(account.domains, domain_id, 100114, "domain not found")
            del account.domains[domain_id]
            return None
        case "GET", ["workers"]:
            return [shape(account, worker_id) for worker_id in account.workers]
        case "POST", ["workers"]:
            return create_worker(account, body)
        case _, ["workers", worker_id, "versions", *rest]:
            found(account.workers, worker_id, *NO_WORKER)
            return versions(account, method, worker_id, rest, query, body)
        case "GET", ["workers", worker_id]:
            found(account.workers, worker_id, *NO_WORKER)
            return shape(account, worker_id)
        case "PUT" | "PATCH", ["workers", worker_id]:
            found(account.workers, worker_id, *NO_WORKER).update(body)
            return shape(account, worker_id)
        case "DELETE", ["workers", worker_id]:
            return delete_worker(account, worker_id)
    raise LookupError


def create_worker(account: Account, body: Body) -> Body:
    known(body, "name", "observability", "subdomain", "tags", "logpush", "tail_consumers")
    if any(one["name"] == body["name"] for one in account.workers.values()):
        raise Refused(409, 10013, "A Worker with this name already exists.")
    worker_id = hex_id()
    account.workers[worker_id] = {"id": worker_id, "created_on": now(), **body}
    account.versions[worker_id] = {}
    return shape(account, worker_id)


def shape(account: Account, worker_id: str) -> Body:
    """A Worker as it is told: with the defaults of what was left out."""
    worker = account.workers[worker_id]
    url = account.router_url or f"https://{worker['name']}.example.workers.dev"
    logs = {"enabled": True, "head_sampling_rate": 1, "invocation_logs": True, "persist": True}
    return {
        **worker,
        "observability": {"logs": logs, **(worker.get("observability") or {})},
        "subdomain": {**(worker.get("subdomain") or {}), "url": url},
        "tags": worker.get("tags") or [],
        "logpush": bool(worker.get("logpush")),
    }


def delete_worker(account: Account, worker_id: str) -> None:
    name = found(account.workers, worker_id, *NO_WORKER)["name"]
    if any(one["script"] == name for one in account.consumers.values()):
        raise Refused(400, 10064, "Cannot delete a Worker that consumes queues")
    if any(one["service"] == name for one in account.domains.values()):
        raise Refused(400, 10064, "Cannot delete a Worker with a custom domain")
    del account.workers[worker_id]
    account.versions.pop(worker_id)
    account.deployments.pop(name, None)
    account.schedules.pop(name, None)


def versions(account: Account, method: str, worker_id: str, rest: list[str], query: Body, body: Body) -> Any:
    table = account.versions[worker_id]
    match method, rest:
        case "POST", []:
            check_version(account, body)
            version_id = str(uuid.uuid4())
            table[version_id] = {"id": version_id, "number": len(table) + 1, "created_on": now(), **body}
            return version_shape(table[version_id], modules=False)
        case "GET", [version_id]:
            row = found(table, version_id, 10007, "This version does not exist.")
            return version_shape(row, modules=query.get("include") == "modules")
        case "DELETE", [version_id]:
            table.pop(version_id, None)
            return None
    raise LookupError


def version_shape(row: Body, *, modules: bool) -> Body:
    """Bindings come by name, and the text of a secret is never given back."""
    told = {key: value for key, value in row.items() if key != "modules" or modules}
    told["bindings"] = [
        {key: value for key, value in one.items() if key != "text" or one["type"] != "secret_text"}
        for one in sorted(row.get("bindings") or [], key=lambda one: str(one["name"]))
    ]
    return told


def check_version(account: Account, body: Body) -> None:
    known(
        body, "main_module", "modules", "bindings", "compatibility_date", "compatibility_flags", "limits",
        "annotations", "usage_model", "assets", "placement",
    )  # fmt: skip
    names = [one["name"] for one in body.get("bindings") or []]
    if len(set(names)) != len(names):
        raise Refused(400, 10021, "a binding is given twice")
    for binding in body.get("bindings") or []:
        check_binding(account, binding)
    modules = [one["name"] for one in body["modules"]]
    if len(set(modules)) != len(modules) or body["main_module"] not in modules:
        raise Refused(400, 10021, "modules have names of their own, and main_module is one of them")
    for module in body["modules"]:
        known(module, "name", "content_type", "content_base64")
        base64.b64decode(module["content_base64"], validate=True)
    notes = body.get("annotations") or {}
    if (
        len(notes.get("workers/tag", "")) > MAX_TAG_CHARS
        or len(notes.get("workers/message", "")) > MAX_MESSAGE_CHARS
    ):
        raise Refused(400, 10021, "annotation too long")


def check_binding(account: Account, binding: Body) -> None:
    kind = binding["type"]
    if kind not in BINDINGS or set(binding) - {"name", "type"} != BINDINGS[kind]:
        raise Refused(400, 10021, f"binding {binding['name']} of type {kind} has {sorted(binding)}")
    if kind == "r2_bucket" and binding["bucket_name"] not in account.buckets:
        raise Refused(400, 10085, f"R2 bucket '{binding['bucket_name']}' not found")
    if kind == "d1" and binding["database_id"] not in account.databases:
        raise Refused(400, 10181, f"binding {binding['name']} of type d1 must have a valid id")
    names = {one["queue_name"] for one in account.queues.values()}
    if kind == "queue" and binding["queue_name"] not in names:
        raise Refused(404, 100100, f"Queue '{binding['queue_name']}' not found")
    if kind == "ratelimit" and binding["simple"].get("period") not in {10, 60}:
        raise Refused(400, 10021, "period must be 10 or 60")


def deployments(account: Account, method: str, script: str, rest: list[str], body: Body) -> Any:
    worker_id = account.worker_of(script)
    rows = account.deployments.setdefault(script, [])
    match method, rest:
        case "GET", []:
            return {"deployments": rows[:LATEST_DEPLOYMENTS]}
        case "POST", []:
            known(body, "strategy", "versions", "annotations")
            shares = body["versions"]
            if not 1 <= len(shares) <= 2 or sum(one["percentage"] for one in shares) != 100:
                raise Refused(400, 10021, "percentages of one or two versions have to add up to 100")
            for one in shares:
                if one["version_id"] not in account.versions[worker_id]:
                    raise Refused(404, 10007, f"version {one['version_id']} does not exist on this Worker")
            rows.insert(0, {"id": str(uuid.uuid4()), "created_on": now(), "source": "api", **body})
            return rows[0]
        case "GET", [deployment_id]:
            told = [one for one in rows if one["id"] == deployment_id]
            if not told:
                raise Refused(404, 10007, "This deployment does not exist.")
            return told[0]
        case "DELETE", [deployment_id]:
            if rows and rows[0]["id"] == deployment_id:
                raise Refused(400, 10021, "the latest deployment cannot be deleted")
            account.deployments[script] = [one for one in rows if one["id"] != deployment_id]
            return None
    raise LookupError


def demand_deployed(account: Account, script: str) -> None:
    account.worker_of(script)
    if not account.deployments.get(script):
        raise Refused(400, 10021, f"{script} has no deployment")


def set_domain(account: Account, body: Body) -> Body:
    known(body, "hostname", "service", "environment", "zone_id", "zone_name")
    demand_deployed(account, body["service"])
    domain_id = next(
        (key for key, one in account.domains.items() if one["hostname"] == body["hostname"]), hex_id()
    )
    account.domains[domain_id] = {"id": domain_id, "zone_id": "f" * 32, **body}
    return account.domains[domain_id]
