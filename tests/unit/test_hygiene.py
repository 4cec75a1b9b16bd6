"""What every answer says of itself: how it may be kept, what it is, who may read it in a browser."""

from dataclasses import replace

import pytest

from edgeseries.access.grants import CorsPolicy, Right, cors_policy_of
from tests.asked_router import QUERY, ask, make_ports
from tests.keyed_router import ADMIN_KEY, HERE, House
from tests.made_ports import OPEN_ACCESS

KEPT_BY_CALLERS = {"/api/timeseries", "/api/jobs/{job}/result", "/api/openapi.json"}
"""What a caller may keep, and must ask about before it uses it; all else is of the moment."""


@pytest.mark.parametrize(("method", "pattern"), HERE, ids=[" ".join(one) for one in HERE])
def test_every_answer_and_refusal_has_its_headers(method: str, pattern: str) -> None:
    house = House()
    key = house.key(*Right)
    job = house.job_of(key)
    for shown in (key, None, "nonsense", ADMIN_KEY):
        response = house.ask(shown, method, pattern, job)
        kept = response.headers["Cache-Control"]
        if pattern in KEPT_BY_CALLERS and response.status == 200:
            assert kept == "private, no-cache"
        else:
            assert kept == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    ("setting", "origin", "allowed", "vary"),
    [
        ("*", "https://any.example", "*", False),
        ("*", None, "*", False),
        ("", "https://any.example", None, True),
        ("https://a.example,http://localhost:3000", "https://a.example", "https://a.example", True),
        ("https://a.example,http://localhost:3000", "http://localhost:3000", "http://localhost:3000", True),
        ("https://a.example", "https://a.example.evil.example", None, True),
        ("https://a.example", "http://a.example", None, True),
        ("https://a.example", "null", None, True),
        ("https://a.example", None, None, True),
    ],
)
def test_pages_of_named_origins_may_read(
    setting: str,
    origin: str | None,
    allowed: str | None,
    vary: bool,  # noqa: FBT001
) -> None:
    ports = make_ports(access=replace(OPEN_ACCESS, cors=cors_policy_of(setting)))
    headers = {} if origin is None else {"origin": origin}
    for method, query in (("GET", QUERY), ("OPTIONS", QUERY), ("GET", ())):
        response = ask(query=query, method=method, ports=ports, headers=headers)
        assert response.headers.get("Access-Control-Allow-Origin") == allowed
        varies = [one.strip() for one in response.headers.get("Vary", "").split(",")]
        assert ("Origin" in varies) is vary
        if response.status == 200:
            assert "Accept-Encoding" in varies


def test_no_list_is_everybody_and_an_empty_one_nobody() -> None:
    assert cors_policy_of("*") == CorsPolicy()
    assert cors_policy_of("").origins == frozenset()
