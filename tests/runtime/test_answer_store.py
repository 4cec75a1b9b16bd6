"""Cached answers on workerd: the suite of the port, and bytes that are checked on every path."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import replace

import brotli
import httpx
import pytest

from edgeseries.blocks.ports.answers import Answers
from edgeseries.storage.limits import CHECKED_AHEAD_BYTES
from edgeseries.storage.object_keys import answer_key, content_digest
from local.hosting import Host
from tests.made_days import (
    NOW_MS,
    made_facts,
    run,
)
from tests.runtime.remote_stores import POLL_S, Remote, RemoteAnswers
from tests.store_conformance import AnswersConformance

pytestmark = pytest.mark.runtime


def wait_until(true: Callable[[], bool]) -> None:
    """Poll, until it is so; the test's own time limit ends it."""
    while not true():
        time.sleep(POLL_S)


class TestAnswers(AnswersConformance):
    @pytest.fixture
    def answers(self, remote: Remote) -> Answers:
        return RemoteAnswers(remote)

    def body_of(self, stream: object, content_encoding: str) -> bytes:
        assert isinstance(stream, bytes)
        return brotli.decompress(stream) if content_encoding == "br" else stream


def test_an_answer_leaves_as_it_lies_in_the_bucket(host: Host, remote: Remote) -> None:
    body = json.dumps({"made up": list(range(50_000))}).encode()
    answers, digest = RemoteAnswers(remote), "f" * 64
    run(answers.store(digest, body, made_facts(body)))
    for _ in range(2):
        found = run(answers.find(digest, accepts_brotli=True))
        assert found is not None
        assert found.content_encoding == "br"
        wire: object = found.stream
        assert wire == host.get_object(answer_key(digest))
    row = host.query("SELECT * FROM cache_metadata WHERE object_key = ?", answer_key(digest))[0]
    assert (row["kind"], row["raw_bytes"]) == ("answer", len(body))


def test_a_copy_in_the_colo_cache_answers(host: Host, remote: Remote) -> None:
    answers, digest = RemoteAnswers(remote), "e" * 64
    run(answers.store(digest, b"{}", made_facts(b"{}", site="made up colo")))
    assert run(answers.find(digest, accepts_brotli=True)) is not None
    host.delete_object(answer_key(digest))
    assert run(answers.find(digest, accepts_brotli=True)) is not None
    run(answers.store(digest, b"[]", made_facts(b"[]", site="made up colo")))
    found = run(answers.find(digest, accepts_brotli=False))
    assert found is not None
    wire: object = found.stream
    assert wire == b"[]", "an answer that is kept anew takes its copy out"


def test_a_copy_of_one_stack_is_none_of_another_in_the_same_zone(host: Host, remote: Remote) -> None:
    answers, digest = RemoteAnswers(remote), "7" * 64
    run(answers.store(digest, b"{}", made_facts(b"{}")))
    assert run(answers.find(digest, accepts_brotli=True)) is not None
    host.delete_object(answer_key(digest))
    assert run(answers.find(digest, accepts_brotli=True)) is not None, "there is a copy"
    other = RemoteAnswers(replace(remote, stack="another"))
    assert run(other.find(digest, accepts_brotli=True)) is None


@pytest.mark.parametrize("accepts_brotli", [True, False])
@pytest.mark.parametrize("where", [0, 17, -1])
def test_a_small_damaged_answer_is_none_before_a_byte_leaves(
    host: Host, remote: Remote, where: int, *, accepts_brotli: bool
) -> None:
    body = json.dumps({"made up": list(range(500))}).encode()
    answers, digest = RemoteAnswers(remote), content_digest(f"{where} {accepts_brotli}".encode())
    run(answers.store(digest, body, made_facts(body)))
    run(remote._ask("spoil_answer", digest=digest, where=where))
    assert run(answers.find(digest, accepts_brotli=accepts_brotli)) is None
    assert remote.faults["answer_damaged"] == 1
    assert host.get_object(answer_key(digest)) is None
    run(answers.store(digest, body, made_facts(body)))
    assert run(answers.find(digest, accepts_brotli=accepts_brotli)) is not None


def test_a_large_damaged_answer_breaks_off_and_is_taken_out(host: Host, remote: Remote) -> None:
    noise = random.Random(7)  # noqa: S311 - bytes that do not pack
    body = json.dumps([noise.random() for _ in range(200_000)]).encode()
    answers, digest = RemoteAnswers(remote), "9" * 64
    run(answers.store(digest, body, made_facts(body)))
    whole = run(answers.find(digest, accepts_brotli=True))
    assert whole is not None
    packed: object = whole.stream
    assert isinstance(packed, bytes)
    assert len(packed) > CHECKED_AHEAD_BYTES
    assert brotli.decompress(packed) == body
    run(answers.store(digest, body, made_facts(body)))
    run(remote._ask("spoil_answer", digest=digest, where=len(packed) // 2))
    with pytest.raises(httpx.RemoteProtocolError):
        run(answers.find(digest, accepts_brotli=True))
    wait_until(lambda: host.get_object(answer_key(digest)) is None)
    assert run(answers.find(digest, accepts_brotli=True)) is None


def test_a_damaged_copy_in_the_colo_cache_gives_way_to_the_bucket(remote: Remote) -> None:
    body = b'{"made up": 1}'
    answers, digest = RemoteAnswers(remote), "8" * 64
    run(answers.store(digest, body, made_facts(body)))
    assert run(answers.find(digest, accepts_brotli=True)) is not None
    run(remote._ask("spoil_copy", digest=digest))
    found = run(answers.find(digest, accepts_brotli=False))
    assert found is not None
    wire: object = found.stream
    assert wire == body


def test_an_object_that_is_no_answer_of_ours_is_none(host: Host, remote: Remote) -> None:
    host.put_object(answer_key("d" * 64), b"made up")
    assert run(RemoteAnswers(remote).find("d" * 64, accepts_brotli=True)) is None


def test_an_answer_lives_to_its_last_millisecond(remote: Remote) -> None:
    digest, life_ms = "c" * 64, 30 * 86_400_000
    run(RemoteAnswers(remote).store(digest, b"{}", made_facts(b"{}")))
    for later_ms, there in ((life_ms - 1, True), (life_ms, False)):
        at = RemoteAnswers(replace(remote, now_ms=NOW_MS + later_ms))
        assert (run(at.find(digest, accepts_brotli=True)) is not None) is there
