"""The OpenAPI 3.1 document of some endpoints: plain data, made once for each isolate.

HEAD and OPTIONS are operations too: they follow from the others.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final

from edgeseries.access.grants import Right
from edgeseries.answers.answer import json_bytes
from edgeseries.answers.problem import KINDS, MEDIA_TYPE, PROBLEM_TYPE, Kind, ProblemDocument
from edgeseries.errors import EdgeError, MethodNotAllowed, NotFound
from edgeseries.http.documents import Document, documents_in, name_of, object_schema, ref, schema_of
from edgeseries.http.parameters import Parameter, Schema
from router.contract import headers as declared
from router.contract.answers import ALWAYS, Answer, Problems
from router.contract.parameters import IN_PATH
from router.contract.schemas import SCHEMAS, listed, words
from router.endpoint import Endpoint
from router.representation import entity_tag
from router.resources import Resource, resources_of

OPENAPI: Final = "3.1.0"
API_VERSION: Final = "1.0"

ABOUT: Final = (
    "Telemetry of buildings: samples of BMS points, cached at the edge. Times are UTC; ranges are half-open. "
    "Errors are problem details (RFC 9457) that say what to do; unknown paths are 404, unknown methods 405 "
    "with `Allow`, unknown parameters 400. Fields of answers are only ever added."
)

ABOUT_KEYS: Final = (
    "An API key, `es_<id>_<secret>`. It has sites and rights; what it may not see is answered as not there."
)


@cache
def document_of(endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": OPENAPI,
        "info": {"title": "EdgeSeries", "version": API_VERSION, "description": ABOUT},
        "servers": [{"url": "/"}],
        # Without a key, too: a stack may be open, and health always is.
        "security": [{"key": []}, {}],
        "paths": {one.pattern: dict(_methods(one)) for one in resources_of(endpoints)},
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": ABOUT_KEYS}},
            "schemas": dict(_schemas(endpoints)),
            "responses": _problem_responses(endpoints),
            "headers": {
                name: {"description": text, "schema": schema}
                for name, (text, schema) in declared.ANSWER_HEADERS.items()
            },
        },
    }


@cache
def document_text(endpoints: tuple[Endpoint, ...]) -> tuple[bytes, str]:
    """The document as JSON, and its entity tag."""
    body = json_bytes(document_of(endpoints))
    return body, entity_tag(body)


def _schemas(endpoints: Sequence[Endpoint]) -> Iterator[tuple[str, Schema]]:
    """Every schema that has a name: of documents that are answered, of bodies that callers send."""
    bodies = [body for one in endpoints for answer in one.answers.values() for body in answer.bodies.values()]
    documents = {name_of(one): object_schema(one) for body in bodies for one in documents_in(body)}
    yield from sorted({**SCHEMAS, **documents, name_of(ProblemDocument): _problem_schema()}.items())


def _schema(body: type[Document] | Schema) -> Schema:
    return body if isinstance(body, Mapping) else schema_of(body)


def _methods(resource: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    parts = resource.pattern.split("/")
    in_path = [IN_PATH[part.strip("{}")] for part in parts if part.startswith("{")]
    yield "parameters", [_parameter(one) for one in (*in_path, declared.REQUEST_ID)]  # type: ignore[misc]
    for method, endpoint in resource.endpoints.items():
        yield method.lower(), _operation(endpoint)
    if "GET" in resource.endpoints:
        yield "head", _operation(resource.endpoints["GET"], head=True)
    yield "options", _preflight(next(iter(resource.endpoints.values())))


def _operation(endpoint: Endpoint, *, head: bool = False) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name + ("Head" if head else ""),
        "summary": endpoint.summary + (" Headers only." if head else ""),
        "parameters": [_parameter(one) for one in endpoint.parameters],
        "responses": {
            **{
                str(status): _answer(_with_problems(status, one, endpoint), head=head)
                for status, one in endpoint.answers.items()
            },
            **_problems(endpoint.problems, besides=endpoint.answers),
        },
    }
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": endpoint.body}},
        }
    return operation


def _with_problems(status: int, one: Answer, endpoint: Endpoint) -> Answer:
    """An answer whose status may be a problem's too (503 of health): it has both bodies."""
    kinds = _by_status(endpoint.problems).get(status)
    if kinds is None:
        return one
    return replace(
        one,
        bodies={**one.bodies, MEDIA_TYPE: _problem_of(kinds)},
        headers=(*one.headers, *declared.PROBLEM_HEADERS),
    )


def _preflight(endpoint: Endpoint) -> dict[str, Any]:
    names = (
        "Allow",
        "Access-Control-Allow-Methods",
        "Access-Control-Allow-Headers",
        "Access-Control-Max-Age",
    )
    return {
        "operationId": endpoint.name + "Options",
        "summary": "What this path takes; asked by browsers before requests of other origins.",
        "responses": {
            "204": _answer(Answer(description="Methods and headers.", headers=names), head=True),
            **_problems((), besides={}),
        },
    }


def _parameter(one: Parameter) -> dict[str, Any]:
    schema = listed(one.kind.schema, minItems=1) if one.listed else dict(one.kind.schema)
    parameter: dict[str, Any] = {
        "name": one.name,
        "in": one.place,
        "description": one.description,
        "required": one.required,
        "schema": schema,
    }
    if one.listed:
        parameter |= {"style": "form", "explode": one.listed == "repeated"}
    if one.deprecated:
        parameter["deprecated"] = True
    return parameter


def _headers(names: tuple[str, ...]) -> dict[str, Any]:
    every = (*declared.EVERYWHERE, *declared.PERHAPS, *names)
    return {name: {"$ref": f"#/components/headers/{name}"} for name in sorted(set(every))}


def _answer(one: Answer, *, head: bool) -> dict[str, Any]:
    response: dict[str, Any] = {"description": one.description, "headers": _headers(one.headers)}
    if one.bodies and not head:
        response["content"] = {
            media_type: {"schema": _schema(body)} for media_type, body in one.bodies.items()
        }
    return response


def _problems(problems: Problems, *, besides: Collection[int]) -> dict[str, dict[str, Any]]:
    """Problems by status, as references: the same ones stand at most operations."""
    return {
        str(status): {"$ref": f"#/components/responses/{_response_name(kinds)}"}
        for status, kinds in _by_status(problems).items()
        if status not in besides
    }


def _by_status(problems: Problems) -> dict[int, list[Kind]]:
    by_status: dict[int, list[Kind]] = {}
    for kind in _kinds((*ALWAYS, *problems)):
        by_status.setdefault(kind.status, []).append(kind)
    return dict(sorted(by_status.items()))


def _response_name(kinds: list[Kind]) -> str:
    return "-".join([str(kinds[0].status), *(kind.slug for kind in kinds)])


def _problem_responses(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Every set of problems that some operation has at one status."""
    sets = [kinds for one in endpoints for kinds in _by_status(one.problems).values()]
    return {
        _response_name(kinds): _answer(
            Answer(
                description="; ".join(kind.title for kind in kinds) + ".",
                bodies={MEDIA_TYPE: _problem_of(kinds)},
                headers=declared.PROBLEM_HEADERS,
            ),
            head=False,
        )
        for kinds in sorted([*sets, [KINDS[MethodNotAllowed]], [KINDS[NotFound]]], key=_response_name)
    }


def _problem_of(kinds: list[Kind]) -> dict[str, Any]:
    types = [PROBLEM_TYPE + kind.slug for kind in kinds]
    return {
        "allOf": [ref("Problem")],
        "properties": {"type": {"enum": types}, "status": {"const": kinds[0].status}},
    }


def _kinds(problems: tuple[type[EdgeError], ...]) -> list[Kind]:
    """The rows of some errors, each once."""
    return list(dict.fromkeys(KINDS[one] for one in problems))


def _problem_schema() -> dict[str, Any]:
    """That of the document, with the words of rights: errors know no rights."""
    schema = object_schema(ProblemDocument)
    right = schema["properties"]["right"]
    return {**schema, "properties": {**schema["properties"], "right": {**right, **words(*Right)}}}
