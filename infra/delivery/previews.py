"""Previews: a stack for one pull request, made from defaults, and gone without a trace.

Owns how settings come from the environment, as EDGESERIES_<SETTING>, where no stack file holds them: in a
preview, whose file is made anew each time, and in a workflow. Must not know GitHub: which pull requests are
open is told by the caller.
"""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from delivery import arguments
from delivery.programs import DeliveryFault, outputs_of, pulumi, pulumi_json
from stack.names import preview_stack
from stack.settings import SECRET_KEYS, SETTINGS

VARIABLE_PREFIX: Final = "EDGESERIES_"

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def variable_of(key: str) -> str:
    """The environment variable of a setting: EDGESERIES_ACCOUNT_ID for accountId."""
    return VARIABLE_PREFIX + re.sub(r"[A-Z]", lambda letter: f"_{letter[0]}", key).upper()


def given(environment: Mapping[str, str], kept: Mapping[str, str] = NOTHING) -> dict[str, str]:
    """Settings that the environment has, but for those that are kept in the stack's file as they are; raises
    DeliveryFault that names every required one that neither has. Texts of kept secrets are not known.
    """
    found = {one.key: environment.get(variable_of(one.key), "") for one in SETTINGS}
    missing = [
        variable_of(one.key)
        for one in SETTINGS
        if one.required and not found[one.key] and one.key not in kept
    ]
    if missing:
        raise DeliveryFault(
            f"the settings come from the environment here; export {', '.join(missing)} "
            "(docs/settings.md says what they are)"
        )
    return {key: text for key, text in found.items() if text and text != kept.get(key)}


def configure(stack: str, environment: Mapping[str, str], kept: Mapping[str, str] = NOTHING) -> None:
    """Make a stack if it is not there, and keep the environment's settings in its file."""
    texts = given(environment, kept)
    pulumi(arguments.select(stack, create=True))
    for key, text in texts.items():
        if key in SECRET_KEYS:
            pulumi(arguments.set_secret(stack, key), stdin=text)
        else:
            pulumi(arguments.set_config(stack, key, text))


def make(pull_request: int, environment: Mapping[str, str]) -> None:
    """Make the preview of a pull request, or bring it to the checkout, and print its URL last."""
    stack = preview_stack(pull_request)
    configure(stack, environment)
    pulumi(arguments.up(stack, agreed=True))
    print(outputs_of(stack)["routerUrl"])


def destroy(pull_request: int) -> None:
    """Destroy the preview of a pull request; none there is no fault."""
    stack = preview_stack(pull_request)
    if stack not in {name.rpartition("/")[2] for name in stacks()}:
        print(f"there is no stack {stack}")
        return
    pulumi(arguments.destroy(stack))


def sweep(open_pull_requests: Collection[int]) -> None:
    """Destroy every preview whose pull request is not open."""
    for stack in arguments.orphans(stacks(), open_pull_requests):
        print(f"{stack}: its pull request is closed")
        pulumi(arguments.destroy(stack))


def stacks() -> list[str]:
    """Names of all stacks, with organisation and project where the backend has them."""
    return [str(one["name"]) for one in pulumi_json(["stack", "ls", "--json"])]
