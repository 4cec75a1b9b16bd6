"""Every endpoint for every kind of caller: one table. An endpoint without a row fails here."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from edgeseries.access.grants import Auth, Right
from edgeseries.access.keys import ADMIN_KEY_ID, key_text
from edgeseries.rates import Tier
from router.endpoint import Scope
from router.endpoints import ENDPOINTS
from router.resources import resources_of
from tests.asked_router import QUERY, START_MS, ask, told
from tests.fake_stores import FakeBlocks
from tests.fakes import FakeTimer, ListJournal
from tests.keyed_router import ADMIN_KEY, ASKS, AT, HERE, NO_SITE, OTHER_SITE, SITE, House


@pytest.fixture
def house() -> House:
    return House()


def rights_but(right: Right | None) -> tuple[Right, ...]:
    return tuple(one for one in Right if one is not right)


def test_every_endpoint_has_a_row_and_all_but_two_ask_for_a_right() -> None:
    assert set(ASKS) == set(HERE)
    of_anybody = {place for place, one in AT.items() if one.right is None}
    assert of_anybody == {("GET", "/api/health"), ("GET", "/api/session")}
    assert {one.right for one in ENDPOINTS if one.scope is Scope.EVERYTHING} == {Right.ADMIN}
    with pytest.raises(AssertionError, match="declared twice"):
        resources_of([ENDPOINTS[0], ENDPOINTS[0]])


@pytest.mark.parametrize(("method", "pattern"), HERE, ids=[" ".join(one) for one in HERE])
def test_who_may_do_what(house: House, method: str, pattern: str) -> None:
    rule, expected = AT[method, pattern], ASKS[method, pattern].status
    right_key = house.key(*Right)
    lacking = house.key(*rights_but(rule.right))
    of_others = house.key(Right.READ, Right.JOBS, Right.PURGE, sites=(OTHER_SITE,))
    revoked = house.key(*Right, sites=None)
    job = house.job_of(right_key)
    house.revoke(revoked)
    wrong = right_key[:-1] + ("0" if right_key[-1] != "0" else "1")
    unknown = key_text("0" * 12, "a" * 64)

    def status(key: str | None, site: str = SITE) -> int:
        return house.ask(key, method, pattern, job, site).status

    refused = {key: status(key) for key in (wrong, unknown, revoked, "nonsense", "")}
    assert refused == dict.fromkeys(refused, 401)
    if rule.right is None:
        assert status(None) == expected
        assert status(lacking) == status(of_others) == expected
    else:
        assert (status(None), status(lacking)) == (401, 403)
        hidden = rule.scope is Scope.SITE or "{job}" in pattern
        foreign = 403 if rule.scope is Scope.EVERYTHING else 404 if hidden else expected
        assert status(of_others) == foreign
    assert status(right_key) == expected


@pytest.mark.parametrize(
    ("method", "pattern"),
    [place for place in HERE if AT[place].scope is Scope.SITE],
    ids=[" ".join(place) for place in HERE if AT[place].scope is Scope.SITE],
)
def test_a_site_of_others_is_told_as_one_that_is_not_there(house: House, method: str, pattern: str) -> None:
    key = house.key(*rights_but(Right.ADMIN))
    theirs, none = (house.ask(key, method, pattern, "j", site) for site in (OTHER_SITE, NO_SITE))
    assert (theirs.status, none.status) == (404, 404)
    assert told(theirs)["detail"].replace(OTHER_SITE, NO_SITE) == told(none)["detail"]
    assert {**theirs.headers, "Server-Timing": ""} == {**none.headers, "Server-Timing": ""}
    # Nobody looked: neither upstream nor the stores can have made a difference in time.
    assert house.origin.calls == []
    # And the words are those of the upstream, for who may see every site.
    house.made += 100
    real = house.ask(house.key(Right.READ, sites=None), "GET", "/api/sites/{site}/points", "j", NO_SITE)
    assert told(real)["detail"] == told(none)["detail"]


def test_a_list_holds_only_what_its_reader_may_see(house: House) -> None:
    mine, theirs = house.key(Right.READ, Right.JOBS), house.key(Right.READ, Right.JOBS, sites=(OTHER_SITE,))
    everyone = house.key(Right.READ, Right.JOBS, sites=None)
    job = house.job_of(mine)

    def names(key: str) -> list[str]:
        return [site["name"] for site in told(house.ask(key, "GET", "/api/sites", job))["sites"]]

    def jobs(key: str) -> list[str]:
        return [one["jobId"] for one in told(house.ask(key, "GET", "/api/jobs", job))["jobs"]]

    assert (names(mine), names(theirs), names(everyone)) == ([SITE], [OTHER_SITE], [OTHER_SITE, SITE])
    assert (jobs(mine), jobs(theirs), jobs(everyone), jobs(ADMIN_KEY)) == ([job], [], [], [job])
    assert house.ask(ADMIN_KEY, "GET", "/api/jobs/{job}", job).status == 200
    missing = house.ask(mine, "GET", "/api/jobs/{job}", "no-such-job")
    assert told(house.ask(everyone, "GET", "/api/jobs/{job}", job))["detail"] == told(missing)["detail"]


def test_the_same_request_of_two_keys_is_two_jobs(house: House) -> None:
    first, second = house.key(Right.JOBS), house.key(Right.JOBS)
    made = [told(house.ask(key, "POST", "/api/jobs", ""))["jobId"] for key in (first, second, first)]
    assert made[0] == made[2] != made[1]


def test_a_key_has_so_many_jobs_under_way_and_no_more(house: House) -> None:
    key, another = house.key(Right.JOBS), house.key(Right.JOBS)
    headers = {"authorization": f"Bearer {key}"}
    ports = house.ports
    first, second = (house.job_of(key, points=(name,)) for name in ("a", "b"))
    refused = house.ask(key, "POST", "/api/jobs", "")
    assert refused.status == 429
    assert refused.headers["RateLimit"] == '"active-jobs";r=0'
    assert refused.headers["RateLimit-Policy"] == '"active-jobs";q=2, "standard";q=600;w=60'
    assert refused.headers["Retry-After"] == "30"
    assert house.ask(another, "POST", "/api/jobs", "").status == 202, "others are not concerned"
    assert ask(f"/api/jobs/{first}", (), method="DELETE", ports=ports, headers=headers).status == 200
    third = house.ask(key, "POST", "/api/jobs", "")
    assert third.status == 202
    assert house.ask(key, "POST", "/api/jobs", "").status == 202, "it is joined, not made"
    retry = f"/api/jobs/{first}/retry"
    assert ask(retry, (), method="POST", ports=ports, headers=headers).status == 429
    assert ask(f"/api/jobs/{second}", (), method="DELETE", ports=ports, headers=headers).status == 200
    assert ask(retry, (), method="POST", ports=ports, headers=headers).status == 202


def test_while_access_is_open_jobs_are_not_counted(house: House) -> None:
    house.changes["access"] = replace(house.ports.access, auth=Auth.OPEN)
    ports = house.ports
    days = [
        (*QUERY[:3], ("end_time", f"2024-01-0{day}T00:00:00Z"), ("route", "queued")) for day in range(2, 8)
    ]
    assert [ask(query=query, ports=ports).status for query in days] == [202] * 6


def test_a_reader_who_asks_too_much_is_told_that_it_takes_a_job(house: House) -> None:
    year = (*QUERY[:3], ("end_time", "2026-01-01T00:00:00Z"))
    reader = {"authorization": f"Bearer {house.key(Right.READ)}"}
    response = ask(query=year, ports=house.ports, headers=reader)
    assert (response.status, told(response)["right"]) == (403, "jobs")
    assert "shorter range" in told(response)["detail"]


def test_a_kept_answer_is_shared_by_the_keys_of_its_site_and_by_no_others(house: House) -> None:
    ports = house.ports
    day = (*QUERY[:3], ("end_time", "2024-01-06T00:00:00Z"))
    house.clock.at_ms = START_MS + 400 * 86_400_000

    def status_of(key: str) -> tuple[int, str | None]:
        response = ask(query=day, ports=ports, headers={"authorization": f"Bearer {key}"})
        return response.status, response.headers.get("X-Cache-Hit")

    assert status_of(house.key(Right.READ)) == (200, "false")
    assert status_of(house.key(Right.READ)) == (200, "true")
    assert status_of(house.key(Right.READ, sites=(OTHER_SITE,))) == (404, None)


def test_a_revoked_key_dies_within_a_minute_elsewhere_and_at_once_here(house: House) -> None:
    key = house.key(Right.READ)
    assert house.ask(key, "GET", "/api/sites", "").status == 200
    elsewhere = House(database=house.database, clock=house.clock)
    elsewhere.revoke(key)
    assert elsewhere.ask(key, "GET", "/api/sites", "").status == 401
    house.clock.at_ms += 59_999
    assert house.ask(key, "GET", "/api/sites", "").status == 200
    house.clock.at_ms += 1
    assert house.ask(key, "GET", "/api/sites", "").status == 401


def test_a_stream_of_events_ends_with_its_key(house: House) -> None:
    key = house.key(Right.JOBS)
    job, began_ms = house.job_of(key), house.clock.at_ms

    async def meanwhile() -> None:
        if house.clock.at_ms == began_ms + 5_000:
            elsewhere = House(database=house.database, clock=house.clock)
            await elsewhere.store().revoke(key.split("_")[1], now_ms=house.clock.at_ms)

    house.changes["timer"] = FakeTimer(house.clock, meanwhile)
    response = house.ask(key, "GET", "/api/jobs/{job}/events", job)

    async def read() -> list[bytes]:
        stream: Any = response.stream
        return [piece async for piece in stream]

    assert len(asyncio.run(read())) > 2
    assert 5_000 < house.clock.at_ms - began_ms <= 60_000


def test_a_database_that_is_down_lets_nobody_in_by_guess(house: House) -> None:
    key = house.key(Right.READ)
    house.database.down = True
    assert house.ask(key, "GET", "/api/sites", "").status == 503
    house.database.down = False
    assert house.ask(key, "GET", "/api/sites", "").status == 200
    house.database.down = True
    assert house.ask(key, "GET", "/api/sites", "").status == 200, "it is remembered for a minute"
    assert house.ask(ADMIN_KEY, "GET", "/api/sites", "").status == 200, "it needs no look-up"


BY_ADDRESS = ("ip:192.0.2.1", Tier.STANDARD)
MADE_UP_ID = "0" * 12


def shown_keys(house: House) -> dict[str, str | None]:
    """Every way of showing a key that does not identify, and of showing none."""
    good, revoked = house.key(Right.READ), house.key(Right.READ)
    house.revoke(revoked)
    return {
        "no key": None,
        "an empty header": "",
        "nonsense": "nonsense",
        "a made-up id": key_text(MADE_UP_ID, "a" * 64),
        "a wrong secret": good[:-1] + ("0" if good[-1] != "0" else "1"),
        "a revoked key": revoked,
        "a wrong admin secret": key_text(ADMIN_KEY_ID, "0" * 64),
    }


STRANGERS = (
    "no key",
    "an empty header",
    "nonsense",
    "a made-up id",
    "a wrong secret",
    "a revoked key",
    "a wrong admin secret",
)


@pytest.mark.parametrize("shown", STRANGERS)
@pytest.mark.parametrize("known", [False, True], ids=["looked up first", "remembered"])
def test_who_is_not_identified_is_counted_by_address_and_for_no_key(
    house: House, shown: str, *, known: bool
) -> None:
    key = shown_keys(house)[shown]
    if known:
        house.ask(key, "GET", "/api/sites", "")
        house.rate_limiter.callers.clear()
    assert house.ask(key, "GET", "/api/sites", "").status == 401
    assert house.rate_limiter.callers == [BY_ADDRESS]
    house.rate_limiter.spent.add(BY_ADDRESS[0])
    reads = house.database.reads
    refused = house.ask(key, "GET", "/api/sites", "")
    assert (refused.status, refused.headers["Retry-After"]) == (429, "60")
    assert refused.headers["RateLimit"] == '"standard";r=0'
    assert house.rate_limiter.callers == [BY_ADDRESS] * 2
    for _ in range(30):
        house.ask(key, "GET", "/api/sites", "")
    assert house.database.reads - reads <= 1, "over its rate an address costs no look-up each"


def test_a_good_key_is_counted_by_itself_and_by_address_only_where_it_is_looked_up(house: House) -> None:
    key = house.key(Right.READ, tier=Tier.BULK)
    for _ in range(3):
        house.ask(key, "GET", "/api/sites", "")
    by_key = (f"key:{key.split('_')[1]}", Tier.BULK)
    assert house.rate_limiter.callers == [BY_ADDRESS, by_key, by_key, by_key]
    house.ask(ADMIN_KEY, "GET", "/api/sites", "")
    assert house.rate_limiter.callers[4:] == [("key:admin", Tier.BULK)]


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("attack", ["made-up ids", "wrong secrets"])
def test_a_good_key_is_not_locked_out_by_others_at_its_address(
    house: House, attack: str, *, remembered: bool
) -> None:
    house.rate_limiter.per_caller = 30
    key, another = house.key(Right.READ), house.key(Right.READ)
    ids = [f"{number:012x}" if attack == "made-up ids" else key.split("_")[1] for number in range(500, 560)]
    if remembered:
        assert house.ask(key, "GET", "/api/sites", "").status == 200
    seen = [house.ask(key_text(one, "a" * 64), "GET", "/api/sites", "").status for one in ids]
    assert (seen[0], seen[-1]) == (401, 429)
    for good in (key, another, ADMIN_KEY):
        assert house.ask(good, "GET", "/api/sites", "").status == 200
    house.clock.at_ms += 60_000  # Nothing is remembered any more, and the address is still over its rate.
    assert house.ask(another, "GET", "/api/sites", "").status == 200
    house.revoke(another)
    assert house.ask(another, "GET", "/api/sites", "").status == 429


def test_a_key_over_its_own_rate_is_refused_wherever_it_is(house: House) -> None:
    key = house.key(Right.READ)
    house.rate_limiter.spent.add(f"key:{key.split('_')[1]}")
    assert house.ask(key, "GET", "/api/sites", "").status == 429


@pytest.mark.parametrize(
    ("caller", "counted"),
    [
        ("192.0.2.1", "ip:192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "ip:2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "ip:2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "ip:2001:db8:1:3::/64"),
        ("", "ip:"),
        ("nonsense", "ip:nonsense"),
    ],
)
def test_an_address_is_one_host(house: House, caller: str, counted: str) -> None:
    ask("/api/sites", (), ports=house.ports, caller=caller)
    assert house.rate_limiter.callers == [(counted, Tier.STANDARD)]


def test_a_made_key_is_told_once_works_and_is_kept_as_a_hash(house: House) -> None:
    response = house.ask(ADMIN_KEY, "POST", "/api/keys", "")
    made = told(response)
    assert (made["sites"], made["rights"], made["tier"]) == (["hq"], ["read"], "standard")
    assert response.headers["Location"] == made["keyUrl"]
    assert response.headers["Cache-Control"] == "no-store"
    assert house.ask(made["key"], "GET", "/api/timeseries", "").status == 200
    kept = house.database.rows("SELECT * FROM api_keys")
    assert made["key"].split("_")[2] not in str(kept)
    ports = house.ports
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    listed = told(ask("/api/keys", (), ports=ports, headers=headers))["keys"]
    assert [(one["keyId"], "key" in one) for one in listed] == [(made["keyId"], False)]
    gone = told(ask(made["keyUrl"], (), method="DELETE", ports=ports, headers=headers))
    assert gone["revokedAt"] is not None
    again = told(ask(made["keyUrl"], (), method="DELETE", ports=ports, headers=headers))
    assert again == gone
    assert ask(made["keyUrl"], (), ports=ports, headers=headers).status == 200
    assert ask("/api/keys/admin", (), method="DELETE", ports=ports, headers=headers).status == 404


def test_keys_are_listed_page_by_page(house: House) -> None:
    keys = [house.key(Right.READ) for _ in range(5)]
    headers, found, cursor = {"authorization": f"Bearer {ADMIN_KEY}"}, [], None
    for _ in range(3):
        query = (("limit", "2"), *((("cursor", cursor),) if cursor else ()))
        page = told(ask("/api/keys", query, ports=house.ports, headers=headers))
        found += [one["keyId"] for one in page["keys"]]
        cursor = page["cursor"]
    assert (found, cursor) == ([key.split("_")[1] for key in keys], None)


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        (b"[]", {"body"}),
        (b"{}", {"owner", "sites", "rights"}),
        (b'{"owner":"x","sites":["hq"],"rights":["admin"]}', {"sites"}),
        (b'{"owner":"x","sites":["*","hq"],"rights":["read"]}', {"sites"}),
        (b'{"owner":"x","sites":["hq\\u0000"],"rights":["read"]}', {"sites"}),
        (b'{"owner":"x","sites":[1],"rights":["read"]}', {"sites"}),
        (b'{"owner":"x","sites":["*"],"rights":["write",1]}', {"rights"}),
        (
            b'{"owner":"x\\n","sites":["*"],"rights":[],"tier":"gold","more":1}',
            {"owner", "rights", "tier", "more"},
        ),
    ],
)
def test_every_fault_of_a_new_key_is_told(house: House, body: bytes, parameters: set[str]) -> None:
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    response = ask("/api/keys", (), method="POST", body=body, ports=house.ports, headers=headers)
    assert (response.status, {fault["parameter"] for fault in told(response)["errors"]}) == (400, parameters)


def test_refusals_say_how_to_ask(house: House) -> None:
    assert house.ask(None, "GET", "/api/sites", "").headers["WWW-Authenticate"] == 'Bearer realm="EdgeSeries"'
    wrong = house.ask(key_text("0" * 12, "a" * 64), "GET", "/api/sites", "")
    assert wrong.headers["WWW-Authenticate"] == 'Bearer realm="EdgeSeries", error="invalid_token"'
    lacking = house.ask(house.key(Right.PURGE), "GET", "/api/sites", "")
    assert 'error="insufficient_scope", scope="read"' in lacking.headers["WWW-Authenticate"]
    assert ask(method="OPTIONS", ports=house.ports).status == 204


def test_no_secret_is_logged_or_told_again(house: House) -> None:
    key = house.key(Right.READ)
    ports = house.ports
    for text in (key, ADMIN_KEY, key[:-1] + "0"):
        response = ask(ports=ports, headers={"authorization": f"Bearer {text}", "x-request-id": text})
        assert text not in str(response)
    assert isinstance(ports.journal, ListJournal)
    assert not [
        line for line in ports.journal.lines if key.split("_")[2] in str(line) or "f" * 64 in str(line)
    ]


def test_while_access_is_open_nobody_is_asked(house: House) -> None:
    house.changes["access"] = replace(house.ports.access, auth=Auth.OPEN)
    assert isinstance(house.ports.blocks, FakeBlocks)
    assert house.ask(None, "GET", "/api/timeseries", "").status == 200
    assert house.ask("nonsense", "GET", "/api/keys", "").status == 200
    assert house.rate_limiter.callers[-1] == ("ip:192.0.2.1", Tier.STANDARD)
