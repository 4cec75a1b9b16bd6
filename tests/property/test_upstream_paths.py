"""Wherever names come from, the upstream is called at its own URL and at no other."""

from urllib.parse import unquote, urljoin, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from edgeseries.http.parameters import Name
from edgeseries.origins.ace import wire as ace
from edgeseries.series.timerange import TimeRange

BASE = "https://upstream.example.com/api"
SPAN = TimeRange(start_ms=1_704_067_200_000, end_ms=1_704_153_600_000)


def is_name(name: str) -> bool:
    try:
        Name().read(name)
    except ValueError:
        return False
    return True


tricky = st.sampled_from(
    [
        "//evil.example",
        "@evil.example",
        "..",
        "../..",
        "/",
        "?x=1",
        "#f",
        "%2e%2e",
        "%2F",
        ":80",
        "\\",
        " ",
        "&",
        "{site}",
    ]
)
names = st.one_of(
    st.text(min_size=1, max_size=40), st.lists(tricky, min_size=1, max_size=6).map("".join)
).filter(is_name)


@given(names, names)
def test_a_name_stays_one_segment_of_its_path(name: str, cursor: str) -> None:
    for path, place in (
        (ace.site_points_path(name, 1), 3),
        (ace.site_page_path(name, SPAN, cursor), 3),
        (ace.point_path(name, SPAN), 3),
    ):
        # As the platform's fetch reads it: a URL parser, which resolves dots.
        url = urlsplit(urljoin(BASE + path, BASE + path))
        assert (url.scheme, url.netloc, url.fragment) == ("https", "upstream.example.com", "")
        segments = url.path.split("/")
        assert segments[1] == "api"
        assert unquote(segments[place]) == name
        assert len(segments) == len((BASE + path).partition("?")[0].split("/")) - 2
