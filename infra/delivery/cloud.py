"""Cloud: the first deployment in one command, which can be stopped anywhere and goes on when it is run again.

Owns the order: tools, where state is kept, what is still to be told, the token, the stack's settings, the
deployment, the smoke test, the first key. It keeps no state of its own: what is done already is told by the
stack's file, Pulumi's state and the platform, and each step leaves alone what is as it should be.
"""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from delivery import arguments, deploying, permissions, previews, questions, smoke, token_check
from delivery.programs import DeliveryFault, outputs_of, pulumi_json, pulumi_text
from delivery.questions import KEY_VARIABLE
from edgeseries.access.keys import hash_of
from edgeseries.settings import workers
from edgeseries.settings.declaration import Setting
from local.admin_key import new_admin_key
from stack import account, platform_settings
from stack.names import NameFault, stack_fault
from stack.settings import NAMESPACE, default_of

OLDEST_PULUMI: Final = (3, 270, 0)
"""Of the command line; pyproject.toml wants the same of the packages."""

_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")

ADMIN_KEY_TOLD: Final = """\
The admin key. It is told once; keep it where you keep passwords:
  {key}
"""

DONE: Final = """\

EdgeSeries answers on {url}
A first key, with the admin key in {variable}:
  {command}
"""

FIRST_KEY: Final = (
    "curl -X POST '{url}/api/keys' -H \"Authorization: Bearer ${variable}\" "
    "-H 'Content-Type: application/json' "
    '-d \'{{"owner": "me", "sites": ["*"], "rights": ["read", "jobs"]}}\''
)


def cloud(stack: str, environment: MutableMapping[str, str], *, agreed: bool) -> bool:
    """Deploy a stack for the first time, or go on with that; whether the smoke test held.

    What is typed is put into `environment`, which is that of the programs that are started. Raises
    DeliveryFault and whatever the program raises about its settings.
    """
    if (fault := stack_fault(stack)) is not None:
        raise NameFault(fault)
    if not agreed and not questions.at_a_terminal():
        raise DeliveryFault(f"nobody is here to agree to what Pulumi shows: make cloud STACK={stack} YES=1")
    _tools()
    backend = _backend()
    is_new = stack not in {name.rpartition("/")[2] for name in previews.stacks()}
    kept = {} if is_new else _kept(stack)
    _learn(environment, kept, own_backend=backend.startswith(questions.OWN_BACKENDS), is_new=is_new)
    _check_account(stack, environment, kept)
    previews.configure(stack, environment, kept)
    deploying.deploy(stack, None, agreed=agreed)
    url = str(outputs_of(stack)["routerUrl"])
    held = smoke.main(["--stack", stack]) == 0
    if held:
        print(DONE.format(url=url, variable=KEY_VARIABLE, command=first_key_command(url)), end="", flush=True)
    return held


def first_key_command(url: str) -> str:
    """What makes a key, as people type it."""
    return FIRST_KEY.format(url=url, variable=KEY_VARIABLE)


def pulumi_fault(told: str) -> str | None:
    """What is wrong with the version that Pulumi tells, or None."""
    match = _VERSION.search(told)
    oldest = ".".join(map(str, OLDEST_PULUMI))
    if match is None:
        return f"pulumi does not tell its version ({told.strip()[:80]!r}): install {oldest} or later"
    if tuple(map(int, match.groups())) < OLDEST_PULUMI:
        return f"pulumi is {match[0]}, and {oldest} or later is needed: https://www.pulumi.com/docs/install"
    return None


def _tools() -> None:
    told = pulumi_text(["version"])
    if (fault := pulumi_fault(told)) is not None:
        raise DeliveryFault(fault)
    _tell("ok", "pulumi", told.strip())


def _backend() -> str:
    """Where state is kept; raises DeliveryFault where nobody has said."""
    try:
        told: Mapping[str, Any] = pulumi_json(["whoami", "--json", "--non-interactive"])
    except DeliveryFault as fault:
        raise DeliveryFault(
            "pulumi does not know where to keep state: pulumi login (Pulumi Cloud), or pulumi login --local "
            "(a folder of this machine); then run this again"
        ) from fault
    url = str(told.get("url") or "")
    _tell("ok", "state", url)
    return url


def _kept(stack: str) -> dict[str, str]:
    """Settings that the stack's file has; of secrets only that they are there."""
    told: Mapping[str, Any] = pulumi_json(arguments.config(stack))
    prefix = f"{NAMESPACE}:"
    return {
        key.removeprefix(prefix): str(one.get("value") or "")
        for key, one in told.items()
        if key.startswith(prefix)
    }


def _learn(
    environment: MutableMapping[str, str], kept: Mapping[str, str], *, own_backend: bool, is_new: bool
) -> None:
    """Ask for what is open, until nothing is."""
    hash_variable = previews.variable_of(workers.ADMIN_KEY_HASH.key)
    key = environment.get(KEY_VARIABLE, "")
    known = workers.ADMIN_KEY_HASH.key in kept or environment.get(hash_variable)
    if not known and questions.is_admin_key(key):
        environment[hash_variable] = hash_of(key)
    while left := questions.open_questions(environment, kept, needs_passphrase=own_backend, is_new=is_new):
        if not questions.at_a_terminal():
            raise questions.refusal(left)
        question = left[0]
        text = questions.ask(question)
        if not text:
            text = new_admin_key()
            # Told before it is kept: a key that is kept and that nobody has read opens nothing.
            print(ADMIN_KEY_TOLD.format(key=text), end="", flush=True)
        environment.update(questions.answered(question, text))


def _check_account(stack: str, environment: Mapping[str, str], kept: Mapping[str, str]) -> None:
    """Raises DeliveryFault with all that the account or its token lacks."""

    def value(setting: Setting) -> str | None:
        text = environment.get(previews.variable_of(setting.key)) or kept.get(setting.key)
        return text or default_of(setting, stack)

    account_id = value(platform_settings.ACCOUNT_ID)
    assert account_id is not None, "it has been asked for"
    hostname = value(platform_settings.CUSTOM_DOMAIN)
    workers_dev = hostname is None and value(platform_settings.WORKERS_DEV) == "true"
    findings = []
    for one in token_check.look_at(
        account.connect(), account_id=account_id, hostname=hostname, workers_dev=workers_dev
    ):
        _tell("ok" if one.good else "FAIL", one.name, one.text)
        findings.append(one)
    if advice := permissions.advice(findings):
        raise DeliveryFault(advice)


def _tell(mark: str, name: str, text: str) -> None:
    print(f"{mark:5}{name:26}{text}", flush=True)
