"""`run.py` and the Makefile: one list of targets, settings as words or from the environment, no shell."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from run import ROOT, SECRETS, TARGETS, Flag

RUN = ROOT / "run.py"
PLAIN = {name: text for name, text in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}


def told(*words: str, folder: Path = ROOT, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=folder, env={**PLAIN, **settings}, capture_output=True, text=True, check=False
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two targets' worth: run.py and the Makefile, where whatever is started tells its words."""
    for name in ("run.py", "Makefile"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_make_knows_the_targets_of_run_py_and_no_other() -> None:
    listed = told("make", "--silent").stdout
    assert told(sys.executable, str(RUN)).stdout == listed
    assert [line.split()[1] for line in listed.splitlines() if line.startswith("  make ")] == list(TARGETS)
    refused = told("make", "--silent", "nonsense")
    assert refused.returncode != 0
    assert "there is no target nonsense" in refused.stderr


def test_a_folder_with_the_name_of_a_target_does_not_hide_it(project: Path) -> None:
    (project / "help").mkdir()
    assert "make setup" in told("make", "--silent", "help", folder=project).stdout


def test_settings_reach_a_command_from_make_from_words_and_from_the_environment(project: Path) -> None:
    """`clean` removes the folder STATE, which is something to look at that needs nothing installed."""
    for how in (("make", "clean", "STATE=mine"), (sys.executable, "run.py", "clean", "STATE=mine")):
        (project / "mine").mkdir()
        assert told(*how, folder=project).returncode == 0
        assert not (project / "mine").exists()
    (project / "mine").mkdir()
    told("make", "clean", folder=project, STATE="mine")
    assert not (project / "mine").exists()


def test_a_setting_that_no_command_has_is_refused() -> None:
    refused = told(sys.executable, str(RUN), "clean", "SATTE=mine")
    assert refused.returncode == 1
    assert "there is no setting SATTE" in refused.stderr


FLAGS = [
    (Flag("X", "--x"), {}, []),
    (Flag("X", "--x"), {"X": ""}, []),
    (Flag("X", "--x"), {"X": "a b"}, ["--x", "a b"]),
    (Flag("X", "--x", bare=True), {"X": "1"}, ["--x"]),
    (Flag("X", "--x", many="each"), {"X": "a b"}, ["--x", "a", "--x", "b"]),
    (Flag("X", "--x", many="always"), {"X": "1 2"}, ["--x", "1", "2"]),
    (Flag("X", "--x", many="always"), {}, ["--x"]),
]


@pytest.mark.parametrize(("flag", "environment", "words"), FLAGS)
def test_a_setting_becomes_words(
    flag: Flag, environment: Mapping[str, str], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("X", raising=False)
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    assert flag.words() == words


def test_an_old_python_is_told_so(project: Path) -> None:
    """The file must still be read by one that is too old, or it could not say so."""
    ast.parse(RUN.read_text(encoding="utf-8"), feature_version=(3, 8))
    text = RUN.read_text(encoding="utf-8").replace("OLDEST_PYTHON = (3, 11)", "OLDEST_PYTHON = (99, 0)")
    (project / "run.py").write_text(text, encoding="utf-8")
    refused = told(sys.executable, "run.py", "setup", folder=project)
    assert refused.returncode == 1
    assert "EdgeSeries needs Python 3.11 or later; this is" in refused.stderr


def test_it_stands_on_the_standard_library() -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(RUN.read_text(encoding="utf-8")))
        for name in (
            [one.name for one in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names


def test_no_recipe_needs_a_shell() -> None:
    """The Makefile has one recipe, which starts Python; everything else is lists of words."""
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("\t")] == ["\t@$(PYTHON) run.py $@"]
    assert "shell=True" not in RUN.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SECRETS)
def test_a_token_on_a_command_line_is_warned_of_and_not_told(project: Path, name: str) -> None:
    """`help` needs nothing installed; the warning is the same for every target."""
    token = "made-up-token"  # noqa: S105 - of nobody
    for how in (("make", "--silent", "help"), (sys.executable, "run.py", "help")):
        shown = told(*how, f"{name}={token}", folder=project)
        kept = told(*how, folder=project, **{name: token})
        assert (shown.returncode, kept.returncode) == (0, 0)
        assert "in the list of processes" in shown.stderr
        assert kept.stderr == ""
        assert token not in shown.stdout + shown.stderr
