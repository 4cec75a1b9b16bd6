"""What purges and refreshes mean to every Blocks: what was fetched before is not stored after.

Part of the suite of `store_conformance.py`.
"""

import pytest

from edgeseries.blocks.ports.blocks import Blocks
from edgeseries.series.days import day_span
from tests.made_days import (
    FEB_29,
    MARCH,
    OTHER,
    POINT,
    covered,
    expected,
    made_kept,
    read,
    run,
    told,
)


class GenerationsConformance:
    """Generations and tickets."""

    def test_what_was_fetched_before_a_purge_is_not_stored_after_it(self, blocks: Blocks, site: str) -> None:
        async def check() -> None:
            span = day_span(MARCH[0], MARCH[-1])
            for points in (None, [POINT], [OTHER, POINT]):
                stamps = (await blocks.look_up(site, [POINT], span)).stamps
                await blocks.forget(site, points=points, span=day_span(FEB_29, FEB_29), dry_run=False)
                done = await blocks.store(site, [made_kept(MARCH[:2])], stamps)
                assert done.superseded == {POINT}
                assert await covered(blocks, site, [POINT], span) == {}
            now = (await blocks.look_up(site, [POINT], span)).stamps
            assert (await blocks.store(site, [made_kept(MARCH[:2])], now)).superseded == frozenset()
            assert await covered(blocks, site, [POINT], span) == {POINT: frozenset(MARCH[:2])}

        run(check())

    def test_a_purge_of_one_point_does_not_concern_another(self, blocks: Blocks, site: str) -> None:
        async def check() -> None:
            span = day_span(MARCH[0], MARCH[-1])
            before = (await blocks.look_up(site, [POINT, OTHER], span)).stamps
            await blocks.forget(site, points=[OTHER], span=None, dry_run=False)
            await blocks.forget(site + "x", points=None, span=None, dry_run=False)
            done = await blocks.store(site, [made_kept(MARCH[:1]), made_kept(MARCH[:1], OTHER)], before)
            assert done.superseded == {OTHER}
            after = (await blocks.look_up(site, [POINT, OTHER], span)).stamps
            assert after.of(POINT) == before.of(POINT)
            assert after.of(OTHER).total > before.of(OTHER).total
            assert after.total([POINT, OTHER]) > before.total([POINT, OTHER])
            assert after.total([POINT]) == before.total([POINT])

        run(check())

    def test_a_dry_run_raises_nothing(self, blocks: Blocks, site: str) -> None:
        async def check() -> None:
            span = day_span(MARCH[0], MARCH[-1])
            for points in (None, [POINT]):
                before = (await blocks.look_up(site, [POINT], span)).stamps
                await blocks.forget(site, points=points, span=None, dry_run=True)
                assert (await blocks.look_up(site, [POINT], span)).stamps == before

        run(check())

    def test_a_refresh_replaces_what_others_put_there_meanwhile_and_they_lose(
        self, blocks: Blocks, site: str
    ) -> None:
        async def check() -> None:
            span = day_span(MARCH[0], MARCH[-1])
            early = (await blocks.look_up(site, [POINT, OTHER], span)).stamps
            begun = await blocks.begin_refresh(site, [POINT, OTHER])
            await blocks.store(site, [made_kept(MARCH[:3])], early)
            done = await blocks.refresh(site, [made_kept(MARCH[1:2], start=3)], begun)
            assert done.superseded == frozenset()
            assert (await blocks.store(site, [made_kept(MARCH[:5], start=7)], early)).superseded == {POINT}
            held = (await read(blocks, site, [POINT], span))[POINT]
            whole = expected(MARCH[:1]) + expected(MARCH[1:2], start=3) + expected(MARCH[2:3])
            assert told(held.samples) == whole
            now = (await blocks.look_up(site, [POINT, OTHER], span)).stamps
            for point in (POINT, OTHER):
                assert now.of(point) == done.stamps.of(point)
                assert now.of(point).total > early.of(point).total
            assert (await blocks.store(site, [made_kept(MARCH[5:6])], done.stamps)).superseded == frozenset()

        run(check())

    def test_of_two_refreshes_the_one_that_began_later_stays(self, blocks: Blocks, site: str) -> None:
        async def check() -> None:
            span = day_span(MARCH[0], MARCH[0])
            first = await blocks.begin_refresh(site, [POINT])
            second = await blocks.begin_refresh(site, [POINT])
            assert (
                await blocks.refresh(site, [made_kept(MARCH[:1], start=2)], second)
            ).superseded == frozenset()
            assert (await blocks.refresh(site, [made_kept(MARCH[:1], start=1)], first)).superseded == {POINT}
            held = (await read(blocks, site, [POINT], span))[POINT]
            assert told(held.samples) == expected(MARCH[:1], start=2)
            third = await blocks.begin_refresh(site, [POINT])
            fourth = await blocks.begin_refresh(site, [POINT])
            assert not (await blocks.refresh(site, [made_kept(MARCH[:1], start=3)], third)).superseded
            assert not (await blocks.refresh(site, [made_kept(MARCH[:1], start=4)], fourth)).superseded
            held = (await read(blocks, site, [POINT], span))[POINT]
            assert told(held.samples) == expected(MARCH[:1], start=4)

        run(check())

    @pytest.mark.parametrize("points", [None, [POINT]])
    def test_a_refresh_that_a_purge_overtook_stores_nothing(
        self, blocks: Blocks, site: str, points: list[str] | None
    ) -> None:
        async def check() -> None:
            span = day_span(MARCH[0], MARCH[0])
            begun = await blocks.begin_refresh(site, [POINT])
            await blocks.forget(site, points=points, span=None, dry_run=False)
            before = (await blocks.look_up(site, [POINT], span)).stamps
            assert (await blocks.refresh(site, [made_kept(MARCH[:1])], begun)).superseded == {POINT}
            after = await blocks.look_up(site, [POINT], span)
            assert after.covered == {}
            assert after.stamps.of(POINT).total == before.of(POINT).total

        run(check())
