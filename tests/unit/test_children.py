"""Children: they are heard, spoken to, and never left behind, whoever ends first and however."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from local.children import LAST_LINES, Child
from tests.processes import alive, eventually, group_of

ROOT = Path(__file__).resolve().parents[2]

Start = Callable[..., tuple[Child, list[str]]]

WAITS = "import sys; print('up', flush=True); sys.stdin.read()"
STUBBORN = """
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print('up', flush=True)
    while True: time.sleep(60)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a Python program as a child, wait for its first line, and stop it after the test."""
    children = []

    def run(
        program: str, *, first: str | None = "up", stop_timeout_s: float = 60.0
    ) -> tuple[Child, list[str]]:
        lines: list[str] = []
        child = Child(
            "the child",
            [sys.executable, "-c", dedent(program)],
            cwd=tmp_path,
            on_line=lines.append,
            environment={"CHILD_OF": "a test", "PYTHONPATH": str(ROOT)},
            stop_timeout_s=stop_timeout_s,
        )
        children.append(child)
        if first is not None:
            eventually(lambda: first in lines, f"the line {first!r}")
        return child, lines

    yield run
    for child in children:
        child.stop()


def test_it_is_heard_line_by_line_from_both_of_its_outputs(start: Start, tmp_path: Path) -> None:
    child, lines = start(
        r"""
        import os, sys
        print(os.getcwd()); print(os.environ["CHILD_OF"], flush=True)
        print("to stderr", file=sys.stderr, flush=True)
        sys.stdout.buffer.write(b"caf\xc3\xa9 \xff\n\nno end"); sys.stdout.flush()
        print("", flush=True); sys.exit(7)
        """,
        first=None,
    )
    eventually(lambda: child.ended, "the child's end")
    child.stop()
    assert lines == [str(tmp_path), "a test", "to stderr", "café �", "", "no end"]
    assert child.exit_status == 7


def test_its_last_words_explain_its_end(start: Start) -> None:
    child, _ = start("for n in range(100): print('line', n)\nraise SystemExit('the reason')", first=None)
    eventually(lambda: child.ended, "the child's end")
    words = child.last_words().splitlines()
    assert words[-2:] == ["line 99", "the reason"]
    assert len(words) == LAST_LINES
    assert child.exit_status == 1


def test_it_is_spoken_to_line_by_line_from_any_thread(start: Start) -> None:
    child, lines = start(
        "import sys\nprint('up', flush=True)\nfor line in sys.stdin: print(line, end='', flush=True)"
    )
    words = [f"{n} " + "é" * 2_000 for n in range(50)]
    threads = [threading.Thread(target=child.write_line, args=[word]) for word in words]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually(lambda: len(lines) == 51, "all lines back")
    assert sorted(lines) == sorted(["up", *words])


@pytest.mark.parametrize("stopped", [True, False])
def test_speaking_to_one_that_has_ended_is_an_os_error(start: Start, *, stopped: bool) -> None:
    child, _ = start("import os; print('up', flush=True); os.close(0)")
    eventually(lambda: child.ended, "the child's end")
    if stopped:
        child.stop()
    with pytest.raises(OSError, match=r"."):
        child.write_line("hello")


def test_it_stops_when_it_is_asked(start: Start) -> None:
    child, lines = start("""
        import signal, sys, time
        def stop(*_):
            print('bye', flush=True); sys.exit(0)
        signal.signal(signal.SIGTERM, stop)
        print('up', flush=True)
        while True: time.sleep(60)
    """)
    running = (child.ended, child.exit_status)
    assert running == (False, None)
    child.stop()
    assert lines == ["up", "bye"]
    assert child.exit_status == 0
    child.stop()


def test_one_that_will_not_stop_is_killed(start: Start) -> None:
    child, _ = start(STUBBORN, stop_timeout_s=0.2)
    child.stop()
    assert child.exit_status == -signal.SIGKILL
    assert not group_of(child.pid)


WITH_GRANDCHILD = """
    import subprocess, sys, time
    grandchild = subprocess.Popen([sys.executable, "-c", {grandchild!r}], stdout=subprocess.PIPE)
    grandchild.stdout.readline()
    print(grandchild.pid, flush=True)
    print('up', flush=True)
    {then}
"""


@pytest.mark.parametrize(
    ("then", "grandchild"),
    [
        ("time.sleep(600)", "print('up', flush=True); import time; time.sleep(600)"),
        ("time.sleep(600)", dedent(STUBBORN)),
        ("sys.exit(3)", "print('up', flush=True); import time; time.sleep(600)"),
    ],
    ids=["both patient", "grandchild ignores SIGTERM", "child ended first"],
)
def test_what_it_started_does_not_survive_it(start: Start, then: str, grandchild: str) -> None:
    child, lines = start(WITH_GRANDCHILD.format(grandchild=grandchild, then=then))
    grandchild_pid = int(lines[0])
    assert alive(grandchild_pid)
    if then.startswith("sys"):
        eventually(lambda: child.ended, "the child's end")
    child.stop()
    eventually(lambda: not alive(grandchild_pid), "the grandchild's end")
    assert not group_of(child.pid)


def test_stopping_does_not_wait_for_a_stranger_that_holds_the_output(start: Start) -> None:
    """A process that left the group cannot be ended, but must not hold us up."""
    child, lines = start(
        """
        import subprocess, sys
        stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"],
                                    start_new_session=True)
        print(stranger.pid, flush=True); print('up', flush=True)
        sys.stdin.read()
        """,
        stop_timeout_s=0.2,
    )
    stranger = int(lines[0])
    try:
        child.stop()
        assert child.ended
        assert alive(stranger)
    finally:
        os.kill(stranger, signal.SIGKILL)


PARENT = f"""
    import sys, time
    from pathlib import Path
    from local.children import Child
    child = Child("grandchild", [sys.executable, "-c", {WAITS!r}], cwd=Path("."), on_line=len)
    print(child.pid, flush=True)
    print('up', flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_one_that_watches_its_input_ends_with_its_parent(start: Start, number: signal.Signals) -> None:
    parent, lines = start(PARENT)
    pid = int(next(line for line in lines if line.isdecimal()))
    assert alive(pid)
    assert group_of(pid) == {pid}, "it leads a group of its own, so only its input tells it"
    os.kill(parent.pid, number)
    eventually(lambda: not alive(pid), "the child of the parent that was killed")


def test_a_sibling_does_not_keep_the_input_open(start: Start) -> None:
    """A later child must not inherit our end of an earlier child's pipe."""
    parent, lines = start(
        f"""
        import sys, time
        from pathlib import Path
        from local.children import Child
        sleeps = "import time; time.sleep(600)"
        one = Child("one", [sys.executable, "-c", {WAITS!r}], cwd=Path("."), on_line=len)
        two = Child("two", [sys.executable, "-c", sleeps], cwd=Path("."), on_line=len)
        print(one.pid, two.pid, flush=True); print('up', flush=True)
        time.sleep(600)
        """
    )
    one, two = (int(pid) for pid in next(line for line in lines if " " in line).split())
    try:
        os.kill(parent.pid, signal.SIGKILL)
        eventually(lambda: not alive(one), "the first child's end")
        assert alive(two)
    finally:
        os.kill(two, signal.SIGKILL)


def test_one_whose_listener_fails_ends_instead_of_standing_still(start: Start) -> None:
    """Nobody would empty its output any more, and a full pipe holds a process up for ever."""
    parent, lines = start(
        """
        import sys, time
        from pathlib import Path
        from local.children import Child
        def fail(line): raise ValueError("the listener")
        chatter = "while True: print('x' * 1000, flush=True)"
        child = Child("chatter", [sys.executable, "-c", chatter], cwd=Path("."), on_line=fail)
        while not child.ended: time.sleep(0.01)
        child.stop()  # waits for the reader, whose traceback would else run into the line below
        print('up', flush=True)
        """
    )
    assert any("ValueError: the listener" in line for line in lines)
    eventually(lambda: parent.ended, "the parent's end")
