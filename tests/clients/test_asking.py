"""What the Python client asks, how often, and what it makes of refusals."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from edgeseries_client import (
    AsyncClient,
    ConnectionFault,
    EdgeSeriesError,
    JobEnded,
    NotFound,
    ProblemError,
    Question,
    RetryPolicy,
    Site,
    SitesMissing,
    Unanswered,
    UnknownPoints,
)
from edgeseries_client.errors import CLASS_OF, InvalidRequest, RateLimited, ServerFault, Unavailable
from edgeseries_client.question import MAX_POINTS, instant
from edgeseries_client.retrying import retry_after_s
from tests.clients.served import job, problem, series, serve

BRUSSELS = ZoneInfo("Europe/Brussels")

INSTANTS = [
    ("2015-03-01", None, "2015-03-01T00:00:00Z"),
    ("2015-03-01", "Europe/Brussels", "2015-02-28T23:00:00Z"),
    ("2015-07-01", "Europe/Brussels", "2015-06-30T22:00:00Z"),
    (date(2015, 3, 1), None, "2015-03-01T00:00:00Z"),
    (datetime(2015, 3, 1, 1, tzinfo=BRUSSELS), None, "2015-03-01T00:00:00Z"),
    (datetime(2015, 3, 1, 1, 0, 0, 500_000, tzinfo=UTC), None, "2015-03-01T01:00:00.500000Z"),
    ("2015-03-01T01:00:00+01:00", None, "2015-03-01T01:00:00+01:00"),
    ("-7d", "Europe/Brussels", "-7d"),
    ("now", None, "now"),
    ("2015-99-99", None, "2015-99-99"),
    (1_425_168_000_000, None, 1_425_168_000_000),
    (1_425_168_000_000.0, None, 1_425_168_000_000),
]


@pytest.mark.parametrize(("when", "tz", "sent"), INSTANTS)
def test_instants_are_sent(when: Any, tz: str | None, sent: str | int) -> None:
    assert instant(when, tz) == sent


@pytest.mark.parametrize(
    ("when", "tz", "says"),
    [(datetime(2015, 3, 1), None, "no zone"), ("2015-03-01", "Mars/Olympus", "no time zone 'Mars/Olympus'")],  # noqa: DTZ001
)
def test_an_instant_that_nobody_can_know_is_refused(when: Any, tz: str | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        instant(when, tz)


def test_what_is_not_asked_for_is_not_sent() -> None:
    question = Question.of("s", "p", "-7d", "now")
    assert question.body() == {"site": "s", "points": ["p"], "start_time": "-7d", "end_time": "now"}


def test_buckets_are_asked_for_in_a_zone() -> None:
    question = Question.of(
        "s", ["p"], 0, 1, every="1d", agg=["min", "max"], tz="Europe/Brussels", fill="null", new=3
    )
    assert question.body().items() >= {
        "every": "1d", "agg": "min,max", "tz": "Europe/Brussels", "fill": "null", "new": 3,
    }.items()  # fmt: skip


def test_the_zone_of_a_table_is_not_the_servers_affair() -> None:
    assert "tz" not in Question.of("s", ["p"], 0, 1, tz="Europe/Brussels").body()


def test_no_points_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one point"):
        Question.of("s", [], 0, 1)


def test_more_points_than_one_request_takes_are_asked_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"p{n:05}" for n in range(MAX_POINTS + 1)]
    served = serve(monkeypatch, [series({names[0]: [[1, 1.0]]}), series({names[-1]: [[2, 2.0]]})])
    result = served.client.site("s").read(names, 0, 10, as_="dict")
    assert result == {names[0]: [(1, 1.0)], names[-1]: [(2, 2.0)]}
    assert [len(request.content) > 80_000 for request in served.asked] == [True, False]


REFUSALS = [
    (problem(400, "invalid-request", errors=[{"parameter": "tz", "detail": "no"}]), InvalidRequest, "tz: no"),
    (problem(404, "not-found", detail="there is no site s"), NotFound, "there is no site s"),
    (httpx.Response(500, text="<html>oops"), ServerFault, "status 500"),
    (httpx.Response(418), ProblemError, "status 418"),
    (httpx.Response(400, json=[1]), InvalidRequest, "status 400"),
]


@pytest.mark.parametrize(("answer", "made", "says"), REFUSALS)
def test_a_refusal_is_an_error_of_its_class(
    answer: httpx.Response, made: type[Exception], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve(monkeypatch, [answer], tries=1)
    with pytest.raises(EdgeSeriesError, match=says) as raised:
        served.client.sites()
    assert type(raised.value) is made


def test_every_refusal_of_the_server_has_a_class() -> None:
    told = {400, 401, 403, 404, 409, 410, 413, 429, 502, 503, 504}
    assert set(CLASS_OF) == told


def test_a_passing_refusal_is_tried_again_after_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [
        problem(429, "rate-limited", {"retry-after": "7"}),
        problem(503),
        problem(409, "conflict", {"retry-after": "2"}),
        httpx.Response(200, json={"sites": [{"name": "s"}]}),
    ]
    served = serve(monkeypatch, answers)
    assert served.client.sites() == ["s"]
    assert served.waited_s == [7.0, 1.0, 2.0]


def test_who_is_told_to_wait_too_long_gives_up_and_says_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve(monkeypatch, [problem(429, "rate-limited", {"retry-after": "3600"})])
    with pytest.raises(RateLimited) as raised:
        served.client.sites()
    assert raised.value.retry_after_s == 3600.0
    assert served.waited_s == []


def test_tries_end(monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve(monkeypatch, [problem(503)] * 3, tries=3)
    with pytest.raises(Unavailable):
        served.client.sites()
    assert served.waited_s == [0.5, 1.0]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("soon", None),
        ("5", 5.0),
        ("Tue, 01 Dec 2026 08:00:30 GMT", 30.0),
        ("Tue, 01 Dec 2020 08:00:30 GMT", 0.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": text}, datetime(2026, 12, 1, 8, tzinfo=UTC)) == seconds


def test_no_answer_at_all_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    served = serve(monkeypatch, [down, httpx.Response(200, json={"sites": []})])
    assert served.client.sites() == []
    served = serve(monkeypatch, [down] * 2, tries=2)
    with pytest.raises(ConnectionFault, match="refused"):
        served.client.sites()


def test_a_list_that_lacks_sites_warns_and_names_who_did_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = [{"upstream": "upstream", "prefix": "", "fault": "down"}]
    answer = {"sites": [{"name": "meters/hq"}], "unanswered": missing}
    served = serve(monkeypatch, [httpx.Response(200, json=answer)])
    with pytest.warns(SitesMissing, match=r"^upstream does not list its sites \(any name\): down$"):
        found = served.client.sites()
    assert found == ["meters/hq"]
    assert found.unanswered == (Unanswered(upstream="upstream", prefix="", fault="down"),)


def test_a_large_question_comes_by_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    answers = [
        httpx.Response(202, json=job("queued")),
        httpx.Response(200, json=job("processing", 50.0)),
        httpx.Response(200, json=job("completed", 100.0, resultParts=2)),
        series({"p": [[1, 1.0]]}),
        series({"p": [[2, 2.0]]}),
    ]
    served = serve(monkeypatch, answers)
    served.client.connection._progress = seen.append
    assert served.client.site("s").read("p", 0, 10, as_="dict") == {"p": [(1, 1.0), (2, 2.0)]}
    assert [one.progress for one in seen] == [0.0, 50.0, 100.0]
    assert served.waited_s == [0.25, 0.25]
    assert [request.url.query for request in served.asked[3:]] == [b"part=1", b"part=2"]


def test_a_job_that_was_completed_before_is_asked_for_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [
        httpx.Response(202, json=job("completed", 100.0, resultParts=None)),
        httpx.Response(200, json=job("completed", 100.0, resultParts=1)),
        series({"p": []}),
    ]
    assert serve(monkeypatch, answers).client.site("s").read("p", 0, 10, as_="dict") == {"p": []}


def test_a_job_that_fails_is_told_with_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [httpx.Response(202, json=job("queued")), httpx.Response(200, json=job("failed", error="gone"))]
    with pytest.raises(JobEnded, match="job a-1 is failed: gone"):
        serve(monkeypatch, answers).client.site("s").read("p", 0, 10)


def test_unknown_points_are_told_or_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = series({"p": [[1, 1.0]], "q": []}, q="the site has no point of this name")
    with pytest.raises(UnknownPoints, match="q: the site has no point"):
        serve(monkeypatch, [answer]).client.site("s").read(["p", "q"], 0, 10)
    read = serve(monkeypatch, [answer]).client.site("s").read(["p", "q"], 0, 10, missing="ignore", as_="dict")
    assert read == {"p": [(1, 1.0)], "q": []}


def test_lists_are_walked_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [
        httpx.Response(200, json={"jobs": [job("queued")] * 2, "cursor": "c1"}),
        httpx.Response(200, json={"jobs": [job("failed")] * 2, "cursor": None}),
    ]
    served = serve(monkeypatch, pages)
    assert len(served.client.jobs(status="queued", limit=None)) == 4
    assert [bytes(request.url.query) for request in served.asked] == [
        b"status=queued",
        b"status=queued&cursor=c1",
    ]
    assert len(serve(monkeypatch, pages[:1]).client.jobs(limit=1)) == 1


def test_a_body_that_is_no_series_is_a_broken_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectionFault, match="no series"):
        serve(monkeypatch, [httpx.Response(200, text="<html>")]).client.site("s").read("p", 0, 1)


def test_where_and_who_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGESERIES_URL", "http://there.test")
    monkeypatch.setenv("EDGESERIES_KEY", "es_1_2")
    http = Site("s").client.connection.http
    assert (str(http.base_url), http.headers["authorization"]) == ("http://there.test", "Bearer es_1_2")


async def _asynchronously(http: httpx.AsyncClient) -> Any:
    async with AsyncClient(http=http, progress=False, policy=RetryPolicy(first_pause_s=0.0)) as client:
        return await client.site("s").read("p", 0, 10, as_="dict")


def test_the_client_that_does_not_block_does_the_same() -> None:
    answers = [
        problem(503),
        httpx.Response(202, json=job("queued", pollInterval=1)),
        httpx.Response(200, json=job("completed", 100.0)),
        series({"p": [[1, True]]}),
    ]
    transport = httpx.MockTransport(lambda _: answers.pop(0))
    http = httpx.AsyncClient(transport=transport, base_url="http://edge.test")
    assert asyncio.run(_asynchronously(http)) == {"p": [(1, True)]}
