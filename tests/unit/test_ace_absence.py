"""When the ACE adapter believes that there is no data: two witnesses, and never a stranger's word."""

from collections.abc import Callable
from typing import Any

import pytest

from edgeseries.errors import NotFound, OriginContract, OriginUnconfirmed
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.jobs.retrying import TryAgain, after_failure
from edgeseries.origins.ports.origin import NO_SUCH_POINT
from tests.unit.test_ace_origin import NO_DATA, Script, Session, Vendor, reply, rows

LISTS = ("/sites/hq/points",)
BATCH = "/points/get_timeseries"
PAGES = "/sites/hq/timeseries/paginated"
SINGLES = ("/points/a/timeseries", "/points/b/timeseries")

HTML = HttpReply(status=404, headers={"content-type": "text/html"}, body=b"<html><h1>404 No data</h1></html>")
GATEWAY = reply(404, {"message": "Not Found"})
NO_ROUTE = reply(404, {"message": "The requested URL was not found on the server."})
VENDOR = reply(404, NO_DATA)
NO_ROWS = reply(200, {"point_samples": []})


def answers(**by_kind: HttpReply) -> Script:
    """A vendor who answers calls of a kind (`lists`, `batch`, `pages`, `singles`) in one way only."""
    paths = {"lists": LISTS, "batch": (BATCH,), "pages": (PAGES,), "singles": SINGLES}
    by_path = {path: answer for kind, answer in by_kind.items() for path in paths[kind]}
    return lambda _, path: by_path.get(path)


EMPTY = {"a": (0, None), "b": (0, None)}
FULL = {"a": (1, None), "b": (1, None)}
UNBELIEVED = OriginUnconfirmed

BELIEVED: dict[str, tuple[dict[str, HttpReply], Any]] = {
    # A 200 that covers a point without rows is the vendor's own word.
    "a batch without rows": ({"batch": NO_ROWS}, EMPTY),
    "singles without rows": ({"batch": VENDOR, "singles": NO_ROWS}, EMPTY),
    "batches that are not served, singles without rows": ({"batch": NO_ROUTE, "singles": NO_ROWS}, EMPTY),
    # A 404 needs the vendor's words and the list.
    "no data twice, and the list holds the points": ({"batch": VENDOR, "singles": VENDOR}, EMPTY),
    "no batches, no data, and the list holds the points": ({"batch": NO_ROUTE, "singles": VENDOR}, EMPTY),
    # Another's word is none.
    "a gateway's page for singles": ({"batch": VENDOR, "singles": HTML}, UNBELIEVED),
    "a gateway's JSON for singles": ({"batch": VENDOR, "singles": GATEWAY}, UNBELIEVED),
    "singles that are not there": ({"batch": NO_ROUTE, "singles": NO_ROUTE}, UNBELIEVED),
    "a gateway's page for all but the list": ({"batch": HTML, "singles": HTML}, UNBELIEVED),
    # A batch that is denied says nothing of its points, whoever says it.
    "a denied batch, and singles with rows": ({"batch": VENDOR}, FULL),
    "a gateway's page for the batch, and singles with rows": ({"batch": HTML}, FULL),
}


@pytest.mark.parametrize(("script", "expected"), BELIEVED.values(), ids=BELIEVED)
def test_what_is_believed_of_calls_by_name(script: dict[str, HttpReply], expected: Any) -> None:
    session = Session(Vendor("a", "b", script=answers(**script)))
    hold(lambda: session.fetch("a", "b"), expected)


IN_BULK: dict[str, tuple[dict[str, HttpReply], Any]] = {
    "pages without rows": ({"pages": NO_ROWS}, EMPTY),
    "no data, and the batch says so, too": ({"pages": VENDOR, "batch": VENDOR}, EMPTY),
    "no data, and a batch without rows": ({"pages": VENDOR, "batch": NO_ROWS}, EMPTY),
    "no data, but the batch has rows": ({"pages": VENDOR}, FULL),
    "a gateway's page, but the batch has rows": ({"pages": HTML}, FULL),
    "no pages, no batches, singles have rows": ({"pages": NO_ROUTE, "batch": NO_ROUTE}, FULL),
    "a gateway's page, the batch says no data, singles have rows": ({"pages": HTML, "batch": VENDOR}, FULL),
    "no data, a gateway's page for batches, singles have rows": ({"pages": VENDOR, "batch": HTML}, FULL),
    "a gateway's page everywhere": ({"pages": HTML, "batch": HTML, "singles": HTML}, UNBELIEVED),
    "a gateway's JSON everywhere": ({"pages": GATEWAY, "batch": GATEWAY, "singles": GATEWAY}, UNBELIEVED),
    "no data by the pages alone": ({"pages": VENDOR, "batch": HTML, "singles": HTML}, UNBELIEVED),
}


@pytest.mark.parametrize(("script", "expected"), IN_BULK.values(), ids=IN_BULK)
def test_what_is_believed_of_pages_of_a_site(script: dict[str, HttpReply], expected: Any) -> None:
    session = Session(Vendor("a", "b", script=answers(**script)))
    hold(lambda: session.fetch_in_bulk("a", "b"), expected)


def hold(fetch: Callable[[], Any], expected: Any) -> None:
    if expected is UNBELIEVED:
        with pytest.raises(OriginUnconfirmed, match="nothing confirms"):
            fetch()
    else:
        assert fetch() == expected


@pytest.mark.parametrize("list_answer", [HTML, GATEWAY, NO_ROUTE], ids=["page", "JSON", "route"])
def test_no_data_is_not_believed_when_the_list_cannot_be_read_anew(list_answer: HttpReply) -> None:
    """The list was read when the fetch began; that is no second witness, however fresh it is."""
    vendor = Vendor("a", "b")

    def script(call: HttpCall, path: str) -> Any:
        if path == "/sites/":
            return {"items": [{"name": "hq"}], "page": 1, "pages": 1}
        later = any("timeseries" in one for one in vendor.calls)
        return list_answer if path in LISTS and later else answers(batch=VENDOR, singles=VENDOR)(call, path)

    vendor.script = script
    with pytest.raises(OriginUnconfirmed):
        Session(vendor).fetch("a", "b")


def test_one_list_serves_all_points_of_a_fetch() -> None:
    vendor = Vendor("a", "b", script=answers(batch=VENDOR, singles=VENDOR))
    Session(vendor).fetch("a", "b")
    assert vendor.calls.count("GET /sites/hq/points") == 2, "once before, once after"
    quiet = Vendor("a", "b", script=answers(batch=VENDOR, singles=NO_ROWS))
    Session(quiet).fetch("a", "b")
    assert quiet.calls.count("GET /sites/hq/points") == 1, "a 200 needs none"


def test_a_point_that_the_new_list_lacks_is_gone_and_not_empty() -> None:
    vendor = Vendor("a", "b")
    session = Session(vendor)
    session.fetch("a", "b")
    vendor.listed.remove("b")
    # At once: the list that the isolate knows is as fresh as can be.
    assert session.fetch("a", "b") == {"a": (1, None), "b": (0, NO_SUCH_POINT)}


def test_a_quiet_site_takes_few_calls_in_the_background() -> None:
    vendor = Vendor("a", "b", script=answers(pages=VENDOR, batch=VENDOR))
    Session(vendor).fetch_in_bulk("a", "b")
    listed = "GET /sites/hq/points"
    assert vendor.calls == [listed, f"GET {PAGES}", f"POST {BATCH}", listed]


def test_a_job_tries_again_what_nothing_confirms() -> None:
    session = Session(Vendor("a", "b", script=answers(batch=HTML, singles=HTML)))
    with pytest.raises(OriginUnconfirmed) as raised:
        session.fetch("a", "b")
    assert isinstance(after_failure(raised.value, attempts=0, claims=1), TryAgain)


@pytest.mark.parametrize("answer", [HTML, GATEWAY, NO_ROUTE], ids=["page", "JSON", "route"])
def test_a_site_is_not_gone_because_a_gateway_says_so(answer: HttpReply) -> None:
    there = {"items": [{"name": "hq"}], "page": 1, "pages": 1}

    def script(_: HttpCall, path: str) -> Any:
        return there if path == "/sites/" else answer

    with pytest.raises(OriginUnconfirmed):
        Session(Vendor("a", script=script)).fetch("a")
    with pytest.raises(OriginUnconfirmed):
        Session(Vendor("a", script=lambda *_: answer)).fetch("a")
    there["items"] = [{"name": "another"}]
    with pytest.raises(NotFound):
        Session(Vendor("a", script=script)).fetch("a")
    gone = reply(404, {"message": "Site hq not found"})
    with pytest.raises(NotFound):
        Session(Vendor("a", script=lambda *_: gone)).fetch("a")


def test_a_batch_with_rows_of_another_point_settles_only_points_that_have_rows() -> None:
    """Rows of `B` for `b`: by the batch alone b would be empty."""
    vendor = Vendor("a", "b", script=answers(batch=reply(200, rows("a", "B"))))
    session = Session(vendor)
    assert session.fetch("a", "b") == FULL
    assert vendor.calls[-1] == "GET /points/b/timeseries"
    assert session.dropped == {"rows_unasked": 1}


def test_a_single_answer_of_another_point_alone_is_refused() -> None:
    session = Session(Vendor("a", "b", script=answers(batch=NO_ROUTE, singles=reply(200, rows("c")))))
    with pytest.raises(OriginContract, match="another point"):
        session.fetch("a")
    assert session.dropped == {"rows_unasked": 1}


def test_a_list_with_points_of_another_site_gives_none_of_them_away() -> None:
    items = [{"name": "a", "site": "hq"}, {"name": "b", "site": "lab"}, {"name": "c"}]
    session = Session(Vendor("a", "b", "c"))
    session.vendor.script = lambda _, path: {"items": items, "page": 1, "pages": 1} if path in LISTS else None
    assert session.fetch("a", "b", "c") == {"a": (1, None), "b": (0, NO_SUCH_POINT), "c": (1, None)}
    assert session.dropped == {"points_of_another_site": 1}
    items[:] = [{"name": "b", "site": "lab"}]
    session.clock.at_ms += 3_600_000
    with pytest.raises(OriginContract, match="another site"):
        session.fetch("b")


def test_a_name_that_two_sites_have_is_read_from_the_pages_of_its_own() -> None:
    vendor = Vendor("a", "temp")
    session = Session(vendor)
    session.catalogue.learn("lab", ["temp", "z"], session.clock.now_ms())
    assert session.fetch("a", "temp") == {"a": (1, None), "temp": (1, None)}
    assert vendor.calls == ["GET /sites/hq/points", f"GET {PAGES}"]
    # Without pages it cannot be told whose rows a call by name would bring.
    vendor.script = answers(pages=NO_ROUTE)
    with pytest.raises(OriginUnconfirmed):
        session.fetch("a", "temp")
    vendor.script = answers(pages=VENDOR)
    assert session.fetch("a", "temp") == {"a": (1, None), "temp": (0, None)}
    assert not [call for call in vendor.calls if "/points/temp/" in call]
