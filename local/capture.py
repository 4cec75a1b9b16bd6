"""Capture: the graph of what the Pulumi program would make, found by running it under Pulumi's mocks.

Owns the run without an engine. The program runs as `pulumi up` runs it, and nobody else lists its resources.
Must not know what resources mean: mapping them onto a runtime is `local/plan.py`.
"""

import asyncio
import contextvars
import runpy
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pulumi
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime.stack import run_pulumi_func

from local.graph import Graph, InputPath, Resource, made_up_id

PROGRAM_DIR: Final = Path(__file__).resolve().parents[1] / "infra"
PROJECT: Final = "edgeseries"

STACK_TYPE: Final = "pulumi:pulumi:Stack"

WRITE_ONLY: Final = "modules"
"""An input of a version that nobody reads back: what a Worker consists of, 28 MB in hundreds of parts."""

# One run at a time: runpy changes sys.path and sys.argv while the program runs.
_ONE_RUN = threading.Lock()


def capture_graph(
    *, stack: str, config: Mapping[str, str], secrets: Mapping[str, str], program_dir: Path = PROGRAM_DIR
) -> Graph:
    """Run the Pulumi program for a stack and return what it registers.

    Keys of `config` and `secrets` have no namespace. Raises what the program raises: SettingsError,
    BundleError, MissingBinding. May be called from any thread, inside a running event
    loop too (it blocks), and as often as wanted: nothing of a run outlives it.
    """
    texts = {f"{PROJECT}:{key}": text for key, text in (*config.items(), *secrets.items())}
    secret_keys = [f"{PROJECT}:{key}" for key in secrets]
    with _ONE_RUN, _unchanged_settings(), ThreadPoolExecutor(max_workers=1) as thread:
        run = thread.submit(
            contextvars.Context().run, asyncio.run, _capture(stack, texts, secret_keys, program_dir)
        )
        try:
            return run.result()
        except pulumi.RunError as error:
            if isinstance(error.__cause__, Exception):
                # The program wraps its own faults for Pulumi's terminal; callers here want the fault.
                raise error.__cause__ from None
            raise


async def _capture(stack: str, texts: dict[str, str], secret_keys: list[str], program_dir: Path) -> Graph:
    recorder = _Recorder(_Answers())
    # The mocks open an event loop in every thread that answers calls. One thread, whose loop is
    # ours to close, also keeps the order of calls the same in every run.
    with (
        closing(asyncio.new_event_loop()) as loop,
        ThreadPoolExecutor(max_workers=1, initializer=asyncio.set_event_loop, initargs=(loop,)) as calls,
    ):
        asyncio.get_running_loop().set_default_executor(calls)
        settings.configure(settings.Settings(project=PROJECT, stack=stack))
        pulumi.runtime.set_all_config(texts, secret_keys)
        mocks.set_mocks(_Answers(), project=PROJECT, stack=stack, preview=False, monitor=recorder)
        await run_pulumi_func(partial(_run_program, program_dir))
        outputs, secret_outputs = await _outputs()
    return Graph(
        stack=stack,
        resources=tuple(sorted(recorder.recorded, key=lambda resource: resource.key)),
        outputs=MappingProxyType(outputs),
        secret_outputs=secret_outputs,
    )


def _run_program(program_dir: Path) -> None:
    # As a folder, as Pulumi does it: the program's own packages are found beside its __main__.py.
    runpy.run_path(str(program_dir), run_name="program")


async def _outputs() -> tuple[dict[str, Any], frozenset[str]]:
    root: Any = settings.get_root_resource()
    outputs = {name: pulumi.Output.from_input(value) for name, value in sorted(root.outputs.items())}
    values = {name: await output.future() for name, output in outputs.items()}
    return values, frozenset([name for name, output in outputs.items() if await output.is_secret()])


class _Answers(mocks.Mocks):
    """What the provider would answer: the inputs, an id, and the computed values that others read."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        resource_id = made_up_id(args.typ, args.name)
        state = dict(args.inputs)
        match args.typ.rpartition(":")[2]:
            case "Queue":
                state["queueId"] = resource_id
            case "D1Database":
                state["uuid"] = resource_id
            case "Worker":
                state["subdomain"] = {
                    **state.get("subdomain", {}),
                    "url": f"https://{state['name']}.example.workers.dev",
                }
        return resource_id, state

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise NotImplementedError(
            f"the program asks the provider for {args.token}, which nothing here answers"
        )


class _Recorder(mocks.MockMonitor):
    """Pulumi's mock engine, keeping each registration as it came: with options and exact secret paths."""

    def __init__(self, answers: mocks.Mocks) -> None:
        super().__init__(answers)
        self.recorded: list[Resource] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's name for it
        secret_paths: set[InputPath] = set()
        inputs = _plain_fields(request.object, (), secret_paths)
        if WRITE_ONLY in inputs:
            # Answered as nothing: the mock and the program would each read it part by part, for nobody.
            request.object[WRITE_ONLY] = []
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != STACK_TYPE:
            self.recorded.append(
                Resource(
                    type=request.type,
                    name=request.name,
                    id=made_up_id(request.type, request.name),
                    inputs=MappingProxyType(inputs),
                    secret_paths=frozenset(secret_paths),
                    depends_on=frozenset(_key_of_urn(urn) for urn in request.dependencies),
                    protect=request.protect,
                    component=not request.custom,
                    retain=request.retainOnDelete,
                    # The engine leaves the stack out of the types; the mock does not.
                    urn=response.urn.replace(f"{STACK_TYPE}$", ""),
                    parent="" if f"::{STACK_TYPE}::" in request.parent else _key_of_urn(request.parent),
                )
            )
        return response


def _key_of_urn(urn: str) -> str:
    _, _, types, name = urn.split("::", maxsplit=3)
    return f"{types.rpartition('$')[2]}::{name}"


def _plain_fields(struct: Any, path: InputPath, secret_paths: set[InputPath]) -> dict[str, Any]:
    """The fields of a wire struct as plain values, by name."""
    return {key: _plain(struct.fields[key], (*path, key), secret_paths) for key in sorted(struct.fields)}


def _plain(value: Any, path: InputPath, secret_paths: set[InputPath]) -> Any:
    """A wire value without the envelopes of secrets, whose paths are added to the set."""
    match value.WhichOneof("kind"):
        case "struct_value":
            fields = value.struct_value.fields
            mark = fields.get(rpc._special_sig_key)  # noqa: SLF001 - the wire format's mark
            if mark is not None and mark.string_value == rpc._special_secret_sig:  # noqa: SLF001
                secret_paths.add(path)
                return _plain(fields["value"], path, secret_paths)
            return _plain_fields(value.struct_value, path, secret_paths)
        case "list_value":
            items = value.list_value.values
            return [_plain(item, (*path, index), secret_paths) for index, item in enumerate(items)]
        case "number_value":
            # The wire knows one kind of number.
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "null_value" | None:
            return None
        case kind:
            return getattr(value, kind)


@contextmanager
def _unchanged_settings() -> Iterator[None]:
    """Put Pulumi's process-wide settings back afterwards.

    Most of them live in context variables, and the run has a context of its own. But the first
    assignment in a fresh context also becomes the default of every other context.
    """
    properties = [item for item in vars(settings.Settings).values() if hasattr(item, "fset")]
    fresh = contextvars.Context()
    before = [(item, fresh.run(item.fget)) for item in properties]
    try:
        yield
    finally:
        for item, value in before:
            contextvars.Context().run(item.fset, value)
