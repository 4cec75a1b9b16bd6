"""Documents that are sent: what a declaration makes of a value fits what it says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any, Literal

import jsonschema_rs
import pytest

from edgeseries.http.documents import (
    LEFT_OUT,
    REST,
    SPREAD,
    AnyObject,
    Day,
    Document,
    Given,
    Key,
    Moment,
    Note,
    Section,
    documents_in,
    name_of,
    object_schema,
    to_json,
)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class SizesDocument(Section):
    inner_size: int
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerDocument(Document):
    name: str
    days: tuple[Day, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDocument(Section):
    status: Literal["ok", "bad"]
    facts: Annotated[Mapping[str, int], REST]


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeDocument(Document):
    first_name: str
    sizes: Annotated[SizesDocument, SPREAD]
    colour: Colour
    meta: Annotated[SizesDocument, Key("_meta")]
    inner: InnerDocument
    by_name: Mapping[str, tuple[InnerDocument, ...]]
    part: PartDocument
    rows: Annotated[list[tuple[int, object]], Given({"type": "array"}), Note("As they are.")]
    message: AnyObject
    at: Moment | None
    right: Annotated[str | None, LEFT_OUT] = None
    closed: bool = False


INNER = InnerDocument(name="x", days=("2024-01-01",))
WHOLE = WholeDocument(
    first_name="n",
    sizes=SizesDocument(inner_size=1, share=None),
    colour=Colour.RED,
    meta=SizesDocument(inner_size=2, share=0.5),
    inner=INNER,
    by_name={"a": (INNER, replace(INNER, days=None))},
    part=PartDocument(status="ok", facts={"rows": 3}),
    rows=[(1, None), (2, "text")],
    message={"v": 1, "kind": "any"},
    at="2024-01-01T00:00:00Z",
)


def fits(document: Document) -> bool:
    names = {name_of(one): object_schema(one) for one in documents_in(type(document))}
    schema = {**object_schema(type(document)), "components": {"schemas": names}}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid(to_json(document))


def test_a_document_is_what_its_declaration_says() -> None:
    assert to_json(WHOLE) == {
        "firstName": "n",
        "innerSize": 1,
        "share": None,
        "colour": "red",
        "_meta": {"innerSize": 2, "share": 0.5},
        "inner": {"name": "x", "days": ["2024-01-01"]},
        "byName": {"a": [{"name": "x", "days": ["2024-01-01"]}, {"name": "x", "days": None}]},
        "part": {"status": "ok", "rows": 3},
        "rows": [(1, None), (2, "text")],
        "message": {"v": 1, "kind": "any"},
        "at": "2024-01-01T00:00:00Z",
        "closed": False,
    }
    assert to_json(replace(WHOLE, right="read"))["right"] == "read"
    assert list(to_json(WHOLE))[:4] == ["firstName", "innerSize", "share", "colour"]


def test_its_schema_names_every_field_and_what_may_be_left_out() -> None:
    schema = object_schema(WholeDocument)
    assert set(schema["properties"]) - set(schema["required"]) == {"right"}
    assert set(schema["properties"]) == {*to_json(WHOLE), "right"}
    assert schema["properties"]["inner"] == {"$ref": "#/components/schemas/Inner"}
    assert schema["properties"]["rows"] == {"type": "array", "description": "As they are."}
    assert {name_of(one) for one in documents_in(WholeDocument)} == {"Whole", "Inner"}


@pytest.mark.parametrize(
    "change",
    [
        {"first_name": None},
        {"colour": "blue"},
        {"sizes": SizesDocument(inner_size=-1, share=None)},
        {"meta": SizesDocument(inner_size=1, share="half")},  # type: ignore[arg-type]
        {"inner": replace(INNER, days=("soon",))},
        {"by_name": {"a": INNER}},
        {"part": PartDocument(status="ok", facts={"rows": "many"})},  # type: ignore[dict-item]
        {"message": "text"},
        {"at": "yesterday"},
        {"right": 5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_does_not_fit_its_declaration_does_not_fit_its_schema(change: dict[str, Any]) -> None:
    assert fits(WHOLE)
    assert fits(replace(WHOLE, at=None, right="read"))
    assert not fits(replace(WHOLE, **change))
