"""The real stores on workerd over R2, D1 and the colo cache: the suites of the ports, and what only
the platform can show.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest

from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.directory import directory_text
from edgeseries.blocks.ports.blocks import (
    Blocks,
    DaysToStore,
)
from edgeseries.blocks.stamps import Stamps
from edgeseries.blocks.year_block import decode_year_days
from edgeseries.blocks.year_encoding import merged_year
from edgeseries.blocks.year_header import YearKey, read_year_header
from edgeseries.series.days import by_year, day_span, days_of_text
from edgeseries.series.samples import Samples
from edgeseries.storage.object_keys import block_path, content_digest, site_prefix
from local.hosting import Host
from tests.made_days import (
    FEB_29,
    MARCH,
    OTHER,
    POINT,
    expected,
    keep,
    made_facts,
    made_kept,
    read,
    refused,
    run,
    told,
)
from tests.runtime.remote_stores import LEAP_DAY, SITE, WHOLE_MARCH, Remote, RemoteAnswers
from tests.store_conformance import BlocksConformance

pytestmark = pytest.mark.runtime


def agrees(host: Host, site: str) -> dict[str, int]:
    """Every pointer of a site leads to an object that is what its key says; the days by key."""
    rows = host.query(
        "SELECT * FROM cache_metadata WHERE site = ? AND kind = 'block' ORDER BY object_key", site
    )
    for row in rows:
        content = host.get_object(row["object_key"])
        if not row["stored_bytes"]:
            assert content is None
            continue
        assert content is not None
        assert row["object_key"].endswith(content_digest(content))
        header = read_year_header(content, YearKey(site=site, point=row["point"], year=row["month"]))
        assert not days_of_text(row["year_days"]) & ~header.days
        assert row["directory"] in ("", directory_text(row["month"], header.segments))
        assert (header.sample_count, len(content)) == (row["sample_count"], row["stored_bytes"])
    superseded = {row["object_key"] for row in host.query("SELECT object_key FROM superseded_objects")}
    orphans = set(host.list_objects(site_prefix(site))) - {row["object_key"] for row in rows} - superseded
    # A writer that lost its race for a pointer leaves an object, too.
    assert all(block_path(key) for key in orphans)
    return {
        row["object_key"]: days_of_text(row["year_days"]) & ~days_of_text(row["purged_days"]) for row in rows
    }


def key_of(host: Host, site: str, point: str, month: str = "2024") -> str:
    (row,) = host.query(
        "SELECT object_key FROM cache_metadata WHERE site = ? AND point = ? AND month = ?", site, point, month
    )
    return str(row["object_key"])


class TestBlocks(BlocksConformance):
    @pytest.fixture
    def blocks(self, remote: Remote) -> Blocks:
        return remote

    @pytest.fixture(autouse=True)
    def _rows_and_objects_agree(self, host: Host, site: str) -> Iterator[None]:
        yield
        agrees(host, site)


def test_lost_rows_are_made_again_from_the_bucket_alone(host: Host, remote: Remote) -> None:
    ours = "SELECT * FROM cache_metadata WHERE site = 'made up lost' ORDER BY object_key"
    run(keep(remote, "made up lost", [made_kept([FEB_29]), made_kept([FEB_29], OTHER)]))
    before = host.query(ours)
    host.query("DELETE FROM cache_metadata WHERE site = 'made up lost'")
    assert run(remote._ask("compare", before_ms=4_102_444_800_000))["adopted"] >= 2
    assert host.query(ours) == before


def test_a_block_of_another_name_is_refused_and_counted(host: Host, remote: Remote) -> None:
    site = f"{SITE} name"
    run(keep(remote, site, [made_kept([FEB_29]), made_kept([FEB_29], OTHER)]))
    other = host.get_object(key_of(host, site, OTHER))
    assert other is not None
    host.put_object(key_of(host, site, POINT), other)
    fresh = replace(remote, memory="after name")
    run(keep(fresh, site, [made_kept([MARCH[0]])]))
    assert fresh.faults == {"block_of_another_name": 1}
    run(keep(fresh, site, [made_kept([FEB_29])]))
    assert told(run(read(fresh, site, [POINT], LEAP_DAY))[POINT].samples) == expected([FEB_29])
    agrees(host, site)


def test_damaged_bytes_are_refused_and_counted(host: Host, remote: Remote) -> None:
    site = f"{SITE} damage"
    run(keep(remote, site, [made_kept([FEB_29])]))
    key = key_of(host, site, POINT)
    whole = host.get_object(key)
    assert whole is not None
    for place, broken in enumerate((b"", whole[:-1], whole[:100], whole[:-9] + b"x" + whole[-8:])):
        run(keep(remote, site, [made_kept([FEB_29])]))
        host.put_object(key, broken)
        fresh = replace(remote, memory=f"damage {place}", faults={})
        assert run(read(fresh, site, [POINT], LEAP_DAY))[POINT].days == frozenset()
        assert fresh.faults == {"block_damaged": 1}
        assert agrees(host, site) == {}


def test_a_block_is_the_same_bytes_on_either_host(host: Host, remote: Remote) -> None:
    """Written on workerd and read on CPython, and the other way round."""
    site = f"{SITE} either"
    key = YearKey(site=site, point=POINT, year="2024")
    kept = made_kept(MARCH)
    days, codec = by_year(MARCH)["2024"], PythonBlockCodec(compressor=PackageCompression())
    here = merged_year(None, key, 0, days, kept.samples, codec)
    assert here is not None
    run(keep(remote, site, [kept]))
    there_key = key_of(host, site, POINT)
    there = host.get_object(there_key)
    assert there is not None
    assert told(decode_year_days(there, key, days, codec)) == expected(MARCH)
    host.put_object(there_key, here.data)
    assert there == here.data
    fresh = replace(remote, memory="after either")
    assert told(run(read(fresh, site, [POINT], WHOLE_MARCH))[POINT].samples) == expected(MARCH)
    assert fresh.faults == {}


@pytest.mark.parametrize("part", ["database", "bucket"])
def test_a_store_that_hangs_is_unavailable_in_time(remote: Remote, part: str) -> None:
    site = f"{SITE} hang {part}"
    hanging, purged = replace(remote, hang=(part,)), f"{site} purged"
    run(keep(remote, purged, [made_kept([FEB_29])]))
    # Of two sites: a purge that comes first would overtake what is to be stored.
    calls: list[Coroutine[Any, Any, object]] = [
        hanging.store(site, [made_kept([FEB_29])], Stamps()),
        hanging.forget(purged, points=[POINT], span=None, dry_run=False),
        RemoteAnswers(hanging).store("b" * 64, b"{}", made_facts(b"{}")),
    ]
    if part == "database":
        calls += [hanging.look_up(site, [POINT], LEAP_DAY), hanging.begin_refresh(site, [POINT])]
    else:
        run(keep(remote, site, [made_kept(MARCH[:1])]))
        index = run(remote.look_up(site, [POINT], WHOLE_MARCH))
        calls += [replace(hanging, memory="hangs").read(site, [POINT], WHOLE_MARCH, index)]

    async def all_at_once() -> None:
        for error in await asyncio.gather(*map(refused, calls)):
            assert "did not answer within" in error.detail

    run(all_at_once())
    # The same isolate goes on as if nothing had been.
    run(keep(remote, site, [made_kept([FEB_29])]))
    assert told(run(read(remote, site, [POINT], LEAP_DAY))[POINT].samples) == expected([FEB_29])


def test_a_database_without_its_tables_is_unavailable_and_stores_nothing(host: Host, remote: Remote) -> None:
    site = f"{SITE} tables"
    run(keep(remote, site, [made_kept(MARCH[:2])]))
    stamps = run(remote.look_up(site, [POINT], WHOLE_MARCH)).stamps
    host.query("ALTER TABLE cache_metadata RENAME TO hidden")
    try:
        run(refused(remote.look_up(site, [POINT], WHOLE_MARCH)))
        run(refused(remote.store(site, [made_kept([MARCH[2]])], stamps)))
    finally:
        host.query("ALTER TABLE hidden RENAME TO cache_metadata")
    assert list(agrees(host, site).values()) == [by_year(MARCH[:2])["2024"]]
    run(keep(remote, site, [made_kept([MARCH[2]])]))
    assert list(agrees(host, site).values()) == [by_year(MARCH[:3])["2024"]]


def test_a_purge_of_many_points_leaves_nothing(host: Host, remote: Remote) -> None:
    site, old = f"{SITE} pages", day_span(FEB_29 - 100, FEB_29 - 100)
    names = [f"made_up_{n}" for n in range(60)]
    kept = [
        DaysToStore(point=name, days=(FEB_29 - 100, MARCH[0]), samples=Samples(times_ms=(), values=()))
        for name in names
    ]
    run(keep(remote, site, kept))
    assert len(agrees(host, site)) == 120
    rehearsed = run(remote.forget(site, points=names[:55], span=old, dry_run=True))
    assert len(agrees(host, site)) == 120
    assert run(remote.forget(site, points=names[:55], span=old, dry_run=False)) == rehearsed
    assert len(agrees(host, site)) == 65
    assert run(remote.forget(site, points=None, span=None, dry_run=False)).blocks == 65
    assert agrees(host, site) == {}
