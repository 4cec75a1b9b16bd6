"""Keys of the bucket: different names never meet at one key, and no name leaves its place."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from edgeseries.http.parameters import Name
from edgeseries.limits import MAX_NAME_BYTES
from edgeseries.storage.limits import OBJECT_KEY_MAX_BYTES
from edgeseries.storage.object_keys import (
    BLOCKS,
    block_key,
    point_digest_and_month,
    point_prefix,
    site_part,
    site_prefix,
)
from tests.hostile import HOSTILE_NAMES


def is_name(text: str) -> bool:
    try:
        Name().read(text)
    except ValueError:
        return False
    return True


TRICKY = st.sampled_from([*"./%=+ {}\\é", "%2F", "%2E", "..", "\u0301", "e\u0301", "\u00e9", "A", "a"])
NAMES = (
    st.lists(TRICKY, min_size=1, max_size=12).map("".join)
    | st.text(min_size=1, max_size=40)
    | st.sampled_from(HOSTILE_NAMES)
).filter(is_name)
MONTHS = st.sampled_from(["2024-01", "2024-02", "1970-01", "2099-12"])


BLOCKS_OF = st.tuples(NAMES, NAMES, MONTHS)


@given(BLOCKS_OF, BLOCKS_OF)
@example(("a", "b/c", "2024-01"), ("a/b", "c", "2024-01"))
@example(("a/b", "c", "2024-01"), ("a%2Fb", "c", "2024-01"))
@example(("x" * MAX_NAME_BYTES, "p", "2024-01"), ("=" + "0" * 64, "p", "2024-01"))
def test_different_blocks_have_different_keys(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (block_key(*one) == block_key(*other)) == (one == other)


@given(NAMES, NAMES, MONTHS)
def test_a_key_is_three_plain_parts_under_its_site(site: str, point: str, month: str) -> None:
    key = block_key(site, point, month)
    assert key.startswith(point_prefix(site, point))
    assert point_prefix(site, point).startswith(site_prefix(site))
    parts = key.removeprefix(BLOCKS).split("/")
    assert len(parts) == 3
    assert all(part not in ("", ".", "..") for part in parts)
    assert re.fullmatch(r"[A-Za-z0-9._~%=-]+", parts[0])
    assert point_digest_and_month(key) == (parts[1], month)
    assert len(key.encode()) <= OBJECT_KEY_MAX_BYTES


@given(NAMES, NAMES)
@example("a", "a/b")
@example("%41" * 170, "%41" * 169)
def test_no_prefix_of_a_site_begins_another_sites_keys(site: str, other: str) -> None:
    assert site_prefix(other).startswith(site_prefix(site)) == (site == other)


def test_hostile_names_are_told_apart() -> None:
    names = sorted(filter(is_name, HOSTILE_NAMES))
    assert len(names) > 60
    assert len({site_part(name) for name in names}) == len(names)
    assert len({point_prefix("s", name) for name in names}) == len(names)
