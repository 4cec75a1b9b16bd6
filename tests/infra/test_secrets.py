"""Secrets: of every secret setting, no value stands in clear anywhere in a graph, nor in what is printed."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.capture import capture_graph
from local.graph import Graph, InputPath
from stack import wiring
from stack.settings import SECRET_KEYS, SETTINGS, parse

OPTIONAL = sorted(setting.key for setting in SETTINGS if setting.secret and not setting.required)


def texts(value: Any, path: InputPath = ()) -> Iterator[tuple[InputPath, str]]:
    """Every text in a value with where it stands, keys included."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield (*path, key), key
            yield from texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, (*path, index))
    elif isinstance(value, str):
        yield path, value


@pytest.mark.parametrize("key", sorted(SECRET_KEYS))
def test_no_value_stands_in_clear(graphs: Mapping[str, Graph], secrets: Mapping[str, str], key: str) -> None:
    for graph in graphs.values():
        held = set()
        for resource in graph.resources:
            assert secrets[key] not in resource.name
            for path, text in texts(dict(resource.inputs)):
                if secrets[key] in text:
                    assert path in resource.secret_paths, f"{resource.key} has {key} in clear at {path}"
                    held.add(resource.name)
        plain = {name: value for name, value in graph.outputs.items() if name not in graph.secret_outputs}
        assert secrets[key] not in json.dumps(plain)
        # It is used, or the test above has looked at nothing.
        assert held == {
            plan.function
            for plan in wiring.wire(parse(graph.stack, {**REQUIRED}))
            for binding in plan.bindings
            if isinstance(binding, wiring.SecretText) and binding.setting == key
        }
        assert held


REQUIRED = {
    "accountId": "0" * 32,
    "upstreamUrl": "https://upstream.example.com",
    **dict.fromkeys(SECRET_KEYS, "[secret]"),
}


def test_the_redacted_form_shows_none(graphs: Mapping[str, Graph], secrets: Mapping[str, str]) -> None:
    for graph in graphs.values():
        shown = json.dumps([resource.redacted_inputs() for resource in graph.resources])
        assert not [key for key, text in secrets.items() if text in shown]


@pytest.mark.parametrize("key", OPTIONAL)
def test_a_secret_that_may_stay_unset_is_bound_as_nothing(
    config: Mapping[str, str], secrets: Mapping[str, str], key: str
) -> None:
    """The code takes the binding whether or not there is a value, so it is there, empty and not a secret."""
    left = {name: text for name, text in secrets.items() if name != key}
    graph = capture_graph(stack="dev", config=config, secrets=left)
    names = {
        binding.name
        for plan in wiring.wire(parse("dev", REQUIRED))
        for binding in plan.bindings
        if isinstance(binding, wiring.SecretText) and binding.setting == key
    }
    bound = [
        binding
        for version in graph.of_type("WorkerVersion")
        for binding in version.inputs["bindings"]
        if binding["name"] in names
    ]
    assert bound
    assert all((binding["type"], binding["text"]) == ("plain_text", "") for binding in bound)
