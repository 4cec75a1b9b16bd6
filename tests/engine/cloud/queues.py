"""Queues and their consumers: one Worker consumes a queue, and it must run already."""

from typing import Any

from tests.engine.cloud.account import Account, Body, Refused, found, hex_id, known, now

NO_QUEUE = (11000, "Queue does not exist")
NO_CONSUMER = (11002, "consumer does not exist")


def queues(account: Account, method: str, parts: list[str], body: Body) -> Any:
    match method, parts:
        case "GET", []:
            return list(account.queues.values())
        case "POST", []:
            return create_queue(account, body)
        case _, [queue_id, "consumers", *rest]:
            return consumers(account, method, found(account.queues, queue_id, *NO_QUEUE), rest, body)
        case "GET", [queue_id]:
            return found(account.queues, queue_id, *NO_QUEUE)
        case "PUT" | "PATCH", [queue_id]:
            row = found(account.queues, queue_id, *NO_QUEUE)
            row["settings"] = {**row["settings"], **(body.get("settings") or {})}
            return row
        case "DELETE", [queue_id]:
            found(account.queues, queue_id, *NO_QUEUE)
            if any(one["queue_id"] == queue_id for one in account.consumers.values()):
                raise Refused(400, 11005, "Queue has a consumer")
            del account.queues[queue_id]
            return None
    raise LookupError


def create_queue(account: Account, body: Body) -> Body:
    known(body, "queue_name", "settings")
    name = body["queue_name"]
    if any(one["queue_name"] == name for one in account.queues.values()):
        raise Refused(409, 11009, f"Queue name '{name}' is already taken. Please use a different name.")
    known(body.get("settings") or {}, "delivery_delay", "delivery_paused", "message_retention_period")
    queue_id = hex_id()
    defaults = {"delivery_delay": 0, "delivery_paused": False, "message_retention_period": 345600}
    account.queues[queue_id] = {
        "queue_id": queue_id,
        "queue_name": name,
        "created_on": now(),
        "settings": {**defaults, **(body.get("settings") or {})},
    }
    return account.queues[queue_id]


def consumers(account: Account, method: str, queue: Body, rest: list[str], body: Body) -> Any:
    match method, rest:
        case "POST", []:
            return create_consumer(account, queue, body)
        case "GET", [consumer_id]:
            return found(account.consumers, consumer_id, *NO_CONSUMER)
        case "PUT", [consumer_id]:
            row = found(account.consumers, consumer_id, *NO_CONSUMER)
            row["settings"] = body.get("settings") or {}
            row["dead_letter_queue"] = body.get("dead_letter_queue")
            return row
        case "DELETE", [consumer_id]:
            found(account.consumers, consumer_id, *NO_CONSUMER)
            del account.consumers[consumer_id]
            return None
    raise LookupError


def create_consumer(account: Account, queue: Body, body: Body) -> Body:
    known(body, "type", "script_name", "dead_letter_queue", "settings")
    if any(one["queue_id"] == queue["queue_id"] for one in account.consumers.values()):
        raise Refused(409, 11004, f"Queue '{queue['queue_name']}' already has a consumer.")
    account.worker_of(body["script_name"])
    if not account.deployments.get(body["script_name"]):
        raise Refused(400, 10021, f"{body['script_name']} has no deployment")
    letters = body.get("dead_letter_queue")
    if letters and letters not in {one["queue_name"] for one in account.queues.values()}:
        raise Refused(400, 11001, "dead letter queue does not exist")
    consumer_id = hex_id()
    account.consumers[consumer_id] = {
        "consumer_id": consumer_id,
        "queue_id": queue["queue_id"],
        "queue_name": queue["queue_name"],
        "script": body["script_name"],
        "type": body["type"],
        "dead_letter_queue": letters,
        "settings": body.get("settings") or {},
    }
    return account.consumers[consumer_id]
