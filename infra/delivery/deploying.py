"""Deploying: ship a stack or one function of it, finish a canary, go back.

Owns the order of steps. Before anything changes, the program is run under Pulumi's mocks with the stack's
own settings: a wrong setting or broken bundle is told first, and the graph gives the names and URNs.

What runs is asked of the platform (`delivery.running`) and written into `stableVersions` and
`pinnedVersions`; `stack.rollout` makes the deployment of them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from cloudflare import Cloudflare

from delivery import arguments, running
from delivery.programs import DeliveryFault, pulumi, pulumi_json
from local.graph import Graph, capture_graph
from stack import account, readers
from stack.settings import FUNCTIONS, NAMESPACE

HIDDEN: Final = "[secret]"
"""Stands in for values that the mocks need and nobody reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack as its file and its program describe it."""

    name: str
    config: Mapping[str, str]
    graph: Graph

    def versions(self, key: str) -> dict[str, str]:
        """A setting of versions by function, empty when it is not set."""
        text = self.config.get(key)
        return dict(readers.versions(text)) if text else {}

    def script(self, function: str) -> str:
        """The physical name of a function."""
        (name,) = [one.inputs["name"] for one in self.graph.of_type("Worker") if one.name == function]
        return str(name)


def deploy(stack_name: str, function: str | None, *, agreed: bool) -> None:
    """Ship everything, or one function; what runs now is kept beside it as `canaryPercent` says."""
    stack, functions = read_stack(stack_name), _functions(function)
    client = account.connect()
    stable, pinned = stack.versions("stableVersions"), stack.versions("pinnedVersions")
    for name in functions:
        pinned.pop(name, None)
        stable.pop(name, None)
        version = running.stable_version(_deployments(client, stack, name))
        if version is not None:
            stable[name] = version
    _keep(stack, stableVersions=stable, pinnedVersions=pinned)
    targets = () if function is None else arguments.function_targets(stack.graph, function)
    pulumi(arguments.up(stack.name, targets=targets, agreed=agreed))


def promote(stack_name: str, function: str | None, *, agreed: bool) -> None:
    """End a canary: the new version gets all traffic. No new version is made."""
    stack, functions = read_stack(stack_name), _functions(function)
    stable = {name: one for name, one in stack.versions("stableVersions").items() if name not in functions}
    pinned = {name: one for name, one in stack.versions("pinnedVersions").items() if name not in functions}
    _keep(stack, stableVersions=stable, pinnedVersions=pinned)
    targets = arguments.deployment_targets(stack.graph, functions)
    pulumi(arguments.up(stack.name, targets=targets, agreed=agreed))


def rollback(stack_name: str, function: str | None, *, version: str | None, agreed: bool) -> None:
    """Give all traffic to the version that ran before, or to a named one. Data is not rolled back."""
    stack, functions = read_stack(stack_name), _functions(function)
    if version is not None and function is None:
        raise DeliveryFault(
            "a version belongs to one function; name it: make rollback FUNCTION=router VERSION="
        )
    client = account.connect()
    pinned = stack.versions("pinnedVersions")
    for name in functions:
        target = version or running.earlier_version(_deployments(client, stack, name))
        if target is None:
            raise DeliveryFault(
                f"{stack.script(name)} has run no other version in its last {running.MAX_DEPLOYMENTS} "
                "deployments; name one that was uploaded: make rollback VERSION=<id> (wrangler versions list)"
            )
        pinned[name] = target
        print(f"{name}: back to version {target}")
    _keep(stack, pinnedVersions=pinned)
    targets = arguments.deployment_targets(stack.graph, functions)
    pulumi(arguments.up(stack.name, targets=targets, agreed=agreed))


def read_stack(name: str) -> Stack:
    """The stack's settings as kept, and the graph that they give; raises what the program raises."""
    pulumi(arguments.select(name, create=False))
    kept = pulumi_json(["config", "--json", "--stack", name])
    prefix = f"{NAMESPACE}:"
    entries = {key.removeprefix(prefix): one for key, one in kept.items() if key.startswith(prefix)}
    config = {key: str(one.get("value", "")) for key, one in entries.items() if not one.get("secret")}
    secrets = {key: HIDDEN for key, one in entries.items() if one.get("secret")}
    graph = capture_graph(stack=name, config=config, secrets=secrets)
    return Stack(name=name, config=config, graph=graph)


def _functions(function: str | None) -> Collection[str]:
    if function is None:
        return FUNCTIONS
    if function not in FUNCTIONS:
        raise DeliveryFault(f"there is no function {function!r}; FUNCTION= is one of {', '.join(FUNCTIONS)}")
    return (function,)


def _deployments(client: Cloudflare, stack: Stack, function: str) -> list[running.Deployment]:
    return running.deployments_of(client, account_id=stack.config["accountId"], script=stack.script(function))


def _keep(stack: Stack, **versions: Mapping[str, str]) -> None:
    """Write settings of versions into the stack's file, and nothing when they are there already."""
    for key, wanted in versions.items():
        if wanted == stack.versions(key):
            continue
        if wanted:
            pulumi(arguments.set_config(stack.name, key, arguments.versions_text(wanted)))
        else:
            pulumi(arguments.remove_config(stack.name, key))
