"""Resources: how each kind of Cloudflare resource is made, read, changed and removed over the API.

Names of properties are Pulumi's (camelCase), those of the API snake_case; bodies that the API itself writes
in camelCase (lifecycle rules) go through as they are. What `read` tells is what the API tells, not what was
asked for, so that a refresh finds drift.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Props = dict[str, Any]
Call = Callable[..., Any]
"""Method, path below the account, body; the result. Raises Gone for 404."""


class Gone(Exception):
    """The API has no such thing."""


def snake(value: Any) -> Any:
    """Keys of a value as the API has them."""
    if isinstance(value, dict):
        return {
            re.sub(r"[A-Z]", lambda one: f"_{one[0].lower()}", key): snake(one) for key, one in value.items()
        }
    return [snake(one) for one in value] if isinstance(value, list) else value


def camel(value: Any) -> Any:
    """Keys of a value as Pulumi has them."""
    if isinstance(value, dict):
        return {
            re.sub(r"_([a-z])", lambda one: one[1].upper(), key): camel(one) for key, one in value.items()
        }
    return [camel(one) for one in value] if isinstance(value, list) else value


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of resource.

    A change of a key in `replaces` ("*": of any) makes another resource. `declared` are keys that the API
    always tells and that count as a change when the program does not name them.
    """

    make: Callable[[Call, Props], tuple[str, Props]]
    read: Callable[[Call, str, Props], Props]
    change: Callable[[Call, str, Props], Props] | None
    remove: Callable[[Call, str, Props], None]
    replaces: frozenset[str] = frozenset()
    declared: frozenset[str] = frozenset()


def simple(path: str, id_key: str, inputs: tuple[str, ...], **more: Any) -> Kind:
    """A thing with an address of its own below a path that may name inputs in braces."""

    def at(props: Props) -> str:
        return path.format(**props)

    def wanted(props: Props) -> Props:
        return {snake_key(key): snake(props[key]) for key in inputs if props.get(key) is not None}

    def make(call: Call, props: Props) -> tuple[str, Props]:
        told = call("POST", at(props), wanted(props))
        return str(told[id_key]), told_of(props, told)

    def read(call: Call, resource_id: str, props: Props) -> Props:
        return told_of(props, call("GET", f"{at(props)}/{resource_id}"))

    def change(call: Call, resource_id: str, props: Props) -> Props:
        body = {key: one for key, one in wanted(props).items() if camel_key(key) not in more["replaces"]}
        return told_of(props, call("PUT", f"{at(props)}/{resource_id}", body))

    def remove(call: Call, resource_id: str, props: Props) -> None:
        call("DELETE", f"{at(props)}/{resource_id}")

    return Kind(make=make, read=read, change=change, remove=remove, **more)


def snake_key(key: str) -> str:
    return str(next(iter(snake({key: 0}))))


def camel_key(key: str) -> str:
    return str(next(iter(camel({key: 0}))))


def told_of(props: Props, told: Any) -> Props:
    """What is asked for, overlaid by what the API tells, but for what it never tells (null, left out)."""
    return {**props, **{key: one for key, one in camel(told).items() if one is not None}}


def _make_bucket(call: Call, props: Props) -> tuple[str, Props]:
    body = {"name": props["name"], **({"locationHint": props["location"]} if props.get("location") else {})}
    return props["name"], told_of(props, call("POST", "r2/buckets", body))


BUCKET = Kind(
    make=_make_bucket,
    read=lambda call, name, props: told_of(props, call("GET", f"r2/buckets/{name}")),
    change=None,
    remove=lambda call, name, _props: call("DELETE", f"r2/buckets/{name}"),
    replaces=frozenset({"*"}),
)


def _put_lifecycle(call: Call, name: str, props: Props) -> Props:
    call("PUT", f"r2/buckets/{name}/lifecycle", {"rules": props["rules"]})
    return props


LIFECYCLE = Kind(
    make=lambda call, props: (props["bucketName"], _put_lifecycle(call, props["bucketName"], props)),
    read=lambda call, name, props: {**props, **call("GET", f"r2/buckets/{name}/lifecycle")},
    change=_put_lifecycle,
    remove=lambda call, name, _props: call("PUT", f"r2/buckets/{name}/lifecycle", {"rules": []}),
    replaces=frozenset({"accountId", "bucketName"}),
)

DATABASE = simple(
    "d1/database", "uuid", ("name", "primaryLocationHint", "readReplication"),
    replaces=frozenset({"accountId", "name", "primaryLocationHint"}), declared=frozenset({"readReplication"}),
)  # fmt: skip
QUEUE = simple("queues", "queue_id", ("queueName", "settings"), replaces=frozenset({"accountId"}))
CONSUMER = simple(
    "queues/{queueId}/consumers", "consumer_id", ("type", "scriptName", "deadLetterQueue", "settings"),
    replaces=frozenset({"accountId", "queueId", "scriptName", "type"}),
)  # fmt: skip
WORKER = simple(
    "workers/workers", "id", ("name", "observability", "subdomain"), replaces=frozenset({"accountId"})
)


def _make_version(call: Call, props: Props) -> tuple[str, Props]:
    body = {snake_key(key): snake(one) for key, one in props.items() if key not in {"accountId", "workerId"}}
    notes = props.get("annotations") or {}
    body["annotations"] = {
        "workers/tag": notes.get("workersTag"),
        "workers/message": notes.get("workersMessage"),
    }
    told = call("POST", f"workers/workers/{props['workerId']}/versions", body)
    return told["id"], _version(props, told)


def _version(props: Props, told: Props) -> Props:
    """Modules and the texts of secrets are not told; the rest is."""
    notes = told["annotations"]
    secrets = {one["name"]: one["text"] for one in props["bindings"] if one["type"] == "secret_text"}
    bindings = [
        {**one, "text": secrets[one["name"]]} if one["type"] == "secret_text" else one
        for one in camel(told["bindings"])
    ]
    return {
        **told_of(props, {key: one for key, one in told.items() if key not in {"annotations", "modules"}}),
        "bindings": bindings,
        "annotations": {"workersTag": notes["workers/tag"], "workersMessage": notes["workers/message"]},
    }


VERSION = Kind(
    make=_make_version,
    read=lambda call, version_id, props: _version(
        props, call("GET", f"workers/workers/{props['workerId']}/versions/{version_id}")
    ),
    change=None,
    remove=lambda call, version_id, props: call(
        "DELETE", f"workers/workers/{props['workerId']}/versions/{version_id}"
    ),
    replaces=frozenset({"*"}),
)

DEPLOYMENT = simple(
    "workers/scripts/{scriptName}/deployments", "id", ("strategy", "versions"), replaces=frozenset({"*"})
)


def _put_crons(call: Call, name: str, props: Props) -> Props:
    call("PUT", f"workers/scripts/{name}/schedules", snake(props["schedules"]))
    return props


def _read_crons(call: Call, name: str, props: Props) -> Props:
    told = call("GET", f"workers/scripts/{name}/schedules")
    return {**props, "schedules": [{"cron": one["cron"]} for one in told["schedules"]]}


CRONS = Kind(
    make=lambda call, props: (props["scriptName"], _put_crons(call, props["scriptName"], props)),
    read=_read_crons,
    change=_put_crons,
    remove=lambda call, name, _props: call("PUT", f"workers/scripts/{name}/schedules", []),
    replaces=frozenset({"accountId", "scriptName"}),
)


def _make_domain(call: Call, props: Props) -> tuple[str, Props]:
    told = call("PUT", "workers/domains", {"hostname": props["hostname"], "service": props["service"]})
    return told["id"], told_of(props, told)


DOMAIN = Kind(
    make=_make_domain,
    read=lambda call, domain_id, props: told_of(props, call("GET", f"workers/domains/{domain_id}")),
    change=None,
    remove=lambda call, domain_id, _props: call("DELETE", f"workers/domains/{domain_id}"),
    replaces=frozenset({"*"}),
)

KINDS = {
    "R2Bucket": BUCKET,
    "R2BucketLifecycle": LIFECYCLE,
    "D1Database": DATABASE,
    "Queue": QUEUE,
    "QueueConsumer": CONSUMER,
    "Worker": WORKER,
    "WorkerVersion": VERSION,
    "WorkersDeployment": DEPLOYMENT,
    "WorkersCronTrigger": CRONS,
    "WorkersCustomDomain": DOMAIN,
}


def changed(kind: Kind, state: Props, news: Props) -> list[str]:
    """Keys whose value is not what is asked for. Of an object only what is asked for is compared."""
    asked = [key for key, one in news.items() if not same(state.get(key), one)]
    undeclared = [key for key in kind.declared if state.get(key) is not None and news.get(key) is None]
    return sorted({*asked, *undeclared})


def same(have: Any, want: Any) -> bool:
    """Whether what is there is what is asked for."""
    if isinstance(want, dict) and isinstance(have, dict):
        return all(same(have.get(key), one) for key, one in want.items() if not key.startswith("__"))
    if isinstance(want, list) and isinstance(have, list):
        return len(want) == len(have) and all(same(*pair) for pair in zip(have, want, strict=True))
    return bool(have == want)
