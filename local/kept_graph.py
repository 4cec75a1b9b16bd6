"""Kept graph: the graph of a stack, without running the Pulumi program again while nothing of it has changed.

Owns the files below `build/graphs`, what a graph follows from, and that no secret is in any of them. Pulumi
and its provider take seconds to load; they are imported only where the program must run. Must not know what
resources mean.

The program runs with stand-ins in place of secrets, and of texts that are new in every run; the true texts
are put in afterwards, whether the graph was kept or has just been made. It sees no secret's value anyway. A
graph in which a stand-in does not stand whole, because the program made another text of it, is not kept.
"""

import base64
import contextlib
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from local.graph import Graph, Resource
from local.large_files import is_large, kept_file, text_of
from stack.bundle import vendored_sdk

ROOT: Final = Path(__file__).resolve().parents[1]
KEPT_DIR: Final = ROOT / "build" / "graphs"

SOURCES: Final = (
    *("infra", "functions", "migrations", "schema.sql", "console/assets"),
    *("local/capture.py", "local/graph.py", "local/kept_graph.py"),
)
"""Files and folders, from the root, that a graph follows from. Locked wheels are in it by the SHA-256 that
`functions/wheels.lock.json` has of them.
"""

NO_SOURCES: Final = frozenset({"__pycache__", "node_modules"})
"""Folders that are made from sources."""

DISTRIBUTIONS: Final = ("pulumi", "pulumi-cloudflare", "protobuf", "grpcio")
"""Packages that decide how a program's resources are put down."""

GRAPHS_MAX: Final = 24
"""How many are kept, those that were used last; about 7 MB each. The tests have a dozen different stacks."""

LARGE: Final = "local-host-large-file"
"""Key of what stands for a large text: the name of the file in `build/large` that has it. Shared objects of
wheels are in every graph three times.
"""

MARK: Final = "stands-in-for-"
PER_RUN: Final[Mapping[str, str]] = {"upstreamUrl": f"http://127.0.0.1:1/{MARK}upstreamUrl"}
"""Settings that may be new in every run without being secret, and a stand-in that has their form."""


def kept_graph(
    *,
    stack: str,
    config: Mapping[str, str],
    secrets: Mapping[str, str],
    per_run: Mapping[str, str] = MappingProxyType({}),
    folder: Path = KEPT_DIR,
) -> Graph:
    """What `capture_graph` returns for `{**config, **per_run}` and `secrets`; raises what it raises.

    `per_run` may hold keys of `PER_RUN`, with values that fit as the stand-in does. A file below `folder`
    that is missing or damaged is made anew; where none can be written nothing is kept.
    """
    true_texts = {PER_RUN[key]: text for key, text in per_run.items()}
    stand_ins = {key: PER_RUN[key] for key in per_run}
    # An empty secret counts as one that is not set.
    hidden = {key: f"{MARK}{key}" if text else "" for key, text in secrets.items()}
    true_texts |= {hidden[key]: text for key, text in secrets.items() if text}

    path = folder / f"{key_of(stack=stack, config={**config, **stand_ins}, secrets=hidden)}.json"
    graph = _read(path)
    if graph is None:
        # Imported here: it loads Pulumi.
        from local.capture import capture_graph  # noqa: PLC0415

        graph = capture_graph(stack=stack, config={**config, **stand_ins}, secrets=hidden)
        if not _stands_whole(graph, frozenset(true_texts)):
            return capture_graph(stack=stack, config={**config, **per_run}, secrets=secrets)
        _keep(path, graph)
    return _with_texts(graph, true_texts)


def key_of(*, stack: str, config: Mapping[str, str], secrets: Mapping[str, str], root: Path = ROOT) -> str:
    """Hex digest over everything that a graph follows from: all settings that are given here, the sources
    below `root`, and the packages that are installed. Raises BundleError without the Workers' SDK.
    """
    digests = [
        (path.relative_to(root).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in _files(root)
    ]
    sdk = [(module.name, module.content_type, module.sha256) for module in vendored_sdk()]
    packages = [(name, metadata.version(name)) for name in DISTRIBUTIONS]
    given = [stack, sorted(config.items()), sorted(secrets.items())]
    text = json.dumps([given, digests, sdk, packages, sys.version])
    return hashlib.sha256(text.encode()).hexdigest()


def _files(root: Path) -> Iterator[Path]:
    """The source files, always in the same order."""
    for source in SOURCES:
        if (root / source).is_file():
            yield root / source
        for folder, folders, names in os.walk(root / source):
            folders[:] = sorted(set(folders) - NO_SOURCES)
            yield from (Path(folder, name) for name in sorted(names))


def _stands_whole(value: Any, stand_ins: frozenset[str]) -> bool:
    """Whether each text that has a stand-in in it is that stand-in, so that it can be put back."""
    match value:
        case str():
            return MARK not in value or value in stand_ins
        case Graph():
            values = [resource.inputs for resource in value.resources]
            return all(_stands_whole(one, stand_ins) for one in (*values, value.outputs))
        case Mapping():
            return all(_stands_whole(one, stand_ins) for one in value.values())
        case list():
            return all(_stands_whole(one, stand_ins) for one in value)
        case _:
            return True


def _with_texts(graph: Graph, texts: Mapping[str, str]) -> Graph:
    """The graph with the true texts where their stand-ins stand."""

    def put(value: Any) -> Any:
        if isinstance(value, str):
            return texts.get(value, value)
        if isinstance(value, Mapping):
            return {key: put(item) for key, item in value.items()}
        return [put(item) for item in value] if isinstance(value, list) else value

    return replace(
        graph,
        resources=tuple(
            replace(resource, inputs=MappingProxyType(put(resource.inputs))) for resource in graph.resources
        ),
        outputs=MappingProxyType(put(graph.outputs)),
    )


def _keep(path: Path, graph: Graph) -> None:
    """Write a graph whole or not at all, and remove those that were used longest ago."""
    try:
        text = _text_of(graph)
        if _graph_of(text) != graph:
            return  # Something in it is more than JSON can tell.
    except (TypeError, OSError):
        return
    content = f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}"
    with contextlib.suppress(OSError):  # A folder that cannot be written: the program runs each time.
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="utf-8", delete=False) as file:
            file.write(content)
        Path(file.name).replace(path)
        for old in sorted(path.parent.glob("*.json"), key=_used_at, reverse=True)[GRAPHS_MAX:]:
            old.unlink(missing_ok=True)


def _read(path: Path) -> Graph | None:
    """The graph of a file; None where there is none that is whole."""
    try:
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
        if digest != hashlib.sha256(text.encode()).hexdigest():
            return None
        path.touch()
        return _graph_of(text)
    except (OSError, ValueError):
        return None


def _used_at(path: Path) -> float:
    with contextlib.suppress(FileNotFoundError):  # Another process has removed it.
        return path.stat().st_mtime
    return 0.0


def _without_large(value: Any) -> Any:
    """Large texts as names of files that have them."""
    if isinstance(value, str):
        return {LARGE: kept_file(value).name} if is_large(value) and _is_base64(value) else value
    if isinstance(value, Mapping):
        return {key: _without_large(item) for key, item in value.items()}
    return [_without_large(item) for item in value] if isinstance(value, list) else value


def _is_base64(text: str) -> bool:
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode("ascii") == text
    except ValueError:
        return False


def _with_large(value: dict[str, Any]) -> Any:
    """What `_without_large` has put down, object by object as it is read."""
    return text_of(value[LARGE]) if LARGE in value else value


def _text_of(graph: Graph) -> str:
    resources = [
        {
            **{field.name: getattr(resource, field.name) for field in fields(Resource)},
            "inputs": _without_large(dict(resource.inputs)),
            "secret_paths": sorted(map(list, resource.secret_paths)),
            "depends_on": sorted(resource.depends_on),
        }
        for resource in graph.resources
    ]
    secret_outputs = sorted(graph.secret_outputs)
    return json.dumps([graph.stack, resources, dict(graph.outputs), secret_outputs])


def _graph_of(text: str) -> Graph:
    stack, resources, outputs, secret_outputs = json.loads(text, object_hook=_with_large)
    return Graph(
        stack=stack,
        resources=tuple(
            Resource(
                **{
                    **resource,
                    "inputs": MappingProxyType(resource["inputs"]),
                    "secret_paths": frozenset(map(tuple, resource["secret_paths"])),
                    "depends_on": frozenset(resource["depends_on"]),
                }
            )
            for resource in resources
        ),
        outputs=MappingProxyType(outputs),
        secret_outputs=frozenset(secret_outputs),
    )
