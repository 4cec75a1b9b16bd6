"""Pages read by JavaScript on workerd: samples, counts and refusals of the same pages read as documents."""

import json
import shutil
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from edgeseries.origins.ace import wire as ace
from edgeseries.origins.ace.rows import Asked
from edgeseries.origins.instants import times_of
from edgeseries.series.timerange import TimeRange, iso_instant
from local.graph import Graph
from local.hosting import Host
from local.plan import plan_host
from local.upstream.answers import Answers, Ask
from local.upstream.knobs import Knobs, Mood
from local.upstream.moods import in_mood
from local.upstream.paths import resolve
from local.upstream.reply import Reply
from local.upstream.truth import Truth
from stack.bundle import bundle, vendored_sdk, vendored_wheels
from tests.loopback import NO_CERTIFICATES
from tests.made_graph import graph_of, worker
from tests.made_up import write_made_up
from tests.unit.test_ace_columns import AS_TEXT, ASKED, MORE, ROWS, SPAN, body_of, row

pytestmark = pytest.mark.runtime

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "local" / "sample"
TIMEOUT_S = 60.0
PAGE_ROWS = 1_000
EVER = TimeRange(start_ms=0, end_ms=4_102_444_800_000)
"""To 2100."""
SEED = 20_261_201
DRAWN_PAGES = 150


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    functions = tmp_path_factory.mktemp("pages") / "functions"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "functions" / "edgeseries", functions / "edgeseries", ignore=ignored)
    (functions / "pages_probe").mkdir()
    shutil.copy(Path(__file__).with_name("pages_worker.py"), functions / "pages_probe" / "entry.py")
    built = bundle("pages_probe", functions, vendored_sdk(), vendored_wheels())
    modules = {module.name: (module.content_type, module.content) for module in built.modules}
    return graph_of(worker("front", modules, public=True))


@pytest.fixture(scope="module")
def client(graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        Host(plan_host(graph), state=tmp_path_factory.mktemp("state")) as host,
        httpx.Client(base_url=host.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES) as client,
    ):
        yield client


def check(client: httpx.Client, body: bytes, asked: Asked = ASKED, point: str | None = None) -> bool:
    """Hold both readers against the page read as a document; whether it was JavaScript that read."""
    told = {
        "points": list(asked.points),
        "along": sorted(asked.along),
        "start_ms": asked.span.start_ms,
        "end_ms": asked.span.end_ms,
        "point": point,
    }
    found, read = {}, False
    for reader in ("document", "python", "javascript"):
        line = json.dumps({**told, "reader": reader}).encode()
        reply = client.post("/", content=line + b"\n" + body)
        assert reply.status_code == 200, reply.text
        found[reader] = reply.json()
        read = found[reader].pop("javascript")
        assert found[reader] == found["document"], (reader, body[:500])
    return read


def test_odd_rows_and_odd_bodies_mean_the_same(client: httpx.Client) -> None:
    pages = [body_of(row(value="on"), odd, row(time="2024-01-01T06:00:00Z")) for odd in ROWS]
    pages += [*(body_of(row(), **more) for more in MORE), *AS_TEXT.values()]
    read = [check(client, body) for body in pages]
    assert 0 < sum(read) < len(read), "some are usual and some are not"
    single = Asked(points=("a",), span=SPAN)
    nameless = json.dumps({"point_samples": [{"time": "2024-01-01T06:00:00Z", "value": "on"}]}).encode()
    assert check(client, nameless, single, "a")
    check(client, nameless)


def replies(truth: Truth, site: str) -> Iterator[bytes]:
    """Pages of a whole site, as the simulator writes them, and a batch of all its points."""
    answers, names = Answers(truth), [point.name for point in truth.points(site)]
    base = {"start_time": "2000-01-01T00:00:00Z", "end_time": "2030-01-01T00:00:00Z"}

    def reply(method: str, path: str, query: dict[str, str], body: bytes = b"") -> bytes:
        match = resolve(method, f"/api{path}")
        return answers.answer(
            Ask(match=match, query=query, body=body, fields_header=None, knobs=Knobs())
        ).body

    cursor: str | None = None
    for _ in range(4):
        query = {**base, "page_size": str(PAGE_ROWS), "raw_data": "true"}
        path = ace.site_page_path(site, EVER, None).partition("?")[0]
        body = reply("GET", path, query if cursor is None else {**query, "cursor": cursor})
        yield body
        cursor = json.loads(body).get("next_cursor")
        if cursor is None:
            break
    yield reply("POST", "/points/get_timeseries", base, ace.batch_body(names[:3], ace.BatchShape.OBJECTS))


@pytest.fixture(scope="module")
def truths(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Truth]:
    made = tmp_path_factory.mktemp("made_up")
    write_made_up(made)
    return Truth(made), Truth(SAMPLE)


def test_what_the_simulator_sends_means_the_same_in_every_mood(
    client: httpx.Client, truths: Sequence[Truth]
) -> None:
    usual = 0
    for truth in truths:
        points = [point for site in truth.sites() for point in truth.points(site)]
        for site in truth.sites():
            names = [point.name for point in truth.points(site)]
            asked = Asked(points=names[::2], span=EVER, along=frozenset(names))
            for place, body in enumerate(replies(truth, site)):
                assert check(client, body, asked), "pages of the usual form are read by JavaScript"
                usual += 1
                document = json.loads(body)
                times = [one["time"] for one in document["point_samples"]]
                if times and place < 2:
                    inner = TimeRange(start_ms=EVER.start_ms, end_ms=middle_ms(times))
                    check(client, body, Asked(points=names, span=inner))
                    moody(client, body, points, Asked(points=names, span=EVER))
    assert usual > len(truths)


def middle_ms(times: Sequence[str]) -> int:
    return sorted(times_of(times))[len(times) // 2]


def moody(client: httpx.Client, body: bytes, points: Sequence[Any], asked: Asked) -> None:
    for mood in Mood:
        changed = in_mood(mood, Reply(status=HTTPStatus.OK, body=body), points).body
        check(client, changed, asked)
        check(client, changed[: len(changed) // 2], asked)


def test_drawn_pages_mean_the_same(client: httpx.Client) -> None:
    """Rows of several points in disorder, most of them usual, at the edges of the range and beyond."""
    draw = Random(SEED)  # noqa: S311 - repeatable, no secret
    words = [
        "on",
        "off",
        "true",
        "active",
        "",
        "null",
        "\u00e9",
        " 5 ",
        str(2**60),
        str(2**70),
        "-0",
        "1e400",
    ]
    for _ in range(DRAWN_PAGES):
        odd = draw.random() < 0.2
        rows = [
            row(
                name=draw.choice(["a", "b", "along", "other"] if odd else ["a", "b"]),
                time=iso_instant(
                    draw.choice([SPAN.start_ms, SPAN.start_ms, SPAN.end_ms])
                    + draw.randrange(-2, 60_000) * (draw.random() < 0.9)
                ),
                value=draw.choice(words) if draw.random() < 0.3 else repr(draw.uniform(-1e6, 1e6)),
            )
            for _ in range(draw.randrange(40))
        ]
        if odd and rows:
            draw.choice(rows).update(draw.choice([one for one in ROWS if isinstance(one, dict)]))
        check(client, body_of(*rows))
