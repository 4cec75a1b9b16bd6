"""Questions: what a first deployment still has to be told, and how somebody at a terminal is asked for it.

Whatever is in the environment, or in the stack's file already, is not asked for. What is typed is checked at
once, and a secret is not shown while it is typed.
"""

import getpass
import re
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from delivery.previews import variable_of
from delivery.programs import DeliveryFault
from edgeseries.access.keys import ADMIN_KEY_ID, hash_of, presented_key
from edgeseries.settings import workers
from edgeseries.settings.declaration import Setting
from stack import readers
from stack.account import TOKEN_VARIABLE
from stack.settings import SETTINGS

KEY_VARIABLE: Final = "EDGESERIES_API_KEY"
"""Whose key the smoke test asks with."""

PASSPHRASE_VARIABLE: Final = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105 - the variable's name
PASSPHRASE_VARIABLES: Final = (PASSPHRASE_VARIABLE, "PULUMI_CONFIG_PASSPHRASE_FILE")

OWN_BACKENDS: Final = ("file://", "s3://", "gs://", "azblob://")
"""How addresses of state begin that is kept by oneself; its secrets are encrypted with a passphrase."""

_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something that is not known yet. `variable` would have said it; `fault` tells what is wrong with a
    text, or None. `optional` ones may be left empty; `twice` asks again, since nobody sees what is typed.
    """

    variable: str
    text: str
    secret: bool = False
    optional: bool = False
    twice: bool = False
    fault: Callable[[str], str | None] = lambda _: None


def open_questions(
    environment: Mapping[str, str], kept: Collection[str], *, needs_passphrase: bool, is_new: bool
) -> tuple[Question, ...]:
    """What neither the environment nor the stack's file (`kept` are its keys) says, in the order of use."""
    questions: list[Question] = []
    if needs_passphrase and not any(name in environment for name in PASSPHRASE_VARIABLES):
        questions.append(
            Question(
                variable=PASSPHRASE_VARIABLE,
                text="a passphrase, which encrypts the secrets of the stack",
                secret=True,
                twice=is_new,
            )
        )
    if not environment.get(TOKEN_VARIABLE):
        questions.append(
            Question(variable=TOKEN_VARIABLE, text="the API token of the Cloudflare account", secret=True)
        )
    questions += [
        _of_setting(setting)
        for setting in SETTINGS
        if setting.required
        and setting.key not in kept
        and not environment.get(variable_of(setting.key))
        and not (setting is workers.ADMIN_KEY_HASH and is_admin_key(environment.get(KEY_VARIABLE, "")))
    ]
    if not environment.get(KEY_VARIABLE) and not any(one.variable == KEY_VARIABLE for one in questions):
        questions.append(
            Question(
                variable=KEY_VARIABLE,
                text="the admin key, or another that the smoke test may use",
                secret=True,
            )
        )
    return tuple(questions)


def is_admin_key(text: str) -> bool:
    """Whether this is the key that makes the others, by its form."""
    key = presented_key(f"Bearer {text}")
    return key is not None and key.key_id == ADMIN_KEY_ID


def answered(question: Question, text: str) -> dict[str, str]:
    """The variables that an answer stands for: an admin key says its own hash, and may be the hash alone."""
    hash_variable = variable_of(workers.ADMIN_KEY_HASH.key)
    if question.variable != KEY_VARIABLE:
        return {question.variable: text}
    if _HASH.fullmatch(text):
        return {hash_variable: text}
    return {KEY_VARIABLE: text, **({hash_variable: hash_of(text)} if question.optional else {})}


def refusal(questions: Collection[Question]) -> DeliveryFault:
    """What is said where there is nobody to ask."""
    names = ", ".join(one.variable for one in questions)
    return DeliveryFault(
        f"nobody is here to be asked; export {names} (docs/deploy.md says what they are; the API key is the "
        "admin key, which make admin-key makes)"
    )


def ask(question: Question) -> str:
    """A fitting text, asked for until there is one; raises DeliveryFault at the end of input."""
    while True:
        text = _typed(question)
        if not text and not question.optional:
            continue
        fault = question.fault(text) if text else None
        if fault is None and question.twice and _typed(question, again=True) != text:
            fault = "the two differ"
        if fault is None:
            return text
        print(f"  {fault}", flush=True)


def at_a_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def _typed(question: Question, *, again: bool = False) -> str:
    prompt = f"{question.text}{', once more' if again else ''}: "
    try:
        return (getpass.getpass(prompt) if question.secret else input(prompt)).strip()
    except EOFError as error:
        raise refusal([question]) from error


def _of_setting(setting: Setting) -> Question:
    if setting is workers.ADMIN_KEY_HASH:
        # The key itself says its hash, and is what the smoke test asks with.
        return Question(
            variable=KEY_VARIABLE,
            text="the admin key, or its hash (nothing: one is made now, and told once)",
            secret=True,
            optional=True,
            fault=lambda text: None if _HASH.fullmatch(text) or is_admin_key(text) else "that is neither",
        )
    return Question(
        variable=variable_of(setting.key),
        text=f"{setting.key}: {setting.description}",
        secret=setting.secret,
        fault=lambda text: None if setting.secret else _fault_of(setting, text),
    )


def _fault_of(setting: Setting, text: str) -> str | None:
    try:
        readers.read(setting.kind, text)
    except readers.Refusal as refused:
        return str(refused)
    return None
