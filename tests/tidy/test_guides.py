"""Every command in the documents is run by a test, or says that it needs an account."""

import re
from pathlib import Path

import pytest

from run import TARGETS
from tests.engine.scenario import CLOUD, MARK, STEPS, blocks_of_engine, first_command
from tests.guides import BLOCKS, COMMAND, LANGUAGES, ROOT, Block

COMMANDS = [block for block in BLOCKS if block.language in LANGUAGES]


def placed(block: Block) -> str:
    return block.place


@pytest.mark.parametrize("block", COMMANDS, ids=placed)
def test_a_command_says_who_runs_it(block: Block) -> None:
    if block.mark in {"run", "account", MARK}:
        return
    name, _, path = block.mark.partition("=")
    assert name == "tested", f"{block.place}: mark it run, account, engine, or tested=<path of a test>"
    assert (ROOT / path).is_file(), f"{block.place}: there is no {path}"


@pytest.mark.parametrize("block", [one for one in BLOCKS if one not in COMMANDS], ids=placed)
def test_a_block_that_is_no_command_looks_like_none(block: Block) -> None:
    told = [line for line in block.text.splitlines() if COMMAND.match(line)]
    assert told == [], f"{block.place}: give the block a language and a mark"


@pytest.mark.parametrize("block", [one for one in COMMANDS if one.language == "bash"], ids=placed)
def test_every_make_target_exists_and_what_needs_an_account_says_so(block: Block) -> None:
    named = set(re.findall(r"^make (?:-s )?([a-z-]+)", block.text, re.MULTILINE))
    assert named <= TARGETS.keys()
    for target in named:
        if "needs an account" in TARGETS[target].text:
            assert block.mark in {"account", MARK}, f"{block.place}: make {target} needs an account"


@pytest.mark.parametrize("block", [one for one in COMMANDS if one.mark.startswith("tested=")], ids=placed)
def test_the_test_of_a_command_names_what_it_runs(block: Block) -> None:
    """A rough guard against a mark that points anywhere: the test's text has the words of the command."""
    text = (ROOT / block.mark.partition("=")[2]).read_text(encoding="utf-8")
    for line in block.text.splitlines():
        if line.startswith("make "):
            target = line.split()[1]
            programs = [one for one in TARGETS[target].programs if isinstance(one, tuple)]
            if not programs:
                continue  # It only asks for others: setup, which every command asks for, too.
            modules = [words[2] for words in programs if words[:2] == ("python", "-m")]
            spoken = [target, *modules, *(module.rpartition(".")[2] for module in modules)]
            assert any(word in text for word in spoken), f"{block.place}: {block.mark} does not run {line!r}"


def test_what_make_engine_runs_is_marked_and_nothing_else_is() -> None:
    """Each step of its scenario finds its block by this command, and runs the text of the block."""
    marked = [first_command(block) for block in blocks_of_engine()]
    assert sorted(marked) == sorted([CLOUD, *(step.command for step in STEPS)])


def test_what_a_step_waits_for_is_promised_by_its_guide() -> None:
    guides = {first_command(block): block.document for block in blocks_of_engine()}
    for step in STEPS:
        text = " ".join(guides[step.command].read_text(encoding="utf-8").split())
        assert [one for one in step.expected if one not in text] == [], step.command


def test_the_guides_of_the_design_are_there() -> None:
    guides = (
        "architecture",
        "integration",
        "deploy",
        "operations",
        "migration",
        "settings",
        "glossary",
        "cost",
    )
    assert [name for name in guides if not Path(ROOT / "docs" / f"{name}.md").is_file()] == []
