"""Answers held against `/api/openapi.json`: status, media type, headers and body must be promised there.

Objects of the document are open, since fields may be added; here they are closed, so that a field that
is told and not declared fails.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from router.endpoints import ENDPOINTS
from router.openapi_document import document_of

PROBLEM = "application/problem+json"
JSON = ("/json", "+json")
"""How media types of one JSON document end; lines of JSON (`x-ndjson`) are none."""

WORTH_CHECKING_BYTES = 2_000_000
"""Larger JSON is of the same shape as smaller ones."""

BY_THE_HTTP_LIBRARY = frozenset({"content-type", "content-length", "transfer-encoding", "date", "connection"})
BY_THE_LOCAL_HOST = frozenset({"cf-cache-status", "keep-alive"})


def document() -> dict[str, Any]:
    """What `/api/openapi.json` holds."""
    return document_of(ENDPOINTS)


class BrokenPromise(AssertionError):
    """An answer that the document does not allow."""


def hold(method: str, path: str, status: int, headers: Mapping[str, str], body: bytes | None) -> None:
    """Raise BrokenPromise unless the document allows this answer. A `body` of None is not looked at."""
    where = f"{method} {path} {status}"
    operation = operation_of(method, path)
    if operation is None:
        hold_refusal(where, status, headers, body)
        return
    promised = operation["responses"].get(str(status))
    if promised is None:
        raise BrokenPromise(
            f"{where}: only {', '.join(operation['responses'])} are documented; {body!r:.500}"
        )
    promised = resolved(promised)
    known = {name.lower() for name in promised["headers"]} | BY_THE_HTTP_LIBRARY | BY_THE_LOCAL_HOST
    told = {name.lower() for name in headers}
    if told - known:
        raise BrokenPromise(f"{where}: undocumented headers {sorted(told - known)}")
    content = promised.get("content", {})
    media_type = media_type_of(headers)
    if body and media_type not in content:
        raise BrokenPromise(f"{where}: {media_type} is not documented, only {', '.join(content)}")
    if body and media_type.endswith(JSON) and len(body) <= WORTH_CHECKING_BYTES:
        check(json.dumps(content[media_type]["schema"], sort_keys=True), body, where)


def hold_refusal(where: str, status: int, headers: Mapping[str, str], body: bytes | None) -> None:
    """What is answered to a path or a method that there is not: 404 or 405, or what comes before either."""
    if status not in (404, 405, 413, 429, 431):
        raise BrokenPromise(f"{where}: there is no such operation")
    if body and media_type_of(headers) != PROBLEM:
        raise BrokenPromise(f"{where}: {media_type_of(headers)} is no problem")
    if body:
        check(json.dumps({"$ref": "#/components/schemas/Problem"}), body, where)


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """The operation of a method and a path, as the document has it."""
    for pattern, methods in document()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern) + "/*", path):
            found: dict[str, Any] | None = methods.get(method.lower())
            return found
    return None


def resolved(found: dict[str, Any]) -> dict[str, Any]:
    """What a reference to a response stands for."""
    name = found.get("$ref")
    if name is None:
        return found
    response: dict[str, Any] = document()["components"]["responses"][name.rpartition("/")[2]]
    return response


def media_type_of(headers: Mapping[str, str]) -> str:
    """The media type without parameters."""
    named = {name.lower(): value for name, value in headers.items()}
    return named.get("content-type", "").partition(";")[0]


def check(schema_text: str, body: bytes, where: str) -> None:
    """Raise BrokenPromise unless a JSON body is as the schema says."""
    error = next(iter(validator_of(schema_text).iter_errors(json.loads(body))), None)
    if error is not None:
        raise BrokenPromise(f"{where}: at {list(error.instance_path)}: {error.message[:500]}")


@cache
def validator_of(schema_text: str) -> Any:
    """A validator of one schema of the document, its objects closed."""
    components = closed({"schemas": document()["components"]["schemas"]})
    schema = {**closed(json.loads(schema_text)), "components": components}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def closed(schema: Any) -> Any:
    """A copy whose objects take no fields but those that they declare."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {name: closed(value) for name, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        copy.setdefault("additionalProperties", False)
    return copy
