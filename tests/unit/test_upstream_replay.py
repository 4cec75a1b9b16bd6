"""Telemetry that happens now: moved by whole days, and known only as far as the clock."""

import gzip
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.upstream.background import running
from local.upstream.catalogue import DataFault
from local.upstream.instants import text_of
from local.upstream.replay import Replay
from local.upstream.truth import Truth
from tests.loopback import NO_CERTIFICATES

DAY_MS = 86_400_000
AT_MS = 1_790_000_000_000
OLD_MS = 1_425_168_000_000


def folder_with(folder: Path, last_ms: int) -> Path:
    (folder / "hq").mkdir()
    stamps = [last_ms - 60_000, last_ms]
    rows = "".join(f"{_iso(at_ms)},{place}\n" for place, at_ms in enumerate(stamps))
    with gzip.open(folder / "hq" / "a.csv.gz", "wt") as handle:
        handle.write("timestamp,value\n" + rows)
    return folder


def _iso(at_ms: int) -> str:
    return text_of(at_ms * 1_000)


@pytest.mark.parametrize(
    "last_ms", [OLD_MS, OLD_MS + AT_MS % DAY_MS, OLD_MS + DAY_MS - 1, AT_MS, AT_MS + DAY_MS]
)
def test_the_newest_sample_lies_less_than_a_day_past_the_moment(tmp_path: Path, last_ms: int) -> None:
    replay = Replay(sites=frozenset({"hq"}), at_ms=AT_MS)
    folder = folder_with(tmp_path, last_ms)
    span = Truth(folder, replay=replay).span_ms("hq", "a")
    assert span is not None
    assert AT_MS <= span[1] < AT_MS + DAY_MS
    assert (span[1] - last_ms) % DAY_MS == 0
    assert span[1] - span[0] == 60_000
    assert Truth(folder).span_ms("hq", "a") == (last_ms - 60_000, last_ms)


def test_a_site_that_is_not_there_cannot_be_replayed(tmp_path: Path) -> None:
    with pytest.raises(DataFault, match="elsewhere"):
        Truth(folder_with(tmp_path, OLD_MS), replay=Replay(sites=frozenset({"elsewhere"}), at_ms=AT_MS))


def test_what_has_not_happened_yet_is_not_known(tmp_path: Path) -> None:
    replay = Replay(sites=frozenset({"hq"}), at_ms=AT_MS)
    truth = Truth(folder_with(tmp_path, OLD_MS), replay=replay)
    newest_ms = truth.rows("hq", "a", 0, 2**50)[-1][0]
    with running(truth) as url, httpx.Client(base_url=url, trust_env=False, verify=NO_CERTIFICATES) as client:

        def known(**knobs: Any) -> list[str]:
            shown = client.post(url.removesuffix("/api") + "/_control", json=knobs).raise_for_status().json()
            assert shown["known_until"] == knobs["known_until"]
            times = {"start_time": _iso(AT_MS - DAY_MS), "end_time": _iso(AT_MS + 2 * DAY_MS)}
            return [
                row["value"]
                for row in client.get("/points/a/timeseries", params=times).json()["point_samples"]
            ]

        assert known(known_until=_iso(newest_ms)) == ["0"]
        assert known(known_until=_iso(newest_ms + 1)) == ["0", "1"]
        assert known(known_until=_iso(newest_ms - DAY_MS)) == []
        # The clock: this moment lies years before or after AT_MS, and the answer follows it.
        assert known(known_until=None) == (["0", "1"] if time.time() * 1_000 > newest_ms else [])
