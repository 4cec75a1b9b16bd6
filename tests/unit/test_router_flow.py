"""The router's flow over fakes: every route of a request to its response."""

import json

import pytest

from edgeseries.errors import (
    DeadlineExceeded,
    EdgeError,
    OriginRefused,
    OriginThrottled,
    OriginUnreachable,
    RequestTimeout,
    TooLarge,
)
from edgeseries.metrics.ports.health import Finding
from edgeseries.origins.circuit import CircuitState
from edgeseries.origins.installation import InstallationReport
from edgeseries.planning.routing import RouteSizes
from edgeseries.rates import Tier
from edgeseries.series.timerange import iso_instant
from router.endpoints import ENDPOINTS
from router.finalize_response import level_of, request_id_of
from tests.asked_router import DELIVERIES, QUERY, START_MS, ask, make_ports, told
from tests.fake_stores import FakeBlocks
from tests.fakes import (
    CountingIdentity,
    FakeClock,
    FakeIncoming,
    FakeOrigin,
    FixedHealthChecker,
    FixedInstallations,
    FixedRateLimiter,
    ListJournal,
)


def test_a_small_request_is_answered_directly() -> None:
    ports = make_ports()
    response = ask(ports=ports)
    assert response.status == 200
    assert told(response) == {
        "data": {
            "a/1": {"samples": [[START_MS, True], [START_MS + 60_000, 2.5]], "count": 2, "error": None},
            "b": {"samples": [], "count": 0, "error": None},
        },
        "_meta": {
            "site": "hq",
            "startTime": "2024-01-01T00:00:00Z",
            "endTime": "2024-01-01T01:00:00Z",
            "pointCount": 2,
            "sampleCount": 2,
        },
    }
    assert response.headers["X-Route-Type"] == "direct"
    assert response.headers["X-Request-Id"] == "request1"
    assert response.headers["Server-Timing"].startswith("upstream;dur=")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert isinstance(ports.journal, ListJournal)
    assert [(record.route, record.status, record.sample_count) for record in ports.journal.records] == [
        ("direct", 200, 2)
    ]


def test_a_post_with_the_same_fields_gives_the_same_bytes() -> None:
    fields = {**dict(QUERY), "points": ["b", "a/1", "b"]}
    posted = ask(query=(), method="POST", body=json.dumps(fields).encode())
    assert posted.status == 200
    assert posted.body == ask().body


def test_a_known_tag_gets_304_without_a_body() -> None:
    tag = ask().headers["ETag"]
    response = ask(headers={"if-none-match": tag})
    assert (response.status, response.body, response.headers["ETag"]) == (304, b"", tag)
    assert ask(headers={"if-none-match": '"other"'}).status == 200


def test_head_has_the_headers_and_no_body() -> None:
    head = ask(method="HEAD")
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", ask().headers["ETag"])


@pytest.mark.parametrize(
    ("end", "forced", "route"),
    [
        ("2024-01-02T00:00:00Z", None, "direct"),
        ("2024-01-06T00:00:00Z", None, "cached"),
        ("2026-01-01T00:00:00Z", None, "queued"),
        ("2024-01-01T01:00:00Z", "queued", "queued"),
        ("2024-01-01T01:00:00Z", "cached", "cached"),
        ("2026-01-01T00:00:00Z", "direct", "direct"),
    ],
)
def test_size_chooses_the_route_and_the_caller_may_force_it(end: str, forced: str | None, route: str) -> None:
    query = (*QUERY[:3], ("end_time", end), *((("route", forced),) if forced else ()))
    response = ask(query=query)
    assert response.headers["X-Route-Type"] == route
    assert response.status == (202 if route == "queued" else 200)
    if route == "queued":
        assert told(response)["status"] == "queued"
        assert told(response)["estimatedSamples"] > 0
        assert response.headers["Location"] == told(response)["statusUrl"]


def test_an_answer_too_large_to_be_made_at_once_is_queued_however_much_is_stored() -> None:
    year = (*QUERY[:3], ("end_time", "2025-01-01T00:00:00Z"))
    ports = make_ports()
    assert isinstance(ports.blocks, FakeBlocks)
    ports.blocks.learned["hq", "b"] = (86_400.0, 30)
    ports.blocks.held["hq", "b"] = {19_723 + day: () for day in range(366)}
    assert ask(query=year, ports=ports).headers["X-Route-Type"] == "queued"
    response = ask(query=(*year, ("route", "cached")), ports=ports)
    assert (response.status, told(response)["type"]) == (413, "urn:edgeseries:problem:too-large")


def test_an_operator_may_have_nothing_go_direct() -> None:
    response = ask(ports=make_ports(route_sizes=RouteSizes(direct_max_samples=0, queued_min_samples=1)))
    assert (response.status, response.headers["X-Route-Type"]) == (202, "queued")


@pytest.mark.parametrize(
    ("failure", "status", "slug", "retry_after"),
    [
        (DeadlineExceeded("late"), 504, "deadline-exceeded", None),
        (OriginUnreachable("gone"), 502, "upstream-unreachable", None),
        (OriginThrottled("slow down", retry_after_s=7), 502, "upstream-throttled", "7"),
        (OriginRefused("no"), 502, "upstream-refused", None),
        (TooLarge("less"), 413, "too-large", None),
    ],
)
def test_errors_of_the_upstream_are_told_by_their_kind(
    failure: EdgeError, status: int, slug: str, retry_after: str | None
) -> None:
    response = ask(ports=make_ports(origin=FakeOrigin(DELIVERIES, failure=failure)))
    assert response.status == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers.get("Retry-After") == retry_after
    problem = told(response)
    assert (problem["type"], problem["status"]) == (f"urn:edgeseries:problem:{slug}", status)
    assert problem["detail"] == failure.detail
    assert problem["requestId"] == response.headers["X-Request-Id"]


def test_the_deadline_runs_from_arrival() -> None:
    origin = FakeOrigin(DELIVERIES)
    ask(ports=make_ports(origin=origin, clock=FakeClock(at_ms=1_000, step_ms=0), request_deadline_ms=30_000))
    assert origin.calls == [("fetch", "31000")]


def test_every_fault_of_a_request_is_listed() -> None:
    response = ask(query=(("points", ","), ("start_time", "x"), ("colour", "red")))
    assert response.status == 400
    assert {fault["parameter"] for fault in told(response)["errors"]} == {
        "site",
        "points",
        "start_time",
        "end_time",
        "colour",
    }


def test_a_fault_of_reading_the_request_is_told() -> None:
    ports = make_ports(incoming=FakeIncoming(failure=RequestTimeout("again")))
    assert ask(method="POST", query=(), ports=ports).status == 408
    # Nothing is read for a path, a method or a caller that is refused anyway.
    assert ask("/nothing", ports=ports).status == 404
    assert ask(method="PUT", ports=ports).status == 405


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_is_a_fault(body: bytes) -> None:
    response = ask(method="POST", query=(), body=body)
    assert (response.status, told(response)["errors"][0]["parameter"]) == (400, "body")


def test_an_unknown_path_lists_the_known_ones() -> None:
    response = ask("/api/nothing")
    assert response.status == 404
    assert all(endpoint.pattern in told(response)["detail"] for endpoint in ENDPOINTS)


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PROPFIND"])
def test_an_unknown_method_lists_the_known_ones(method: str) -> None:
    response = ask(method=method)
    assert (response.status, response.headers["Allow"]) == (405, "GET, POST, HEAD, OPTIONS")


def test_options_allows_what_browsers_need() -> None:
    response = ask(method="OPTIONS")
    assert (response.status, response.body) == (204, b"")
    assert response.headers["Access-Control-Allow-Methods"] == "GET, POST, HEAD, OPTIONS"
    assert response.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_a_caller_over_its_rate_is_told_when_to_come_back() -> None:
    rate_limiter = FixedRateLimiter(open=False)
    response = ask(ports=make_ports(rate_limiter=rate_limiter), caller="192.0.2.1")
    assert (response.status, response.headers["Retry-After"]) == (429, "60")
    assert rate_limiter.callers == [("ip:192.0.2.1", Tier.STANDARD)]
    assert (response.headers["RateLimit"], response.headers["RateLimit-Policy"]) == (
        '"standard";r=0',
        '"standard";q=600;w=60',
    )
    assert ask().headers["RateLimit-Policy"] == '"standard";q=600;w=60'
    assert "RateLimit" not in ask().headers


def test_points_of_a_site_whose_name_holds_a_slash() -> None:
    ports = make_ports(origin=FakeOrigin({"a/b c": {"x": [], "w": []}}))
    document = told(ask("/api/sites/a%2Fb%20c/points", (), ports=ports))
    assert (document["site"], document["count"]) == ("a/b c", 2)
    assert [point["name"] for point in document["points"]] == ["w", "x"]
    assert ask("/api/sites/nowhere/points", ()).status == 404
    assert ask("/api/sites/%00/points", ()).status == 400
    assert told(ask("/api/sites", (), ports=ports))["sites"] == [{"name": "a/b c", "title": None}]


def test_health_fails_when_a_part_fails() -> None:
    good = Finding(part="database", duration_ms=3, facts=(("tables", 9),))
    bad = Finding(part="upstream", duration_ms=9, fault="gone")
    deep = (("deep", "1"),)
    assert (
        ask("/api/health", deep, ports=make_ports(health_checker=FixedHealthChecker((good,)))).status == 200
    )
    ports = make_ports(health_checker=FixedHealthChecker((good, bad)))
    response = ask("/api/health", deep, ports=ports)
    assert response.status == 503
    assert told(response)["parts"] == {
        "database": {"status": "ok", "durationMs": 3, "fault": None, "tables": 9},
        "upstream": {"status": "failing", "durationMs": 9, "fault": "gone"},
    }


def test_what_installations_take_is_told_to_admins_who_ask_for_it() -> None:
    parts = (Finding(part="bucket", duration_ms=1), Finding(part="upstream", duration_ms=3))
    report = InstallationReport(
        at_ms=START_MS, facts=(("real interval", "60 s (median)"),), fault="cut short"
    )
    installations = FixedInstallations(states={"upstream": CircuitState.OPEN}, found={"upstream": report})
    ports = make_ports(health_checker=FixedHealthChecker(parts), installations=installations)
    shallow = told(ask("/api/health", (("deep", "1"),), ports=ports))["parts"]
    assert shallow["upstream"] == {"status": "ok", "durationMs": 3, "fault": None, "circuit": "open"}
    assert installations.looks == 0
    answer = ask("/api/health", (("deep", "full"),), ports=ports)
    assert (answer.status, told(answer)["status"]) == (200, "ok"), "a fault of a look is none of the upstream"
    assert told(answer)["parts"] == {
        "bucket": {"status": "ok", "durationMs": 1, "fault": None},
        "upstream": {
            **shallow["upstream"],
            "installation": {
                "at": iso_instant(START_MS),
                "found": {"real interval": "60 s (median)"},
                "fault": "cut short",
            },
        },
    }


def test_liveness_looks_at_nothing() -> None:
    bad = Finding(part="upstream", duration_ms=9, fault="gone")
    response = ask("/api/health", (), ports=make_ports(health_checker=FixedHealthChecker((bad,))))
    assert (response.status, told(response)) == (200, {"status": "ok"})
    assert ask("/api/health", (("deep", "maybe"),)).status == 400


@pytest.mark.parametrize(
    ("sent", "kept"), [("abc-1.2_X", True), ("a b", False), ("x" * 65, False), ("", False)]
)
def test_a_plain_request_id_of_the_caller_is_kept(sent: str, kept: bool) -> None:  # noqa: FBT001
    assert request_id_of({"x-request-id": sent}, CountingIdentity()) == (sent if kept else "request1")


def test_a_post_is_never_answered_by_304() -> None:
    body = json.dumps({**dict(QUERY), "points": ["b", "a/1"]}).encode()
    response = ask(query=(), method="POST", body=body, headers={"if-none-match": "*"})
    assert response.status == 200


def test_the_log_tells_what_was_behind_an_error() -> None:
    failure = OriginUnreachable("gone")
    failure.__cause__ = OSError("the wire is cut")
    ports = make_ports(origin=FakeOrigin(DELIVERIES, failure=failure))
    ask(ports=ports)
    assert isinstance(ports.journal, ListJournal)
    level, _, facts = ports.journal.lines[0]
    assert (level, facts["problem"]) == ("warning", "upstream-unreachable")
    assert facts["cause"] == "OSError('the wire is cut')"


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (None, "info"),
        (TooLarge("x"), "info"),
        (DeadlineExceeded("x"), "warning"),
        (OriginRefused("x"), "error"),
    ],
)
def test_errors_are_logged_by_what_to_do_about_them(error: EdgeError | None, level: str) -> None:
    assert level_of(error) == level


def test_a_path_that_is_not_utf_8_is_a_fault() -> None:
    assert ask("/api/sites/%ff/points", ()).status == 400
    assert ask("/api/sites/../points", ()).status == 400


@pytest.mark.parametrize(
    "body",
    ['{"points":"a,b"}', '{"points":["a"],"point":["b"]}', '{"site":"a","site":"b"}', '{"start_time":1.5}'],
)
def test_a_body_that_could_be_misread_is_a_fault(body: str) -> None:
    assert ask(method="POST", query=(), body=body.encode()).status == 400


def test_a_body_of_many_unknown_fields_gets_a_short_answer() -> None:
    body = json.dumps({f"{'x' * 200}{number}": number if number % 2 else "text" for number in range(5_000)})
    response = ask(method="POST", query=(), body=body.encode())
    assert response.status == 400
    assert len(response.body) < 20_000
