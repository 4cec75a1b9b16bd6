"""The Answers port on the host: the fake. The real one needs R2's streams: `tests/runtime/test_stores.py`."""

import pytest

from edgeseries.blocks.ports.answers import Answers
from tests.fake_stores import FakeAnswers
from tests.fakes import FakeClock
from tests.made_days import (
    NOW_MS,
)
from tests.store_conformance import AnswersConformance


class TestFake(AnswersConformance):
    @pytest.fixture
    def answers(self) -> Answers:
        return FakeAnswers(clock=FakeClock(at_ms=NOW_MS))

    def body_of(self, stream: object, content_encoding: str) -> bytes:
        assert isinstance(stream, bytes)
        assert content_encoding == ""
        return stream
