"""How bodies are coded: what a caller takes, what is worth it, and a tag for each coding."""

from dataclasses import replace

import pytest

from edgeseries.answers.limits import CODED_MIN_BYTES
from edgeseries.http.messages import BodyStream, HttpRequest, HttpResponse
from router.representation import CODED_HERE, CODINGS, accepts, coded, coded_tag, is_known, plain_tag

LARGE = b"x" * CODED_MIN_BYTES


def asked(accept_encoding: str = "gzip, br, zstd", method: str = "GET", **headers: str) -> HttpRequest:
    given = {
        "accept-encoding": accept_encoding,
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    return HttpRequest(method=method, path="/", request_id="r", arrived_ms=0, headers=given)


def answered(
    media_type: str = "text/csv; charset=utf-8", body: bytes = LARGE, **headers: str
) -> HttpResponse:
    more = {name.replace("_", "-"): text for name, text in headers.items()}
    return HttpResponse(status=200, headers={"Content-Type": media_type, **more}, body=body)


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        ("gzip, br, zstd", "gzip"),
        ("deflate, br, zstd", "zstd"),
        ("gzip", "gzip"),
        ("gzip;q=0, br;q=0.5", "br"),
        ("identity", ""),
        ("", ""),
        ("br;q=0", ""),
    ],
)
def test_what_streams_have_too_comes_first(accept_encoding: str, coding: str) -> None:
    response = coded(answered(ETag='"abc"'), asked(accept_encoding))
    assert response.coding == coding
    assert response.headers.get("Content-Encoding", "") == coding
    assert response.headers["ETag"] == (f'"abc-{coding}"' if coding else '"abc"')
    assert response.headers["Vary"] == "Accept-Encoding"


def test_a_body_that_is_sent_while_it_is_made_has_codings_of_its_own() -> None:
    stream = replace(answered(), body=b"", stream=BodyStream(object()))
    assert coded(stream, asked()).coding == "gzip"
    assert coded(stream, asked("zstd, br, gzip")).coding == "gzip"
    assert coded(stream, asked("zstd, br")).coding == ""


@pytest.mark.parametrize(
    "response",
    [
        answered("application/json"),
        answered("application/vnd.apache.parquet"),
        answered("application/problem+json"),
        answered(Content_Encoding="br"),
        answered(body=LARGE[1:]),
        HttpResponse(status=304, headers={"Content-Type": "text/csv"}),
        HttpResponse(status=404, headers={"Content-Type": "text/csv"}),
    ],
)
def test_what_is_not_worth_it_stays_as_it_is(response: HttpResponse) -> None:
    assert coded(response, asked()).coding == ""


def test_an_answer_depends_on_what_the_caller_takes_even_where_it_is_not_coded() -> None:
    assert coded(answered(Vary="Accept", body=b""), asked()).headers["Vary"] == "Accept, Accept-Encoding"
    assert (
        coded(answered(Vary="Accept, Accept-Encoding"), asked()).headers["Vary"] == "Accept, Accept-Encoding"
    )


def test_any_coding_of_the_content_is_known_by_its_tag() -> None:
    for coding in ("", *CODINGS):
        tag = coded_tag('"abc"', coding)
        assert plain_tag(tag) == '"abc"'
        assert is_known('"abc"', asked(if_none_match=tag))
    assert len({coded_tag('"abc"', coding) for coding in ("", *CODINGS)}) == 4
    assert not is_known('"abc"', asked(if_none_match='"abd-br"'))


@pytest.mark.parametrize(
    ("header", "taken"),
    [("br", True), ("BR;q=0.1", True), ("br; q=0", False), ("brotli", False), ("br;q=0.000", False)],
)
def test_accept_encoding_is_read_as_the_standard_says(header: str, taken: bool) -> None:  # noqa: FBT001
    assert accepts(header, "br") is taken


def test_json_is_left_to_the_edge() -> None:
    assert not [one for one in CODED_HERE if one.endswith("json") and not one.endswith("ndjson")]


def test_who_has_it_is_told_the_tag_that_they_have() -> None:
    known = HttpResponse(status=304, headers={"Content-Type": "text/csv", "ETag": '"abc"'})
    for tag in ('"abc"', '"abc-br"', '"abc-gzip"'):
        found = coded(known, asked(if_none_match=f'"other", W/{tag}'))
        assert (found.status, found.coding, found.headers["ETag"]) == (304, "", tag)
    assert coded(known, asked(if_none_match="*")).headers["ETag"] == '"abc"'
