"""The conformance suite of the Tails port, and the bound of the isolate's memory."""

from array import array

import pytest

from edgeseries.planning.adapters.live_memory import LiveMemory
from edgeseries.planning.live_edge import RecentSamples
from edgeseries.planning.ports.live_cache import LiveCache
from edgeseries.series.samples import Samples
from edgeseries.storage.limits import LIVE_CACHE_ENTRY_SAMPLES

START_MS = 1_790_000_000_000


def recent(count: int = 3, *, read_ms: int = START_MS) -> RecentSamples:
    times_ms = array("q", range(START_MS, START_MS + count))
    return RecentSamples(
        from_ms=START_MS,
        known_until_ms=START_MS + 1_000_000,
        settled_until_ms=START_MS,
        read_ms=read_ms,
        samples=Samples(times_ms=times_ms, values=(1.0,) * count),
    )


class TailsConformance:
    """Every LiveCache."""

    def test_what_was_learned_is_recalled_for_its_point_and_site(self, live_cache: LiveCache) -> None:
        one, other = recent(), recent(4)
        live_cache.learn("a", {"x": one, "y": other}, instead_of={})
        assert live_cache.recall("a", ["z", "y", "x"]) == {"y": other, "x": one}
        assert live_cache.recall("b", ["x"]) == {}

    def test_a_later_one_takes_the_place_of_the_one_it_was_made_from(self, live_cache: LiveCache) -> None:
        first, second = recent(), recent(5)
        live_cache.learn("a", {"x": first}, instead_of={})
        live_cache.learn("a", {"x": second}, instead_of=live_cache.recall("a", ["x"]))
        assert live_cache.recall("a", ["x"]) == {"x": second}

    def test_one_made_from_another_does_not_take_the_place_of_what_came_since(
        self, live_cache: LiveCache
    ) -> None:
        live_cache.learn("a", {"x": recent(1)}, instead_of={})
        began_with = live_cache.recall("a", ["x"])
        since = recent(2, read_ms=START_MS + 1)
        live_cache.learn("a", {"x": since}, instead_of=began_with)
        live_cache.learn("a", {"x": recent(3)}, instead_of=began_with)
        live_cache.learn("a", {"x": recent(4)}, instead_of={})
        assert live_cache.recall("a", ["x"]) == {"x": since}

    def test_what_a_purge_took_does_not_come_back_with_a_request_that_began_before_it(
        self, live_cache: LiveCache
    ) -> None:
        live_cache.learn("a", {"x": recent(1), "y": recent(1)}, instead_of={})
        began_with = live_cache.recall("a", ["x", "y"])
        live_cache.forget("a", ["x"])
        live_cache.learn("a", {"x": recent(2), "y": recent(2)}, instead_of=began_with)
        assert set(live_cache.recall("a", ["x", "y"])) == {"y"}

    @pytest.mark.parametrize(("points", "left"), [(None, set()), (["x", "nothing"], {"y"}), ([], {"x", "y"})])
    def test_points_or_a_whole_site_are_forgotten(
        self, live_cache: LiveCache, points: list[str] | None, left: set[str]
    ) -> None:
        for site in ("a", "a/", "b"):
            live_cache.learn(site, {"x": recent(), "y": recent()}, instead_of={})
        live_cache.forget("a", points)
        assert set(live_cache.recall("a", ["x", "y"])) == left
        assert len(live_cache.recall("a/", ["x", "y"])) == len(live_cache.recall("b", ["x", "y"])) == 2


class TestLiveMemory(TailsConformance):
    @pytest.fixture
    def live_cache(self) -> LiveCache:
        return LiveMemory()


def test_the_least_recently_used_go_when_it_is_full() -> None:
    size = 10 + LIVE_CACHE_ENTRY_SAMPLES
    memory = LiveMemory(max_samples=10 * size)
    for number in range(10):
        memory.learn("a", {str(number): recent(10)}, instead_of={})
    memory.recall("a", ["0"])
    memory.learn("a", {"new": recent(10)}, instead_of={})
    assert set(memory.recall("a", [*map(str, range(10)), "new"])) == {*"023456789", "new"}
    assert memory.sample_count == 10 * size
    memory.forget("a", None)
    assert memory.sample_count == 0


def test_one_that_would_fill_it_is_not_remembered() -> None:
    memory = LiveMemory(max_samples=800)
    memory.learn("a", {"x": recent(10)}, instead_of={})
    memory.learn("a", {"x": recent(100 - LIVE_CACHE_ENTRY_SAMPLES + 1)}, instead_of=memory.recall("a", ["x"]))
    assert memory.recall("a", ["x"]) == {}
    assert memory.sample_count == 0
