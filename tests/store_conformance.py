"""What every Blocks and every Answers must do: run on the fakes, on the real ones here, and on workerd.

A test module subclasses a suite and gives its fixtures.
"""

import asyncio
from itertools import count

import pytest

from edgeseries.blocks.ports.answers import Answers
from edgeseries.blocks.ports.blocks import Blocks, DaysToStore
from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.series.days import day_span
from edgeseries.series.timerange import TimeRange
from tests.generation_conformance import GenerationsConformance
from tests.made_days import (
    FEB_29,
    MARCH,
    ODD_NAMES,
    OTHER,
    POINT,
    covered,
    densities,
    expected,
    keep,
    made_facts,
    made_kept,
    read,
    run,
    samples_of,
    told,
)

_numbers = count()


class BlocksConformance(GenerationsConformance):
    """Every Blocks."""

    @pytest.fixture
    def site(self) -> str:
        return f"made up / site {next(_numbers)}"

    def test_of_what_nobody_kept_nothing_is_held(self, blocks: Blocks, site: str) -> None:
        async def check() -> None:
            span = day_span(FEB_29, FEB_29)
            assert await covered(blocks, site, [POINT], span) == {}
            assert await densities(blocks, site, [POINT]) == {}
            held = (await read(blocks, site, [POINT], span))[POINT]
            assert (len(held.samples), held.days) == (0, frozenset())

        run(check())

    def test_reads_back_what_was_kept_sample_for_sample_and_type_for_type(
        self, blocks: Blocks, site: str
    ) -> None:
        async def check() -> None:
            days = range(FEB_29 - 3, FEB_29 + 4)
            await keep(blocks, site, [made_kept(days), made_kept([FEB_29], OTHER, start=5)])
            span = day_span(days[0], days[-1])
            days_held = await covered(blocks, site, [POINT, "nothing", OTHER], span)
            assert days_held == {POINT: frozenset(days), OTHER: frozenset([FEB_29])}
            found = await read(blocks, site, [POINT, "nothing", OTHER], span)
            assert told(found[POINT].samples) == expected(days)
            assert found[POINT].days == frozenset(days)
            assert told(found[OTHER].samples) == expected([FEB_29], start=5)
            assert found["nothing"].days == frozenset()

        run(check())

    def test_a_range_gets_its_samples_and_the_days_it_touches(self, blocks: Blocks, site: str) -> None:
        async def check() -> None:
            await keep(blocks, site, [made_kept(range(FEB_29 - 3, FEB_29 + 4))])
            start_ms = FEB_29 * DAY_MS + 90 * 60_000
            for end_ms in (
                start_ms + 1,
                start_ms + HOUR_MS,
                (FEB_29 + 1) * DAY_MS,
                (FEB_29 + 1) * DAY_MS + 1,
            ):
                span = TimeRange(start_ms=start_ms, end_ms=end_ms)
                held = (await read(blocks, site, [POINT], span))[POINT]
                days = [FEB_29, FEB_29 + 1] if end_ms > (FEB_29 + 1) * DAY_MS else [FEB_29]
                assert held.days == frozenset(days)
                assert (await covered(blocks, site, [POINT], span))[POINT] == frozenset(days)
                inside = [one for one in expected(days) if start_ms <= one[0] < end_ms]
                assert told(held.samples) == inside

        run(check())

    def test_the_fingerprint_names_what_is_held_and_there_is_none_unless_all_is(
        self, blocks: Blocks, site: str
    ) -> None:
        async def check() -> None:
            span = TimeRange(start_ms=MARCH[0] * DAY_MS, end_ms=MARCH[3] * DAY_MS + HOUR_MS)
            assert await blocks.fingerprint(site, [POINT], span) is None
            await keep(blocks, site, [made_kept(MARCH[:3]), made_kept(MARCH[:4], OTHER)])
            assert await blocks.fingerprint(site, [POINT], span) is None
            assert await blocks.fingerprint(site, [OTHER, POINT], span) is None
            seen = [await blocks.fingerprint(site, [OTHER], span)]
            await keep(blocks, site, [made_kept([MARCH[3]])])
            seen.append(await blocks.fingerprint(site, [POINT], span))
            seen.append(await blocks.fingerprint(site, [OTHER, POINT], span))
            assert await blocks.fingerprint(site, [POINT], span) == seen[1]
            await keep(blocks, site, [made_kept([MARCH[3]], start=3)])
            seen.append(await blocks.fingerprint(site, [POINT], span))
            begun = await blocks.begin_refresh(site, [POINT])
            await blocks.refresh(site, [made_kept([MARCH[3]], start=3)], begun)
            seen.append(await blocks.fingerprint(site, [POINT], span))
            assert None not in seen
            assert len(set(seen)) == 5
            assert await blocks.fingerprint(site, [OTHER], span) == seen[0]
            await blocks.forget(site, points=[POINT], span=day_span(MARCH[0], MARCH[0]), dry_run=False)
            assert await blocks.fingerprint(site, [POINT], span) is None

        run(check())

    def test_an_empty_day_is_held(self, blocks: Blocks, site: str) -> None:
        async def check() -> None:
            await keep(blocks, site, [DaysToStore(point=POINT, days=(FEB_29,), samples=samples_of([]))])
            span = day_span(FEB_29 - 1, FEB_29)
            assert await covered(blocks, site, [POINT], span) == {POINT: frozenset([FEB_29])}
            held = (await read(blocks, site, [POINT], span))[POINT]
            assert (len(held.samples), held.days) == (0, frozenset([FEB_29]))
            assert await densities(blocks, site, [POINT]) == {}

        run(check())

    def test_a_day_that_comes_again_is_replaced_and_its_neighbours_stay(
        self, blocks: Blocks, site: str
    ) -> None:
        async def check() -> None:
            await keep(blocks, site, [made_kept(MARCH[:5])])
            await keep(blocks, site, [made_kept([MARCH[2]], start=3)])
            held = (await read(blocks, site, [POINT], day_span(MARCH[0], MARCH[-1])))[POINT]
            whole = expected(MARCH[:2]) + expected([MARCH[2]], start=3) + expected(MARCH[3:5])
            assert told(held.samples) == whole

        run(check())

    def test_keeping_twice_is_keeping_once(self, blocks: Blocks, site: str) -> None:
        async def check() -> None:
            for _ in range(2):
                await keep(blocks, site, [made_kept(MARCH[:5])])
            held = (await read(blocks, site, [POINT], day_span(MARCH[0], MARCH[-1])))[POINT]
            assert told(held.samples) == expected(MARCH[:5])
            assert held.days == frozenset(MARCH[:5])

        run(check())

    def test_one_point_twice_in_one_keep_is_merged(self, blocks: Blocks, site: str) -> None:
        async def check() -> None:
            pieces = [made_kept([MARCH[0], MARCH[4]]), made_kept([MARCH[2]]), made_kept([MARCH[4]], start=3)]
            await keep(blocks, site, pieces)
            held = (await read(blocks, site, [POINT], day_span(MARCH[0], MARCH[-1])))[POINT]
            assert told(held.samples) == expected([MARCH[0], MARCH[2]]) + expected([MARCH[4]], start=3)

        run(check())

    def test_many_writers_of_different_days_of_one_block_lose_nothing(
        self, blocks: Blocks, site: str
    ) -> None:
        async def check() -> None:
            await asyncio.gather(*(keep(blocks, site, [made_kept([day])]) for day in MARCH))
            span = day_span(MARCH[0], MARCH[-1])
            held = (await read(blocks, site, [POINT], span))[POINT]
            assert held.days == frozenset(MARCH)
            assert told(held.samples) == expected(MARCH)
            assert await covered(blocks, site, [POINT], span) == {POINT: frozenset(MARCH)}

        run(check())

    def test_no_name_gets_another_names_samples(self, blocks: Blocks, site: str) -> None:
        async def check() -> None:
            span = day_span(FEB_29, FEB_29)
            for place, name in enumerate(ODD_NAMES):
                await keep(blocks, site, [made_kept([FEB_29], name, start=place)])
                await keep(blocks, name, [made_kept([FEB_29], site, start=place + 5)])
            found = await read(blocks, site, ODD_NAMES, span)
            days_held = await covered(blocks, site, ODD_NAMES, span)
            for place, name in enumerate(ODD_NAMES):
                assert told(found[name].samples) == expected([FEB_29], start=place)
                assert days_held[name] == frozenset([FEB_29])
                of_site = (await read(blocks, name, [site], span))[site]
                assert told(of_site.samples) == expected([FEB_29], start=place + 5)

        run(check())

    def test_density_is_learned_from_days_that_hold_samples(self, blocks: Blocks, site: str) -> None:
        async def check() -> None:
            await keep(blocks, site, [made_kept(MARCH[:3])])
            assert await densities(blocks, site, [OTHER, POINT]) == {POINT: pytest.approx(24.0)}
            thin = samples_of([(MARCH[10] * DAY_MS, 1.0)])
            await keep(blocks, site, [DaysToStore(point=POINT, days=tuple(MARCH[10:20]), samples=thin)])
            learned = (await densities(blocks, site, [POINT]))[POINT]
            assert learned == pytest.approx((24.0 * 3 + 1.0) / 4)

        run(check())

    @pytest.mark.parametrize(
        ("points", "days", "left", "removed"),
        [
            (None, None, {}, 2),
            ([POINT], None, {OTHER: [MARCH[0]]}, 1),
            (["nothing"], None, {POINT: [FEB_29, *MARCH[:5]], OTHER: [MARCH[0]]}, 0),
            ([POINT], (MARCH[1], MARCH[2]), {POINT: [FEB_29, MARCH[0], *MARCH[3:5]], OTHER: [MARCH[0]]}, 1),
            (None, (FEB_29, MARCH[0]), {POINT: MARCH[1:5]}, 2),
            (None, (MARCH[5], MARCH[9]), {POINT: [FEB_29, *MARCH[:5]], OTHER: [MARCH[0]]}, 0),
            ([OTHER, POINT], (MARCH[0], MARCH[20]), {POINT: [FEB_29]}, 2),
        ],
        ids=[
            "site",
            "point",
            "unknown point",
            "middle",
            "across months",
            "untouched days",
            "rest of a month",
        ],
    )
    def test_a_purge_removes_what_it_names_and_no_more(  # noqa: PLR0917 - a table's columns
        self,
        blocks: Blocks,
        site: str,
        points: list[str] | None,
        days: tuple[int, int] | None,
        left: dict[str, list[int]],
        removed: int,
    ) -> None:
        async def check() -> None:
            for owner in (site, site + "/", site + "x"):
                await keep(blocks, owner, [made_kept([FEB_29, *MARCH[:5]]), made_kept([MARCH[0]], OTHER)])
            span = None if days is None else day_span(*days)
            everything = day_span(FEB_29 - 40, MARCH[-1] + 40)
            before = await read(blocks, site, [POINT, OTHER], everything)
            rehearsed = await blocks.forget(site, points=points, span=span, dry_run=True)
            assert await read(blocks, site, [POINT, OTHER], everything) == before
            done = await blocks.forget(site, points=points, span=span, dry_run=False)
            assert done == rehearsed
            assert done.blocks == removed
            days_held = await covered(blocks, site, [POINT, OTHER], everything)
            assert days_held == {point: frozenset(chosen) for point, chosen in left.items()}
            after = await read(blocks, site, [POINT, OTHER], everything)
            for point in (POINT, OTHER):
                assert told(after[point].samples) == expected(left.get(point, ()))
            assert (await blocks.forget(site, points=points, span=span, dry_run=False)).blocks == 0
            for other in (site + "/", site + "x"):
                whole = (await read(blocks, other, [POINT], everything))[POINT]
                assert told(whole.samples) == expected([FEB_29, *MARCH[:5]])

        run(check())


class AnswersConformance:
    """Every Answers. `kept_bytes` reads a stream out."""

    @pytest.fixture
    def digest(self) -> str:
        return f"{next(_numbers):064x}"

    def test_no_answer_is_none(self, answers: Answers, digest: str) -> None:
        assert run(answers.find(digest, accepts_brotli=True)) is None

    @pytest.mark.parametrize("accepts_brotli", [True, False])
    def test_an_answer_comes_back_whole(self, answers: Answers, digest: str, *, accepts_brotli: bool) -> None:
        body = b'{"data":[' + b"1,2,3," * 20_000 + "ü".encode() + b"]}"
        facts = made_facts(body)

        async def check() -> None:
            await answers.store(digest, body, facts)
            for _ in range(3):
                found = await answers.find(digest, accepts_brotli=accepts_brotli)
                assert found is not None
                assert found.facts == facts
                assert found.content_encoding in (("br", "") if accepts_brotli else ("",))
                assert self.body_of(found.stream, found.content_encoding) == body

        run(check())

    def test_an_answer_that_has_expired_is_none(self, answers: Answers, digest: str) -> None:
        old = made_facts(b"old", created_ms=1_500_000_000_000)

        async def check() -> None:
            await answers.store(digest, b"old", old)
            assert await answers.find(digest, accepts_brotli=True) is None

        run(check())

    def body_of(self, stream: object, content_encoding: str) -> bytes:
        raise NotImplementedError
