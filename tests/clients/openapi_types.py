"""TypeScript of the documents in `/api/openapi.json`: an interface a schema, a type for what is no object."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from router.endpoints import ENDPOINTS
from router.openapi_document import document_of

HEAD: Final = """\
/**
 * The documents of the API, made from its OpenAPI: UPDATE_GOLDEN=1 pytest tests/clients/test_javascript.py
 * Fields are only ever added, so a newer server has all of these.
 */
"""

PLAIN: Final = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "null": "null",
}


def types_text() -> str:
    """The whole file."""
    schemas: Mapping[str, Any] = document_of(ENDPOINTS)["components"]["schemas"]
    return HEAD + "".join(f"\n{declared(name, schema)}\n" for name, schema in sorted(schemas.items()))


def declared(name: str, schema: Mapping[str, Any]) -> str:
    """One declaration."""
    if schema.get("type") == "object" and "properties" in schema:
        return f"export interface {name} {type_of(schema)}"
    return f"export type {name} = {type_of(schema)};"


def type_of(schema: Mapping[str, Any], indent: str = "") -> str:  # noqa: PLR0911 - a case a keyword
    """The type of a schema."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema:
        return _literal(schema["const"])
    if "enum" in schema:
        return " | ".join(_literal(one) for one in schema["enum"])
    for word, sign in (("anyOf", " | "), ("oneOf", " | "), ("allOf", " & ")):
        if word in schema:
            return sign.join(dict.fromkeys(type_of(one, indent) for one in schema[word]))
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(PLAIN[one] for one in kind)
    if kind == "array":
        return _array(schema, indent)
    if kind == "object":
        return _object(schema, indent)
    return PLAIN.get(str(kind), "unknown")


def fields_of(text: str) -> Iterator[tuple[str, str]]:
    """Every line of a declaration with the name of what it stands in, to compare two files."""
    place: list[str] = []
    for line in text.splitlines():
        if line.startswith("export "):
            place = [line.split()[2]]
            if not line.endswith("{"):
                yield place[0], line
        elif place and line.strip() not in {"", "}", "};"}:
            yield ".".join(place), line.strip()


def _array(schema: Mapping[str, Any], indent: str) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(type_of(one, indent) for one in schema['prefixItems'])}]"
    return f"Array<{type_of(schema.get('items', {}), indent)}>"


def _object(schema: Mapping[str, Any], indent: str) -> str:
    deeper = indent + "  "
    required = schema.get("required", ())
    lines = []
    for name, one in schema.get("properties", {}).items():
        if "description" in one:
            lines.append(f"{deeper}/** {one['description']} */")
        lines.append(f"{deeper}{name}{'' if name in required else '?'}: {type_of(one, deeper)};")
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        # An index in TypeScript is of every name, also of those that are declared.
        lines.append(f"{deeper}[name: string]: {'unknown' if lines else type_of(others, deeper)};")
    elif not lines:
        return "Record<string, unknown>"
    return "\n".join(("{", *lines, f"{indent}}}"))


def _literal(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f'"{value}"' if isinstance(value, str) else str(value)
