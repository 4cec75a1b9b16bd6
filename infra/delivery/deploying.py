"""Deploying: ship a stack or one function of it, finish a canary, go back.

Owns the order of steps. Before anything changes, the program is run under Pulumi's mocks with the stack's
own settings: a wrong setting or broken bundle is told first, and the graph gives the names and URNs.

What runs is asked of the platform (`delivery.running`) and written into `stableVersions` and
`pinnedVersions`; `stack.rollout` makes the deployment of them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cloudflare import Cloudflare

from delivery import arguments, running
from delivery.programs import DeliveryFault, pulumi, pulumi_json, urns_of
from local.capture import capture_graph
from local.graph import Graph
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
    """Ship everything, or one function; what runs now is kept beside it as `canaryPercent` says.

    What fails half-way leaves no canary: functions whose new version had got traffic go back.
    """
    stack, functions = read_stack(stack_name), _functions(function)
    if function is not None:
        _demand_deployed(stack)
    client = account.connect()
    stable, pinned = stack.versions("stableVersions"), stack.versions("pinnedVersions")
    for name in functions:
        pinned.pop(name, None)
        stable.pop(name, None)
        version = running.stable_version(_deployments(client, stack, name))
        if version is not None:
            stable[name] = version
    _keep(stack, stableVersions=stable, pinnedVersions=pinned)
    targets = () if function is None else _function_targets(stack, function)
    try:
        pulumi(arguments.up(stack.name, targets=targets, agreed=agreed))
    except (DeliveryFault, KeyboardInterrupt):
        _withdraw(client, stack_name, functions)
        raise


def promote(stack_name: str, function: str | None, *, agreed: bool) -> None:
    """End a canary: the new version gets all traffic. No new version is made."""
    stack, functions = read_stack(stack_name), _functions(function)
    _demand_deployed(stack)
    stable = {name: one for name, one in stack.versions("stableVersions").items() if name not in functions}
    pinned = {name: one for name, one in stack.versions("pinnedVersions").items() if name not in functions}
    _keep(stack, stableVersions=stable, pinnedVersions=pinned)
    targets = arguments.deployment_targets(stack.graph, functions)
    try:
        pulumi(arguments.up(stack.name, targets=targets, agreed=agreed))
    except (DeliveryFault, KeyboardInterrupt):
        # What the canary ran beside must not be forgotten, or a rollback would not know where to.
        _keep(read_stack(stack_name), stableVersions=stack.versions("stableVersions"))
        raise


def rollback(stack_name: str, function: str | None, *, version: str | None, agreed: bool) -> None:
    """Give all traffic to the version that ran before, or to a named one. Data is not rolled back.

    Without a function it undoes the last `deploy` from this checkout: each function goes back to the version
    that `deploy` found running, which for most of them is the one that still runs.
    """
    _functions(function)
    stack = read_stack(stack_name)
    if version is not None and function is None:
        raise DeliveryFault(
            f"a version belongs to one function; name it: make rollback STACK={stack_name} FUNCTION=router "
            f"VERSION={version}"
        )
    found = stack.versions("stableVersions") if function is None else {}
    if function is not None:
        found = {function: version or _earlier(stack, function)}
    if not found:
        raise DeliveryFault(
            f"this checkout has deployed nothing to {stack.name} that could be undone; name what is to go "
            f"back: make rollback STACK={stack.name} FUNCTION=router"
        )
    _demand_deployed(stack)
    _pin(stack, found, agreed=agreed)


def read_stack(name: str) -> Stack:
    """The stack's settings as kept, and the graph that they give; raises what the program raises."""
    pulumi(arguments.select(name, create=False))
    kept = pulumi_json(arguments.config(name))
    prefix = f"{NAMESPACE}:"
    entries = {key.removeprefix(prefix): one for key, one in kept.items() if key.startswith(prefix)}
    config = {key: str(one.get("value", "")) for key, one in entries.items() if not one.get("secret")}
    secrets = sorted(key for key, one in entries.items() if one.get("secret"))
    return Stack(name=name, config=config, graph=_graph_of(name, tuple(sorted(config.items())), (*secrets,)))


@lru_cache(maxsize=2)
def _graph_of(stack: str, config: tuple[tuple[str, str], ...], secrets: tuple[str, ...]) -> Graph:
    """What the program makes of these settings, made once a command: it takes seconds."""
    return capture_graph(stack=stack, config=dict(config), secrets=dict.fromkeys(secrets, HIDDEN))


def _function_targets(stack: Stack, function: str) -> tuple[str, ...]:
    """What belongs to a function, and what it needs that is new."""
    own = arguments.function_targets(stack.graph, function)
    targets = arguments.with_what_is_new(stack.graph, own, urns_of(stack.name))
    for urn in targets[: len(targets) - len(own)]:
        print(f"{function} needs what is new, which goes with it: {urn.rpartition(':')[2]}")
    return targets


def _demand_deployed(stack: Stack) -> None:
    """Raises DeliveryFault when the stack has no Worker at all: there is nothing to ship a part of."""
    workers = {resource.urn for resource in stack.graph.of_type("Worker")}
    if not workers & urns_of(stack.name):
        raise DeliveryFault(
            f"{stack.name} has not been deployed as a whole yet: make deploy STACK={stack.name}"
        )


def _earlier(stack: Stack, function: str) -> str:
    """The version to go back to; raises DeliveryFault that says which one could be named instead."""
    script = stack.script(function)
    deployments = _deployments(account.connect(), stack, function)
    if not deployments:
        raise DeliveryFault(f"{script} has never run: make deploy STACK={stack.name}")
    earlier = running.earlier_version(deployments)
    if earlier is None:
        raise DeliveryFault(
            f"{script} has run no other version in its last {running.MAX_DEPLOYMENTS} deployments; name one "
            f"that was uploaded: make rollback STACK={stack.name} FUNCTION={function} VERSION=<id> "
            "(wrangler versions list)"
        )
    return earlier


def _withdraw(client: Cloudflare, stack_name: str, functions: Collection[str]) -> None:
    """End the canaries of a deployment that failed: all traffic to the versions that ran before."""
    stack = read_stack(stack_name)
    stable = stack.versions("stableVersions")
    canaries = [name for name in functions if len((_deployments(client, stack, name) or [()])[0]) > 1]
    if not canaries:
        return
    print("the deployment failed while its canary had begun to get traffic, which ends here")
    try:
        _pin(stack, {name: stable[name] for name in canaries if name in stable}, agreed=True)
    except DeliveryFault as fault:
        raise DeliveryFault(
            f"the deployment failed, and a part of the traffic still goes to the new version of "
            f"{', '.join(canaries)}, since undoing failed, too ({fault}): make rollback STACK={stack_name}"
        ) from fault


def _pin(stack: Stack, versions: Mapping[str, str], *, agreed: bool) -> None:
    """Give all traffic of these functions to these versions."""
    for name, target in versions.items():
        print(f"{name}: back to version {target}", flush=True)
    _keep(stack, pinnedVersions={**stack.versions("pinnedVersions"), **versions})
    targets = arguments.deployment_targets(stack.graph, versions.keys())
    pulumi(arguments.up(stack.name, targets=targets, agreed=agreed))


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
