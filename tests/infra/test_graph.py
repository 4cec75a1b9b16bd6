"""The run without an engine: what it records, what it leaves behind, and how faults come out of it."""

import asyncio
import contextvars
import gc
import sys
import tempfile
from pathlib import Path

import pulumi
import pytest

from local.capture import capture_graph
from local.graph import Graph

HEAD = """
import pulumi

class Thing(pulumi.CustomResource):
    def __init__(self, name, props, opts=None):
        super().__init__("cloudflare:index/thing:Thing", name, props, opts)

config = pulumi.Config()
"""


def run(folder: Path, program: str, **secrets: str) -> Graph:
    # A folder of its own: Python would take the bytecode of the program before, if that was as long and was
    # written in the same second.
    program_dir = Path(tempfile.mkdtemp(dir=folder))
    (program_dir / "__main__.py").write_text(HEAD + program, encoding="utf-8")
    return capture_graph(stack="dev", config={"plain": "p"}, secrets=secrets, program_dir=program_dir)


def test_secrets_are_unwrapped_for_the_host_and_hidden_for_people(tmp_path: Path) -> None:
    graph = run(
        tmp_path,
        """
token = config.require_secret("token")
deep = {"list": [{"text": "plain"}, {"text": token}], "whole": 3.0, "part": 0.5, "none": None, "yes": True}
Thing("a", {"deep": deep, "top": token.apply(lambda text: text + "!"), "name": config.require("plain")})
pulumi.export("token", token)
pulumi.export("name", "n")
""",
        token="t",  # noqa: S106 - made up
    )
    (thing,) = graph.of_type("Thing")
    assert thing.inputs["deep"]["list"] == [{"text": "plain"}, {"text": "t"}]
    assert (thing.inputs["top"], thing.inputs["name"]) == ("t!", "p")
    assert thing.secret_paths == {("deep", "list", 1, "text"), ("top",)}
    redacted = thing.redacted_inputs()
    assert redacted["deep"]["list"] == [{"text": "plain"}, {"text": "[secret]"}]
    assert redacted["top"] == "[secret]"
    assert [type(thing.inputs["deep"][key]) for key in ("whole", "part", "yes")] == [int, float, bool]
    assert graph.outputs == {"name": "n", "token": "t"}
    assert graph.secret_outputs == {"token"}


def test_options_and_dependencies_are_recorded(tmp_path: Path) -> None:
    graph = run(
        tmp_path,
        """
parent = pulumi.ComponentResource("edgeseries:test:Parent", "p")
a = Thing("a", {}, pulumi.ResourceOptions(parent=parent, protect=True))
b = Thing("b", {"ref": a.id})
c = Thing("c", {}, pulumi.ResourceOptions(depends_on=[b]))
""",
    )
    a, b, c = graph.of_type("Thing")
    assert (a.protect, b.protect) == (True, False)
    assert b.inputs == {"ref": a.id}
    assert [sorted(each.depends_on) for each in (a, b, c)] == [[], [a.key], [b.key]]
    assert len({a.id, b.id, c.id}) == 3
    assert [resource.component for resource in graph.resources] == [False, False, False, True]


@pytest.mark.parametrize(
    ("program", "error", "text"),
    [
        ("raise KeyError('plain fault')", KeyError, "plain fault"),
        ("raise pulumi.RunError('told') from ValueError('the cause')", ValueError, "the cause"),
        ("raise pulumi.RunError('told')", pulumi.RunError, "told"),
        (
            "Thing('a', {'x': pulumi.Output.from_input(1).apply(lambda x: x / 0)})",
            ZeroDivisionError,
            "division",
        ),
        (
            "pulumi.export('x', pulumi.Output.from_input(1).apply(lambda x: x / 0))",
            ZeroDivisionError,
            "division",
        ),
        ("config.require('gone')", pulumi.ConfigMissingError, "gone"),
    ],
)
def test_a_fault_of_the_program_comes_out_as_itself(
    tmp_path: Path, program: str, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        run(tmp_path, program)
    assert run(tmp_path, "Thing('a', {})").resources


def test_a_run_leaves_nothing_behind(tmp_path: Path) -> None:
    def seen() -> tuple[object, ...]:
        runtime = pulumi.runtime
        return (
            pulumi.get_project(),
            pulumi.get_stack(),
            runtime.settings.get_monitor(),
            runtime.settings.get_engine(),
        )

    before = seen(), contextvars.Context().run(seen), list(sys.path), list(sys.argv)
    main = sys.modules["__main__"]
    run(tmp_path, "Thing('a', {'x': config.require('plain')})")
    with pytest.raises(ZeroDivisionError):
        run(tmp_path, "1 / 0")
    gc.collect()  # An event loop left open would be reported here, and a warning is an error.
    assert (seen(), contextvars.Context().run(seen), sys.path, sys.argv) == before
    assert sys.modules["__main__"] is main
    assert pulumi.Config("edgeseries").get("plain") is None


def test_runs_may_come_from_inside_an_event_loop_and_after_each_other(tmp_path: Path) -> None:
    async def inside() -> Graph:
        return run(tmp_path, "Thing('a', {})")

    assert asyncio.run(inside()) == run(tmp_path, "Thing('a', {})")
    assert run(tmp_path, "Thing('b', {})").resources[0].name == "b"
