"""The consumer before it has work: it logs what came, and claims nothing."""

from consumer.flow import UNKNOWN_MESSAGE_DELAY_S, Delivery, RetryAfter, consume
from tests.fakes import ListJournal


def test_every_message_is_put_back_and_none_acknowledged() -> None:
    journal = ListJournal()
    deliveries = [Delivery(message_id=name, attempts=2) for name in ("m1", "m2")]
    assert consume("jobs-high", deliveries, journal) == (RetryAfter(delay_s=UNKNOWN_MESSAGE_DELAY_S),) * 2
    assert [(level, facts["message"], facts["queue"]) for level, _, facts in journal.lines] == [
        ("warning", "m1", "jobs-high"),
        ("warning", "m2", "jobs-high"),
    ]


def test_an_empty_batch_is_nothing() -> None:
    journal = ListJournal()
    assert consume("jobs-low", [], journal) == ()
    assert journal.lines == []
