"""Names: every one carries the stack, fits the platform, and belongs to one stack alone."""

from itertools import product

import pytest

from stack import wiring
from stack.names import MAX_STACK_CHARS, NameFault, Names, names_of, preview_number, preview_stack

STACKS = ("dev", "prod", "pr-1", "pr-12", "a", "x" * MAX_STACK_CHARS, "jobs", "dead-letters", "jobs-high")


def all_names(names: Names) -> list[str]:
    return [
        *(names.worker(function) for function in wiring.FUNCTIONS),
        *(names.queue(queue) for queue in (*wiring.JOB_QUEUES, wiring.DEAD_LETTERS)),
        names.bucket(wiring.CACHE_BUCKET),
        names.database(wiring.DATABASE),
        names.dataset(wiring.DATASET),
        names.rate_limit_namespace("standard"),
        names.rate_limit_namespace("bulk"),
    ]


def test_names_of_one_stack() -> None:
    names = names_of("pr-12")
    assert names.worker("router") == "edgeseries-pr-12-router"
    assert names.queue("jobs-high") == "edgeseries-pr-12-jobs-high"
    assert names.bucket("cache") == "edgeseries-pr-12-cache"
    assert names.database("db") == "edgeseries-pr-12-db"
    assert names.dataset("analytics") == "edgeseries_pr_12_analytics"


def test_no_two_stacks_share_a_name() -> None:
    taken = [name for stack in STACKS for name in all_names(names_of(stack))]
    assert len(set(taken)) == len(taken)


@pytest.mark.parametrize(
    ("stack", "number"),
    [("pr-1", 1), ("pr-1204", 1204), ("pr-0", None), ("pr-01", None), ("pr-", None), ("dev", None)],
)
def test_a_preview_is_known_by_its_name(stack: str, number: int | None) -> None:
    assert preview_number(stack) == number
    if number is not None:
        assert preview_stack(number) == stack


@pytest.mark.parametrize("number", [0, -1, 10**9])
def test_a_number_that_no_pull_request_has_is_refused(number: int) -> None:
    with pytest.raises(NameFault, match="PR=12"):
        preview_stack(number)


def test_rate_limit_namespaces_are_whole_numbers_that_stay() -> None:
    numbers = [names_of(stack).rate_limit_namespace(tier) for stack, tier in product(STACKS, ("a", "b"))]
    assert all(0 < int(number) < 2**31 and number == str(int(number)) for number in numbers)
    assert names_of("dev").rate_limit_namespace("standard") == "1397261221"


@pytest.mark.parametrize(
    "stack",
    ["", "Dev", "dev_1", "1dev", "-dev", "dev-", "de--v", "dev/x", "dév", "x" * (MAX_STACK_CHARS + 1)],
)
def test_a_stack_name_that_would_break_another_is_refused(stack: str) -> None:
    with pytest.raises(NameFault, match="pulumi stack init"):
        names_of(stack)


@pytest.mark.parametrize("thing", ["", "Jobs", "jobs_high", "x" * 60])
def test_a_thing_that_does_not_fit_is_refused(thing: str) -> None:
    names = names_of("dev")
    for make in (names.worker, names.queue, names.bucket, names.database):
        with pytest.raises(NameFault, match="shorter or plainer"):
            make(thing)


@pytest.mark.parametrize("dataset", ["", "Analytics", "an alytics", "x" * 60])
def test_a_dataset_that_does_not_fit_is_refused(dataset: str) -> None:
    with pytest.raises(NameFault, match="shorter or plainer"):
        names_of("dev").dataset(dataset)
