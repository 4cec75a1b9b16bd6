"""Graph: the resources of a stack and its outputs, as values.

Owns the frozen record of what the Pulumi program registers. Must import no Pulumi, which takes seconds:
making the record is `local/capture.py`, keeping it `local/kept_graph.py`. Must not know what resources mean:
mapping them onto a runtime is `local/plan.py`.

Inputs are the names and values that the engine would see: camelCase keys (`bucketName`,
`contentBase64`), plain JSON values, secrets unwrapped with their paths kept beside them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

REDACTED: Final = "[secret]"

InputPath = tuple[str | int, ...]
"""Keys and indexes that lead from the inputs to a value in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One registered resource, as the engine would have got it.

    `type` is a token such as `cloudflare:index/r2Bucket:R2Bucket`, `name` the logical name, which
    is unique within the type. `id` is made up, but the same in every run. `secret_paths` say
    where in `inputs` secrets stand. `depends_on` holds the keys of other resources. `retain` says that the
    real thing stays when the resource goes. `urn` is what `pulumi up --target` takes. `parent` is the key of
    the component that it is in, empty at the top.
    """

    type: str
    name: str
    id: str
    inputs: Mapping[str, Any]
    secret_paths: frozenset[InputPath]
    depends_on: frozenset[str]
    protect: bool
    component: bool
    retain: bool = False
    urn: str = ""
    parent: str = ""

    @property
    def key(self) -> str:
        """Type and name: what identifies the resource in its stack."""
        return f"{self.type}::{self.name}"

    def redacted_inputs(self) -> dict[str, Any]:
        """A copy of the inputs with a mark in place of every secret, fit to be shown or stored."""
        return {key: _redact(value, (key,), self.secret_paths) for key, value in self.inputs.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """All resources of a stack, sorted by key, and the stack's outputs with secrets unwrapped."""

    stack: str
    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]
    secret_outputs: frozenset[str]

    def of_type(self, type_name: str) -> tuple[Resource, ...]:
        """The resources of one provider type by its last word, for instance `R2Bucket`."""
        return tuple(
            resource
            for resource in self.resources
            if not resource.component and resource.type.rpartition(":")[2] == type_name
        )


def made_up_id(type_token: str, name: str) -> str:
    """An id for a resource: distinct, the same in every run, and safe as a file name."""
    return f"{type_token.rpartition(':')[2].lower()}-{name}"


def _redact(value: Any, path: InputPath, secret_paths: frozenset[InputPath]) -> Any:
    if path in secret_paths:
        return REDACTED
    if isinstance(value, Mapping):
        return {key: _redact(item, (*path, key), secret_paths) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact(item, (*path, index), secret_paths) for index, item in enumerate(value)]
    return value
