"""What the router begins while a caller is counted: the look for a kept answer, for who may read it."""

from dataclasses import dataclass

import pytest

from edgeseries.core.access import Right
from edgeseries.core.normal_form import digest_of
from edgeseries.core.query import query_from_pairs
from edgeseries.core.rates import Tier
from router.ports import Ports
from tests.asked_router import QUERY, ask, make_ports
from tests.fake_stores import FakeAnswers
from tests.fakes import FakeClock, FixedAdmission
from tests.keyed_router import OTHER_SITE, SITE, House

DIGEST = digest_of(query_from_pairs(QUERY))
LATER_MS = 1_800_000_000_000
"""The days of QUERY are sealed."""


@dataclass
class Counting(FixedAdmission):
    """Tells what was expected by the time a caller is counted."""

    answers: FakeAnswers | None = None
    seen: tuple[str, ...] = ()

    async def admits(self, caller: str, tier: Tier) -> bool:
        assert self.answers is not None
        self.seen = tuple(self.answers.expected)
        return await super().admits(caller, tier)


def expected(ports: Ports) -> list[str]:
    assert isinstance(ports.answers, FakeAnswers)
    return ports.answers.expected


def test_a_sealed_answer_is_looked_for_before_its_caller_is_counted() -> None:
    clock = FakeClock(at_ms=LATER_MS)
    answers = FakeAnswers(clock)
    admission = Counting(answers=answers)
    assert ask(ports=make_ports(clock=clock, answers=answers, admission=admission)).status == 200
    assert admission.seen == (DIGEST,)
    assert answers.expected == [DIGEST]


def test_who_is_over_its_rate_gets_nothing_of_it() -> None:
    ports = make_ports(clock=FakeClock(at_ms=LATER_MS), admission=FixedAdmission(open=False))
    assert ask(ports=ports).status == 429
    assert expected(ports) == [DIGEST]


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        (QUERY, {"cache-control": "no-cache"}, 200),
        ((*QUERY, ("route", "direct")), {}, 200),
        (QUERY[1:], {}, 400),
        ((*QUERY[:-1], ("end_time", "2030-01-01T00:00:00Z")), {}, None),
    ],
    ids=["unwanted", "direct", "faulty", "unsealed"],
)
def test_what_cannot_be_kept_is_not_looked_for(
    query: tuple[tuple[str, str], ...], headers: dict[str, str], status: int | None
) -> None:
    ports = make_ports(clock=FakeClock(at_ms=LATER_MS))
    response = ask(query=query, ports=ports, headers=headers)
    assert status in (None, response.status)
    assert expected(ports) == []


def test_only_who_may_read_the_site_has_it_looked_for() -> None:
    clock = FakeClock(at_ms=LATER_MS)
    answers = FakeAnswers(clock)
    house = House(clock=clock, changes={"answers": answers})
    reader, purger = house.key(Right.READ), house.key(Right.PURGE)
    of_others = house.key(Right.READ, sites=(OTHER_SITE,))

    def status(key: str | None) -> int:
        return house.ask(key, "GET", "/api/timeseries", "", SITE).status

    assert [status(key) for key in (None, "nonsense", purger, of_others)] == [401, 401, 403, 404]
    assert answers.expected == []
    assert status(reader) == 200
    assert answers.expected == [DIGEST]
