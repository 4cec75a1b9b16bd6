"""The simulator's rows as text, and answers that are rendered once."""

import json
from array import array
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.upstream.answers import Answers, Ask
from local.upstream.instants import stamp_us, text_of, texts_of, usual_stamps_us
from local.upstream.interleave import Interleave
from local.upstream.knobs import Knobs
from local.upstream.paths import resolve
from local.upstream.queries import BatchShape, Refused, mask_of
from local.upstream.reply import Reply
from local.upstream.reply_cache import ReplyCache
from local.upstream.truth import Truth
from local.upstream.wire import samples_bytes
from tests.made_up import PLAIN_SITE, write_made_up

if TYPE_CHECKING:
    from local.upstream.mask import Mask

YEARS_US = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
"""From year 1 to year 9999."""

ROWS = st.lists(st.tuples(st.text(max_size=5), YEARS_US, st.text(max_size=5)), max_size=20)


@given(rows=ROWS)
def test_rows_are_the_text_that_json_makes_of_them(rows: list[tuple[str, int, str]]) -> None:
    more = {"next_cursor": None, "has_more": False}
    written = [{"name": name, "value": text, "time": text_of(at_us)} for name, at_us, text in rows]
    expected = json.dumps({"point_samples": written, **more}).encode() + b"\n"
    order = Interleave(
        names=[name for name, _, _ in rows],
        times_us=array("q", [at_us for _, at_us, _ in rows]),
        owners=array("L", range(len(rows))),
        texts=[text for _, _, text in rows],
    )
    assert samples_bytes(order, more) == expected
    whole: Mask | None = mask_of("point_samples{name,value,time},next_cursor,has_more")
    assert json.loads(samples_bytes(order, more, whole)) == json.loads(expected)


@given(at_us=YEARS_US | YEARS_US.map(lambda at_us: at_us // 1_000_000 * 1_000_000))
def test_an_instant_is_written_as_the_calendar_has_it(at_us: int) -> None:
    text = text_of(at_us)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
    assert datetime.fromisoformat(text) == moment
    assert len(text) == {True: 20, False: 24 if not at_us % 1_000 else 27}[not at_us % 1_000_000]


@given(st.lists(YEARS_US.map(lambda at_us: at_us // 1_000_000 * 1_000_000) | YEARS_US, max_size=5))
def test_many_instants_are_written_as_each_alone(instants_us: list[int]) -> None:
    assert texts_of(instants_us) == list(map(text_of, instants_us))
    assert texts_of([at_us // 1_000_000 * 1_000_000 for at_us in instants_us]) == [
        text_of(at_us // 1_000_000 * 1_000_000) for at_us in instants_us
    ]


STAMPS = YEARS_US.map(text_of) | st.sampled_from(
    ["2024-01-01T24:00:00Z", "2024-02-30T00:00:00Z", "2024-01-01", "2024-01-01T00:00:00+01:00", "x", ""]
)


@given(st.lists(STAMPS, max_size=5))
def test_many_stamps_are_read_as_each_alone(stamps: list[str]) -> None:
    found = usual_stamps_us(stamps)
    if found is not None:
        assert found == list(map(stamp_us, stamps))
    usual = [stamp for stamp in stamps if len(stamp) >= len("YYYY-MM-DDTHH:MM:SSZ") and stamp.endswith("Z")]
    if len(usual) == len(stamps) and not {"2024-01-01T24:00:00Z", "2024-02-30T00:00:00Z"} & {*stamps}:
        assert found is not None


def reply_of(size: int) -> Reply:
    return Reply(status=HTTPStatus.OK, body=b"x" * size)


def test_what_is_kept_is_bounded_and_the_least_asked_goes_first() -> None:
    kept, made = ReplyCache(max_bytes=10), list[str]()

    def ask(key: str, size: int = 4) -> Reply:
        def make() -> Reply:
            made.append(key)
            return reply_of(size)

        return kept.reply(key, make)

    for key in ("a", "b", "a", "c", "a", "b"):
        ask(key)
    assert made == ["a", "b", "c", "b"]
    assert len(ask("larger than all", 11).body) == 11
    ask("larger than all", 11)
    assert made[4:] == ["larger than all"] * 2, "it is not kept"


def test_what_is_refused_is_asked_again() -> None:
    kept = ReplyCache()

    def refuse() -> Reply:
        raise Refused(HTTPStatus.NOT_FOUND, "no data")

    with pytest.raises(Refused):
        kept.reply("a", refuse)
    assert kept.reply("a", lambda: reply_of(1)).body == b"x"


def test_only_equal_requests_share_an_answer_and_late_samples_end_it(tmp_path: Path) -> None:
    truth = Truth(write_made_up(tmp_path / "data"))
    answers = Answers(truth)
    day = {"start_time": "2024-02-29T00:00:00Z", "end_time": "2024-03-01T00:00:00Z"}

    def ask(path: str, **query: str) -> Ask:
        return Ask(
            match=resolve("GET", path), query={**day, **query}, body=b"", fields_header=None, knobs=Knobs()
        )

    page = ask(f"/api/sites/{PLAIN_SITE}/timeseries/paginated", raw_data="true", page_size="10")
    first = answers.answer(page)
    assert first.status is HTTPStatus.OK
    assert answers.answer(page) is first
    others = (
        replace(page, query={**page.query, "page_size": "50"}),
        replace(page, fields_header="has_more"),
        replace(page, empty_page=True),
        replace(page, repeat_cursor=True),
        replace(page, knobs=replace(page.knobs, end_inclusive=not page.knobs.end_inclusive)),
        replace(page, knobs=replace(page.knobs, batch_shape=BatchShape.NONE)),
        replace(page, known_until_us=1_709_168_400_000_000),
        ask(f"/api/sites/{PLAIN_SITE}/timeseries"),
    )
    assert len({one.identity for one in (page, *others)}) == 1 + len(others)
    assert answers.answer(replace(page, empty_page=True)).page_was_emptied
    truth.add_late(PLAIN_SITE, "made_up_1", [(1_709_164_800_000_000, "77.25")])
    assert b"77.25" in answers.answer(page).body
