"""Arguments: what the Pulumi command line is told, and which resources belong to one function.

Pure: values in, lists of words out. Must not run anything.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stack.names import preview_number
from stack.settings import NAMESPACE

if TYPE_CHECKING:
    from local.graph import Graph

Words = Sequence[str]


def select(stack: str, *, create: bool) -> Words:
    """Make a stack the current one, and make it if it may be made."""
    return ["stack", "select", stack, *(["--create"] if create else [])]


def config(stack: str) -> Words:
    """Tell the settings of a stack's file, as JSON, without the texts of secrets."""
    return ["config", "--json", "--stack", stack]


def set_config(stack: str, key: str, text: str) -> Words:
    """Keep a setting in the stack's file."""
    return ["config", "set", f"{NAMESPACE}:{key}", text, "--stack", stack]


def set_secret(stack: str, key: str) -> Words:
    """Keep a secret; the value goes through standard input, so that no list of processes shows it."""
    return ["config", "set", "--secret", f"{NAMESPACE}:{key}", "--stack", stack]


def remove_config(stack: str, key: str) -> Words:
    """Drop a setting; one that is not there is no fault."""
    return ["config", "rm", f"{NAMESPACE}:{key}", "--stack", stack]


def up(stack: str, *, targets: Iterable[str] = (), agreed: bool) -> Words:
    """Bring a stack to what the program says, or only the resources with these URNs."""
    words = ["up", "--stack", stack]
    for urn in targets:
        words += ["--target", urn]
    return [*words, "--yes", "--non-interactive"] if agreed else words


def destroy(stack: str) -> Words:
    """Destroy everything of a stack, then the stack and its file."""
    return ["destroy", "--stack", stack, "--yes", "--non-interactive", "--remove"]


def function_targets(graph: "Graph", function: str) -> tuple[str, ...]:
    """URNs of what belongs to one function: its component, everything in it, what consumes its queues.

    The database's schema is with them: the function's code may need it, and it only adds.
    """
    components = {
        resource.name
        for resource in graph.resources
        if resource.component and _kind(resource.type) == "Function"
    }
    if function not in components:
        raise KeyError(f"there is no function {function!r}: {', '.join(sorted(components))}")
    return tuple(
        resource.urn
        for resource in graph.resources
        if _kind(resource.type) == "Schema"
        or (resource.name == function and _owner(resource.urn) in {"Function", "Consumers"})
        or (_owner(resource.urn) == "Consumers" and _consumes(graph, resource, function))
    )


def with_what_is_new(graph: "Graph", targets: Collection[str], known: Collection[str]) -> tuple[str, ...]:
    """The URNs, and before them those of what they need that the stack lacks (`known` is what it has).

    The engine refuses a list of targets that leaves these out, and does so half-way through.
    """
    by_key = {resource.key: resource for resource in graph.resources}
    needed: dict[str, None] = {}
    pending = [resource for resource in graph.resources if resource.urn in targets]
    while pending:
        resource = pending.pop()
        for key in sorted({*resource.depends_on, resource.parent} & by_key.keys()):
            other = by_key[key]
            if other.urn not in targets and other.urn not in known and other.urn not in needed:
                needed[other.urn] = None
                pending.append(other)
    return (*sorted(needed), *targets)


def deployment_targets(graph: "Graph", functions: Collection[str]) -> tuple[str, ...]:
    """URNs of the deployments of these functions, and of nothing else: no new version is made."""
    return tuple(
        resource.urn for resource in graph.of_type("WorkersDeployment") if resource.name in functions
    )


def versions_text(versions: Mapping[str, str]) -> str:
    """A setting of versions by function, as `stack.readers.versions` reads it."""
    return ",".join(f"{function}={version}" for function, version in sorted(versions.items()))


def orphans(stacks: Iterable[str], open_pull_requests: Collection[int]) -> list[str]:
    """Preview stacks whose pull request is not open, in order. Names may carry organisation and project."""
    numbers = {preview_number(stack.rpartition("/")[2]) for stack in stacks} - {None, *open_pull_requests}
    return [f"pr-{number}" for number in sorted(number for number in numbers if number is not None)]


def _kind(type_token: str) -> str:
    return type_token.rpartition(":")[2]


def _owner(urn: str) -> str:
    """The kind of the outermost component that a resource is in or is."""
    types = urn.split("::")[2].split("$")
    return next((_kind(one) for one in types if one.startswith("edgeseries:stack:")), "")


def _consumes(graph: "Graph", resource: Any, function: str) -> bool:
    """Whether a queue's consumer is this function."""
    names = [worker.inputs["name"] for worker in graph.of_type("Worker") if worker.name == function]
    return resource.inputs.get("scriptName") in names
