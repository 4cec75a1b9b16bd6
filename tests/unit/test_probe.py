"""`make probe` over simulators: what it says of each kind of installation, and of what it cannot look at."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from local import probe
from local.own_upstream import MachineClock
from local.upstream.truth import Truth
from local.vendors.serving import running
from tests import made_up
from tests.vendor_rigs import RIGS, TOKEN, Rig


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    folder = Path(tmp_path_factory.mktemp("live"))
    made_up.write_live(folder, MachineClock().now_ms())
    return Truth(folder)


def environment_of(rig: Rig, url: str) -> dict[str, str]:
    record = {"name": "one", "prefix": "one/", "vendor": rig.vendor, "url": url, "options": dict(rig.options)}
    return {"ORIGINS": json.dumps([record]), "ORIGIN_CREDENTIALS": json.dumps({"one": rig.credential})}


def looked_at(truth: Truth, name: str, **knobs: object) -> Mapping[str, str]:
    rig = RIGS[name]
    with running(rig.shape(truth, **{**rig.knobs, **knobs}), token=TOKEN) as url:
        record, credential = probe.record_of("one", environment_of(rig, url))
        return dict(asyncio.run(probe.probe(record, credential)))


@pytest.mark.parametrize("name", RIGS)
def test_every_vendor_is_looked_at(truth: Truth, name: str) -> None:
    report = looked_at(truth, name)
    assert report["answers, and takes the credential"] == "yes"
    assert report["sites"].startswith("1 (one/")
    assert report["real interval"] == "60 s (median)"
    assert report["ranges as callers get them"] == "half-open"
    assert "float" in report["types"]
    assert int(report["calls made"]) > 3
    assert TOKEN not in probe.report_text(list(report.items()))


def test_what_differs_by_installation_is_found_out(truth: Truth) -> None:
    assert looked_at(truth, "Prometheus 2")["start of a range selector"] == "inclusive"
    assert looked_at(truth, "Prometheus 3, by all labels")["start of a range selector"] == "exclusive"
    assert looked_at(truth, "Prometheus 2")["raw samples by"] == "query"
    assert looked_at(truth, "VictoriaMetrics")["raw samples by"] == "export and query"
    hayson, zinc = "Haystack, Hayson and SCRAM", "Haystack, Zinc and SkySpark's points"
    assert looked_at(truth, hayson)["several points in a call"] == "served"
    assert looked_at(truth, hayson)["points outside a range"] == "none"
    assert looked_at(truth, zinc)["several points in a call"] == "not served"


@pytest.mark.parametrize(
    ("environment", "remedy"),
    [
        ({}, "ORIGINS is not set"),
        ({"ORIGINS": "["}, "is no JSON"),
        ({"ORIGINS": "[]"}, "has no 'one'"),
        (
            {"ORIGINS": '[{"name":"one","prefix":"o/","vendor":"ace","url":"http://x.example.com"}]'},
            "use https",
        ),
    ],
)
def test_what_cannot_be_looked_at_is_told(environment: dict[str, str], remedy: str) -> None:
    with pytest.raises(probe.ProbeError, match=remedy):
        probe.record_of("one", environment)
