"""The blocks of the guides that are marked `engine`, run as they are written, one after the other."""

import re

import pytest

from edgeseries.access.keys import hash_of
from local.stack import Stack
from tests.engine.conftest import SETTINGS, TOKEN, UPSTREAM_TOKEN, World
from tests.engine.scenario import STEPS, Step, blocks_of_engine, first_command
from tests.engine.terminal import Terminal

PROMPT_GONE = "\x1b[?25h"
"""What Pulumi's prompt, which is drawn more than once, ends with: the cursor is shown again."""


@pytest.mark.parametrize("step", STEPS, ids=[step.command for step in STEPS])
def test_a_block_does_what_it_says(world: World, system: Stack, step: Step) -> None:
    (block,) = [one for one in blocks_of_engine() if first_command(one) == step.command]
    secrets = {
        "upstreamToken": UPSTREAM_TOKEN,
        "adminKeyHash": hash_of(system.admin_key),
        "alertWebhookUrl": "https://hooks.example.com/made-up",
    }
    own = {**SETTINGS, "EDGESERIES_ADMIN_KEY_HASH": hash_of(system.admin_key), "CLOUDFLARE_API_TOKEN": TOKEN}
    environment = {**world.environment, "EDGESERIES_API_KEY": system.admin_key, "YES": "1"}
    if step.edited:
        path = world.checkout / step.edited
        path.write_text(path.read_text(encoding="utf-8") + "\n# Edited.\n", encoding="utf-8")
    text = with_own_values(block.text, own)
    with Terminal(["bash", "-ec", text], folder=world.checkout, environment=environment) as terminal:
        for prompt, secret in step.typed:
            terminal.expect(prompt)
            terminal.answer(secrets[secret])
            terminal.expect(PROMPT_GONE)
        assert terminal.wait() == 0, terminal.shown
        shown = terminal.shown
    for expected in step.expected:
        assert expected in shown
    assert "FAIL" not in shown
    for secret in (*secrets.values(), TOKEN):
        assert secret not in shown
    running = {name: world.account.shares(f"edgeseries-{step.stack}-{name}") for name in step.shares}
    assert running == step.shares, shown


def with_own_values(text: str, own: dict[str, str]) -> str:
    """The block with one's own values where it has three dots."""
    return re.sub(r"\b([A-Z_]+)=\.\.\.", lambda match: f"{match[1]}='{own[match[1]]}'", text)
