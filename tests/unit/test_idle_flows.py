"""The janitor before it has duties."""

from janitor.flow import sweep
from tests.fakes import ListJournal


def test_a_sweep_says_that_it_has_no_duties() -> None:
    journal = ListJournal()
    sweep("*/15 * * * *", 1_700_000_000_000, journal)
    assert [(level, facts["scheduledMs"]) for level, _, facts in journal.lines] == [
        ("info", 1_700_000_000_000)
    ]
