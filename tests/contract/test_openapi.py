"""`/api/openapi.json` and the code say the same: whatever is in one and not in the other fails here."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from edgeseries.answers.problem import KINDS, PROBLEM_TYPE
from edgeseries.http.parameters import Choice, Instant, Name, Opaque, Parameter, Whole, Words
from edgeseries.limits import MAX_NAME_BYTES, MAX_POINTS
from edgeseries.questions.parameters import LengthKind, WidthKind, ZoneKind
from router.contract.headers import ANSWER_HEADERS
from router.endpoints import ENDPOINTS, RESOURCES
from router.finalize_response import ALLOWED_HEADERS, EXPOSED_HEADERS
from router.handlers.prometheus import ExpressionKind, StepKind, TimeKind
from router.parameters import PRESENTATION_NAMES
from tests.asked_router import QUERY, ask, told
from tests.promised import BrokenPromise, document, hold

ROOT = Path(__file__).parents[2]
ROUTER = sorted((ROOT / "functions" / "router").rglob("*.py"))
QUERIES = [ROOT / "functions/edgeseries/planning" / name for name in ("query.py", "purge_query.py")]

SAFELISTED = {"cache-control", "content-language", "content-length", "content-type", "expires", "pragma"}
"""Response headers that scripts may read anyway (Fetch standard)."""

NEVER_READ_BY_SCRIPTS = {
    "allow",
    "content-disposition",
    "content-encoding",
    "preference-applied",
    "sec-websocket-protocol",
    "vary",
    "x-content-type-options",
}


def operations() -> Iterator[tuple[str, str, tuple[Parameter, ...]]]:
    for endpoint in ENDPOINTS:
        yield endpoint.method, endpoint.pattern, endpoint.parameters


def test_the_document_is_valid() -> None:
    validate(document())
    assert document()["openapi"].startswith("3.1.")
    names = [
        one["operationId"]
        for methods in document()["paths"].values()
        for one in methods.values()
        if "operationId" in one
    ]
    assert len(names) == len(set(names))


def test_every_endpoint_and_method_is_documented_and_no_other() -> None:
    served = {resource.pattern: set(resource.methods) for resource in RESOURCES}
    described = {
        path: {method.upper() for method in methods if method != "parameters"}
        for path, methods in document()["paths"].items()
    }
    assert served == described


def test_every_kind_of_problem_stands_in_some_response() -> None:
    known = {PROBLEM_TYPE + kind.slug for kind in KINDS.values()}
    text = json.dumps(document()["components"]["responses"]) + json.dumps(document()["paths"])
    assert {f"{PROBLEM_TYPE}{slug}" for slug in re.findall(rf'"{PROBLEM_TYPE}([a-z-]+)"', text)} == known
    assert set(document()["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]) == known


def test_every_kind_of_problem_is_on_its_page() -> None:
    page = (ROOT / "docs/formats/answer.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (`[^|]+`) \|", page, re.MULTILINE)
    documented = {(int(status), slug) for status, slugs in rows for slug in re.findall(r"`([a-z-]+)`", slugs)}
    assert {(kind.status, kind.slug) for kind in KINDS.values()} == documented


def texts_read(files: list[Path], *holders: str) -> set[str]:
    """Constants that the code looks up: `holder.get("x")` and `holder["x"]`."""
    found = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=holder, attr="get"), args=[ast.Constant(value=str(text)), *_]
                ):
                    pass
                case ast.Subscript(value=holder, slice=ast.Constant(value=str(text)), ctx=ast.Load()):
                    pass
                case _:
                    continue
            if ast.unparse(holder).rpartition(".")[2] in holders:
                found.add(text)
    return found


def test_every_parameter_that_the_code_reads_is_declared() -> None:
    declared = {(one.place, one.name.lower()) for _, _, taken in operations() for one in taken}
    fields = texts_read([*ROUTER, *QUERIES], "fields", "given", "body")
    assert {"site", "limit", "cursor", "deep"} <= fields
    in_bodies = {
        name
        for schema in ("TimeseriesRequest", "JobRequest")
        for name in document()["components"]["schemas"][schema]["properties"]
    }
    assert fields <= {name for place, name in declared if place == "query"} | in_bodies
    headers = texts_read(ROUTER, "headers")
    assert {"cache-control", "prefer", "last-event-id"} <= headers
    # OpenAPI has other places for these: media types of responses, security schemes; Origin is the browser's,
    # and so are those with which a WebSocket begins.
    taken = {name for place, name in declared if place == "header"} | {
        "accept",
        "authorization",
        "origin",
        "x-request-id",
        "host",
        "upgrade",
        "sec-websocket-protocol",
    }
    assert headers <= taken
    in_paths = texts_read(ROUTER, "path_parameters")
    assert in_paths == {
        part.strip("{}") for one in ENDPOINTS for part in one.pattern.split("/") if part.startswith("{")
    }


def test_browsers_may_send_and_read_every_declared_header() -> None:
    sent = {one.name.lower() for _, _, taken in operations() for one in taken if one.place == "header"}
    assert sent - {"accept-encoding"} <= {name.lower() for name in ALLOWED_HEADERS.split(", ")}
    answered = {name.lower() for name in ANSWER_HEADERS if not name.startswith("Access-Control-")}
    assert answered - SAFELISTED - NEVER_READ_BY_SCRIPTS <= {
        name.lower() for name in EXPOSED_HEADERS.split(", ")
    }


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in operations()])
def test_unknown_parameters_are_refused_everywhere(method: str, path: str) -> None:
    at = re.sub(r"\{\w+\}", "x", path)
    document_told = told(ask(at, (("no_such_parameter", "1"),), method=method))
    assert document_told["status"] == 400
    assert {"no_such_parameter", "query"} & {fault["parameter"] for fault in document_told["errors"]}


def refused_texts(one: Parameter) -> list[str]:  # noqa: PLR0911, C901 - one case each
    """Texts just past what a parameter takes."""
    match one.kind:
        case Whole(minimum=least, maximum=most):
            return [str(least - 1), str(most + 1), "1.0", "", "9" * 5000, "\u0661"]
        case Choice(words=words):
            return [words[0].upper() if words[0] != words[0].upper() else "x", words[0] + " ", "nothing"]
        case Opaque(max_chars=most):
            return [] if one.deprecated else ["x" * (most + 1), "'", "WzEsIA"]
        case Words(max_chars=most):
            return ["x" * (most + 1)]
        case Name():
            return ["x" * (MAX_NAME_BYTES + 1), "ü" * (MAX_NAME_BYTES // 2 + 1), "a\nb", "..", "\x7f"]
        case ExpressionKind():
            return ["sum(", "foo[5m:1m]", "", "x" * 10_001, "1 < 2", 'x{a=~"("}']
        case TimeKind():
            return ["yesterday", "1e99", "-1", "", "nan"]
        case StepKind():
            return ["0", "-5", "soon", "", "inf"]
        case WidthKind():
            return ["5d", "0h", "1 h", "", "1H", "9" * 5000]
        case ZoneKind():
            return ["Mars/Base", "../UTC", "", "x" * 100]
        case LengthKind():
            return ["0h", "32d", "1w", "", "9" * 5000]
        case Instant():
            return ["4102444800001", "-1", "2024-01-01", "9" * 5000, "٢٠٢٤-01-01T00:00:00Z"]
    raise AssertionError(f"what is refused of {one.name} is not told here")


GOES_WITH = {
    "agg": ("every", "1h"),
    "tz": ("every", "1h"),
    "fill": ("every", "1h"),
    "max_gap": ("every", "1h"),
    "method": ("max_points", "100"),
}
"""Parameters that say more of another."""

AT = {(one.method, one.pattern): one for one in ENDPOINTS}
REFUSED = [
    (method, path, one, text)
    for method, path, taken in operations()
    for one in taken
    if one.place == "query"
    for text in refused_texts(one)
]


@pytest.mark.parametrize(("method", "path", "one", "text"), REFUSED)
def test_what_a_declaration_refuses_is_refused(method: str, path: str, one: Parameter, text: str) -> None:
    listed_already = {"points": "point", "point": "points"}.get(one.name)
    others = tuple(pair for pair in QUERY if pair[0] not in (one.name, listed_already))
    query = others if one.name in dict(QUERY) or one.name == "point" else ()
    known = {each.name for each in AT[method, path].parameters}
    query = tuple(pair for pair in query if pair[0] in known)
    if one.name in ("route", "dry_run", "every", "max_points", "previous") or (
        one.name in PRESENTATION_NAMES and "/jobs/" not in path
    ):
        query = tuple(pair for pair in QUERY if pair[0] in known)
    if one.name in GOES_WITH:
        query = (*QUERY, GOES_WITH[one.name])
    response = ask(re.sub(r"\{\w+\}", "x", path), (*query, (one.name, text)), method=method)
    faults = [fault["parameter"] for fault in told(response)["errors"]]
    assert response.status == 400
    assert set(faults) <= {one.name, "points"}, faults


def test_bounds_in_the_document_are_those_of_the_code() -> None:
    schemas = document()["components"]["schemas"]
    points = schemas["TimeseriesRequest"]["properties"]["points"]["allOf"][0]
    assert (points["maxItems"], points["items"]["maxLength"]) == (MAX_POINTS, MAX_NAME_BYTES)


def test_the_document_is_served_and_known_again() -> None:
    response = ask("/api/openapi.json", ())
    assert (response.status, json.loads(response.body)) == (200, json.loads(json.dumps(document())))
    again = ask("/api/openapi.json", (), headers={"if-none-match": response.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


HEALTHY = {"Content-Type": "application/json", "X-Request-Id": "x"}


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (418, HEALTHY, {"status": "ok"}),
        (200, {**HEALTHY, "X-New": "1"}, {"status": "ok"}),
        (200, {"Content-Type": "text/plain"}, {"status": "ok"}),
        (200, HEALTHY, {"status": "fine"}),
        (200, HEALTHY, {"status": "ok", "new": 1}),
        (503, {"Content-Type": "application/problem+json"}, {"type": "about:blank"}),
    ],
    ids=["status", "header", "media type", "value", "field", "problem"],
)
def test_an_answer_that_is_not_documented_is_noticed(status: int, headers: dict[str, str], body: Any) -> None:
    hold("GET", "/api/health", 200, HEALTHY, b'{"status":"ok"}')
    with pytest.raises(BrokenPromise):
        hold("GET", "/api/health", status, headers, json.dumps(body).encode())


def test_lines_of_json_are_no_document() -> None:
    headers = {"Content-Type": "application/x-ndjson", "X-Request-Id": "x"}
    hold("GET", "/api/jobs/x/result", 200, headers, b'{"a":1}\n{"a":2}\n')
