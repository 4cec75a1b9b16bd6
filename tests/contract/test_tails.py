"""The conformance suite of the Tails port, and the bound of the isolate's memory."""

from array import array

import pytest

from edgeseries.planning.adapters.live_memory import LiveMemory
from edgeseries.planning.live_edge import Tail
from edgeseries.planning.ports.tails import Tails
from edgeseries.series.samples import Samples
from edgeseries.storage.limits import TAIL_OWN_SAMPLES

START_MS = 1_790_000_000_000


def tail(count: int = 3, *, read_ms: int = START_MS) -> Tail:
    times_ms = array("q", range(START_MS, START_MS + count))
    return Tail(
        from_ms=START_MS,
        known_until_ms=START_MS + 1_000_000,
        settled_until_ms=START_MS,
        read_ms=read_ms,
        samples=Samples(times_ms=times_ms, values=(1.0,) * count),
    )


class TailsConformance:
    """Every Tails."""

    def test_what_was_learned_is_recalled_for_its_point_and_site(self, tails: Tails) -> None:
        one, other = tail(), tail(4)
        tails.learn("a", {"x": one, "y": other}, instead_of={})
        assert tails.recall("a", ["z", "y", "x"]) == {"y": other, "x": one}
        assert tails.recall("b", ["x"]) == {}

    def test_a_later_one_takes_the_place_of_the_one_it_was_made_from(self, tails: Tails) -> None:
        first, second = tail(), tail(5)
        tails.learn("a", {"x": first}, instead_of={})
        tails.learn("a", {"x": second}, instead_of=tails.recall("a", ["x"]))
        assert tails.recall("a", ["x"]) == {"x": second}

    def test_one_made_from_another_does_not_take_the_place_of_what_came_since(self, tails: Tails) -> None:
        tails.learn("a", {"x": tail(1)}, instead_of={})
        began_with = tails.recall("a", ["x"])
        since = tail(2, read_ms=START_MS + 1)
        tails.learn("a", {"x": since}, instead_of=began_with)
        tails.learn("a", {"x": tail(3)}, instead_of=began_with)
        tails.learn("a", {"x": tail(4)}, instead_of={})
        assert tails.recall("a", ["x"]) == {"x": since}

    def test_what_a_purge_took_does_not_come_back_with_a_request_that_began_before_it(
        self, tails: Tails
    ) -> None:
        tails.learn("a", {"x": tail(1), "y": tail(1)}, instead_of={})
        began_with = tails.recall("a", ["x", "y"])
        tails.forget("a", ["x"])
        tails.learn("a", {"x": tail(2), "y": tail(2)}, instead_of=began_with)
        assert set(tails.recall("a", ["x", "y"])) == {"y"}

    @pytest.mark.parametrize(("points", "left"), [(None, set()), (["x", "nothing"], {"y"}), ([], {"x", "y"})])
    def test_points_or_a_whole_site_are_forgotten(
        self, tails: Tails, points: list[str] | None, left: set[str]
    ) -> None:
        for site in ("a", "a/", "b"):
            tails.learn(site, {"x": tail(), "y": tail()}, instead_of={})
        tails.forget("a", points)
        assert set(tails.recall("a", ["x", "y"])) == left
        assert len(tails.recall("a/", ["x", "y"])) == len(tails.recall("b", ["x", "y"])) == 2


class TestLiveMemory(TailsConformance):
    @pytest.fixture
    def tails(self) -> Tails:
        return LiveMemory()


def test_the_least_recently_used_go_when_it_is_full() -> None:
    size = 10 + TAIL_OWN_SAMPLES
    memory = LiveMemory(max_samples=10 * size)
    for number in range(10):
        memory.learn("a", {str(number): tail(10)}, instead_of={})
    memory.recall("a", ["0"])
    memory.learn("a", {"new": tail(10)}, instead_of={})
    assert set(memory.recall("a", [*map(str, range(10)), "new"])) == {*"023456789", "new"}
    assert memory.sample_count == 10 * size
    memory.forget("a", None)
    assert memory.sample_count == 0


def test_one_that_would_fill_it_is_not_remembered() -> None:
    memory = LiveMemory(max_samples=800)
    memory.learn("a", {"x": tail(10)}, instead_of={})
    memory.learn("a", {"x": tail(100 - TAIL_OWN_SAMPLES + 1)}, instead_of=memory.recall("a", ["x"]))
    assert memory.recall("a", ["x"]) == {}
    assert memory.sample_count == 0
