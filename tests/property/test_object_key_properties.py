"""Keys of the bucket: different names never meet at one key, and no name leaves its place."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from edgeseries.http.parameters import Name
from edgeseries.limits import MAX_NAME_BYTES
from edgeseries.storage.limits import OBJECT_KEY_MAX_BYTES
from edgeseries.storage.object_keys import (
    MONTH_BLOCKS,
    YEAR_BLOCKS,
    BlockPath,
    block_key,
    block_path,
    content_digest,
    digest_of,
    purge_key,
    site_part,
    site_prefix,
    version_of,
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
PERIODS = st.sampled_from(["2024-01", "2024-02", "1970-01", "2099-12", "2024", "2025"])
DIGESTS = st.binary(max_size=2).map(content_digest)


BLOCKS_OF = st.tuples(NAMES, NAMES, PERIODS, DIGESTS)
SOME = content_digest(b"some")


@given(BLOCKS_OF, BLOCKS_OF)
@example(("a", "b/c", "2024-01", SOME), ("a/b", "c", "2024-01", SOME))
@example(("a/b", "c", "2024-01", SOME), ("a%2Fb", "c", "2024-01", SOME))
@example(("x" * MAX_NAME_BYTES, "p", "2024-01", SOME), ("=" + "0" * 64, "p", "2024-01", SOME))
def test_different_blocks_have_different_keys(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    assert (block_key(*one) == block_key(*other)) == (one == other)


@given(NAMES, NAMES, PERIODS, DIGESTS)
def test_a_key_is_four_plain_parts_under_its_site(site: str, point: str, period: str, digest: str) -> None:
    key = block_key(site, point, period, digest)
    blocks = YEAR_BLOCKS if len(period) == len("2024") else MONTH_BLOCKS
    assert key.startswith(site_prefix(site, blocks))
    parts = key.removeprefix(blocks).split("/")
    assert len(parts) == 4
    assert all(part not in ("", ".", "..") for part in parts)
    assert re.fullmatch(r"[A-Za-z0-9._~%=-]+", parts[0])
    assert block_path(key) == BlockPath(point_digest=digest_of(point), period=period, digest=digest)
    assert len(key.encode()) <= OBJECT_KEY_MAX_BYTES
    assert len(purge_key(site, 2**53).encode()) <= OBJECT_KEY_MAX_BYTES
    assert 0 <= version_of(digest) < 2**48


@given(NAMES, NAMES)
@example("a", "a/b")
@example("%41" * 170, "%41" * 169)
def test_no_prefix_of_a_site_begins_another_sites_keys(site: str, other: str) -> None:
    assert site_prefix(other).startswith(site_prefix(site)) == (site == other)


def test_hostile_names_are_told_apart() -> None:
    names = sorted(filter(is_name, HOSTILE_NAMES))
    assert len(names) > 60
    assert len({site_part(name) for name in names}) == len(names)
    assert len({block_key("s", name, "2024-01", SOME) for name in names}) == len(names)
