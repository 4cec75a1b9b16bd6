"""JSON documents that are sent, as frozen dataclasses: one declaration makes the document and its schema.

`to_json` gives the plain value that is sent, `schema_of` its JSON Schema (2020-12) for `/api/openapi.json`.
A field `point_count` is `pointCount` in JSON. What its annotation says:

- `str`, `bool`, `float`: a text, a truth value, a number; `int`: a whole number, at least 0
- a StrEnum, a Literal: one of its texts; `X | None`: X or null
- `tuple[X, ...]`: an array; `Mapping[str, X]`: an object whose every value is X
- a Document: a reference to it by name; a Section: the object itself
- `Annotated[X, ...]`: with a Given, its schema, and the value is sent as it is; with a Note, a description;
  with SPREAD, the fields of a Section stand beside the others; with REST, so do the entries of a mapping;
  with LEFT_OUT, the field is not there where the value is None; with a Key, its name in JSON

Fields are only ever added, so objects are open. It knows no endpoint.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum, StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from edgeseries.http.parameters import Schema


class Section:
    """A part of a document. Subclasses are frozen dataclasses."""

    __slots__ = ()


class Document(Section):
    """What has a name in the contract: that of its class, without `Document`."""

    __slots__ = ()


class Mark(Enum):
    """How a field stands in its object, see above."""

    SPREAD = "spread"
    REST = "rest"
    LEFT_OUT = "left out"


SPREAD: Final = Mark.SPREAD
REST: Final = Mark.REST
LEFT_OUT: Final = Mark.LEFT_OUT


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """The schema of a field, where its type says too little."""

    schema: Schema


@dataclass(frozen=True, slots=True)
class Note:
    """What a field means, for readers of the contract."""

    text: str


@dataclass(frozen=True, slots=True)
class Key:
    """The name of a field in JSON, where it is not that of the attribute."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    attribute: str
    name: str
    kind: Any
    marks: tuple[object, ...]
    plain: bool


Moment = Annotated[str, Given({"type": "string", "format": "date-time"})]
"""An instant, ISO-8601 in UTC."""

Day = Annotated[str, Given({"type": "string", "format": "date"})]
"""A day, ISO-8601."""

AnyObject = Annotated[Mapping[str, object], Given({"type": "object"})]

_PLAIN: Final[Mapping[Any, Schema]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 0},
    float: {"type": "number"},
}


def to_json(value: Any) -> Any:
    """The plain value that is sent: dicts, lists, texts, numbers, truth values, None."""
    if isinstance(value, Section):
        return dict(_entries(value))
    if isinstance(value, tuple | list):
        return [to_json(one) for one in value]
    if isinstance(value, Mapping):
        return {name: to_json(one) for name, one in value.items()}
    return value


def _entries(section: Section) -> Iterator[tuple[str, Any]]:
    for field in _layout(type(section)):
        value = getattr(section, field.attribute)
        if SPREAD in field.marks:
            yield from _entries(value)
        elif REST in field.marks:
            yield from value.items()
        elif value is not None or LEFT_OUT not in field.marks:
            yield field.name, value if field.plain else to_json(value)


def name_of(document: type[Document]) -> str:
    """The name of a document in the contract."""
    return document.__name__.removesuffix("Document")


def ref(name: str) -> dict[str, Any]:
    """A schema by its name in the contract."""
    return {"$ref": f"#/components/schemas/{name}"}


def object_schema(section: type[Section]) -> dict[str, Any]:
    """The schema of an object, its own one also where it has a name."""
    properties: dict[str, Schema] = {}
    required: list[str] = []
    more: dict[str, Any] = {}
    for field in _layout(section):
        if SPREAD in field.marks:
            inner = object_schema(field.kind)
            properties |= inner["properties"]
            required += inner["required"]
        elif REST in field.marks:
            more["additionalProperties"] = schema_of(get_args(field.kind)[1])
        else:
            kind = _without_none(field.kind) if LEFT_OUT in field.marks else field.kind
            properties[field.name] = schema_of(Annotated[(kind, *field.marks)] if field.marks else kind)
            required += [] if LEFT_OUT in field.marks else [field.name]
    return {"type": "object", "properties": properties, "required": required, **more}


def schema_of(kind: Any) -> dict[str, Any]:
    """The schema of an annotation. A Document stands there by its name."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        given = [one.schema for one in arguments[1:] if isinstance(one, Given)]
        notes = [("description", one.text) for one in arguments[1:] if isinstance(one, Note)]
        return {**(given[0] if given else schema_of(arguments[0])), **dict(notes)}
    schema: dict[str, Any]
    if origin in (Union, UnionType):
        schema = {"anyOf": [schema_of(_without_none(kind)), {"type": "null"}]}
    elif origin is tuple:
        schema = {"type": "array", "items": schema_of(arguments[0])}
    elif origin is Mapping:
        schema = {"type": "object", "additionalProperties": schema_of(arguments[1])}
    elif origin is Literal or issubclass(kind, StrEnum):
        schema = {"type": "string", "enum": [str(one) for one in arguments or kind]}
    elif issubclass(kind, Section):
        schema = ref(name_of(kind)) if issubclass(kind, Document) else object_schema(kind)
    else:
        schema = dict(_PLAIN[kind])
    return schema


def documents_in(kind: Any) -> Iterator[type[Document]]:
    """The documents that an annotation names, and those that they hold."""
    if isinstance(kind, type) and issubclass(kind, Section):
        if issubclass(kind, Document):
            yield kind
        for field in _layout(kind):
            yield from documents_in(field.kind)
    for inner in get_args(kind):
        yield from documents_in(inner)


def _layout(section: type[Section]) -> tuple[_Field, ...]:
    key: Any = section
    return _fields_of(key)


@cache
def _fields_of(section: Any) -> tuple[_Field, ...]:
    found = []
    for field in fields(section):
        annotated = get_origin(field.type) is Annotated
        kind, *marks = get_args(field.type) if annotated else (field.type,)
        found.append(
            _Field(
                attribute=field.name,
                name=next((one.name for one in marks if isinstance(one, Key)), _camel_case(field.name)),
                kind=kind,
                marks=tuple(marks),
                plain=any(isinstance(one, Given) for one in marks),
            )
        )
    return tuple(found)


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(one.capitalize() for one in others)


def _without_none(kind: Any) -> Any:
    (inner,) = (one for one in get_args(kind) if one is not NoneType)
    return inner
