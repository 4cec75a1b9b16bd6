"""Digests of queries: everything that decides the samples is in all of them, and nothing else makes one."""

import ast
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from edgeseries.answers.presentation import ANSWER_VERSION
from edgeseries.jobs.job import JOB_VERSION, JobRequest, Priority
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.questions.question import Aggregate, Buckets, Fill, Method, Thinning, question_from
from edgeseries.questions.width import width_of
from edgeseries.series.timerange import TimeRange
from router.job_result import RESULT_VERSION

FUNCTIONS = Path(__file__).parents[2] / "functions"
QUERY = TimeseriesQuery(site="hq", points=("a", "b"), span=TimeRange(start_ms=1_000, end_ms=2_000))

BUCKETS = Buckets(width=width_of("1h"), aggregates=(Aggregate.MEAN, Aggregate.TWA), zone="UTC")
BUCKET_CHANGES: list[dict[str, Any]] = [
    {"width": width_of("1d")},
    {"aggregates": (Aggregate.MEAN,)},
    {"aggregates": (Aggregate.TWA, Aggregate.MEAN)},
    {"zone": "Europe/Berlin"},
    {"fill": Fill.NULL},
    {"fill": Fill.PREVIOUS},
    {"max_gap_ms": 3_600_000},
]

OTHERS: dict[str, list[dict[str, Any]]] = {
    "site": [{"site": "annex"}],
    "points": [{"points": ("a",)}, {"points": ("a,b",)}, {"points": ("b", "a")}],
    "span": [
        {"span": TimeRange(start_ms=1_001, end_ms=2_000)},
        {"span": TimeRange(start_ms=1_000, end_ms=2_001)},
    ],
    "previous": [{"previous": True}],
    "question": [
        *({"question": replace(BUCKETS, **change)} for change in ({}, *BUCKET_CHANGES)),
        *({"question": Thinning(max_points=100, method=method)} for method in Method),
        {"question": Thinning(max_points=101)},
    ],
}
"""By field of a query: values that mean other samples. A new field has to be added here."""

FREE = {"forced": Route.DIRECT}
"""Fields that choose how an answer is made, not what is in it."""


def test_every_field_of_a_query_is_judged() -> None:
    assert {one.name for one in fields(TimeseriesQuery)} == set(OTHERS) | set(FREE)


@pytest.mark.parametrize("version", [ANSWER_VERSION, JOB_VERSION, RESULT_VERSION])
def test_queries_of_other_samples_have_other_digests(version: str) -> None:
    queries = [QUERY, *(replace(QUERY, **change) for changes in OTHERS.values() for change in changes)]
    assert len({query.digest(version=version) for query in queries}) == len(queries)


@pytest.mark.parametrize("change", OTHERS["question"])
def test_a_question_comes_back_from_its_canonical_form(change: dict[str, Any]) -> None:
    question = change["question"]
    form = json.loads(json.dumps(question.canonical()))
    assert question_from(form).canonical() == question.canonical()


@pytest.mark.parametrize(
    "form",
    [[], ["buckets"], ["thinning", "x", "minmax"], ["buckets", "5d", [], "UTC", "none", 0], ["other", 1]],
)
def test_what_is_no_question_is_refused(form: list[object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        question_from(form)


def test_a_forced_route_changes_no_digest() -> None:
    forced = replace(QUERY, forced=FREE["forced"])
    assert QUERY.digest(version=ANSWER_VERSION) == forced.digest(version=ANSWER_VERSION)


def test_version_and_context_change_the_digest() -> None:
    digests = [
        QUERY.digest(version=version, context=context)
        for version in (ANSWER_VERSION, JOB_VERSION)
        for context in ([], ["a"], ["b"], ["a", "b"])
    ]
    assert len(set(digests)) == len(digests)


def test_stored_digests_stay_what_they_were() -> None:
    """Answers are kept and jobs are joined by these: another value needs another version."""
    answer = QUERY.digest(version=ANSWER_VERSION)
    assert answer == "14f0d25cf5f100bb15edb3335f96960c8a8a861dce0ad51991d83cb5983fe342"
    assert (
        JobRequest(query=QUERY, owner="k1", priority=Priority.LOW).digest
        == "f9d96f5b943b227e96874692fcb805bb4312fba27cb2473b6af4832e4066724f"
    )


MAY_HASH = {
    "edgeseries/planning/query.py",
    "router/representation.py",  # the entity tag of a body
    "edgeseries/access/keys.py",  # API keys
    "edgeseries/storage/object_keys.py",  # names in object keys
    "edgeseries/warming/asks.py",  # sets of points that are asked together: rows, no answers
    "edgeseries/origins/haystack/scram.py",  # the proof of a password (RFC 5802)
}


def test_no_other_module_makes_digests() -> None:
    hashing = {
        path.relative_to(FUNCTIONS).as_posix()
        for path in FUNCTIONS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.ImportFrom) and node.module == "hashlib")
        or (isinstance(node, ast.Import) and any(name.name == "hashlib" for name in node.names))
    }
    assert hashing == MAY_HASH
