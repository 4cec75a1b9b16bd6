"""Wiring against the real code: each binding that is taken is given, and nothing is given for nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeseries.access.grants import Auth
from edgeseries.rates import Tier
from stack import wiring
from stack.bundle import DATA, Bundle, bundle, vendored_sdk, vendored_wheels
from stack.settings import ACCESS, SECRET_KEYS, parse

FUNCTIONS_DIR = Path(__file__).resolve().parents[2] / "functions"
CONFIG = {
    "accountId": "0" * 32,
    "upstreamUrl": "https://upstream.example.com",
    **dict.fromkeys(SECRET_KEYS, "[secret]"),
}

WIRED = {plan.function: plan for plan in wiring.wire(parse("dev", CONFIG))}
EACH_BINDING = [(plan.function, binding.name) for plan in WIRED.values() for binding in plan.bindings]


@pytest.fixture(scope="module")
def bundles() -> dict[str, Bundle]:
    vendored, wheels = vendored_sdk(), vendored_wheels()
    return {function: bundle(function, FUNCTIONS_DIR, vendored, wheels) for function in WIRED}


@pytest.mark.parametrize(("function", "name"), EACH_BINDING, ids=[".".join(each) for each in EACH_BINDING])
def test_a_binding_taken_out_of_the_wiring_is_missed_by_name(
    bundles: dict[str, Bundle], function: str, name: str
) -> None:
    uses = wiring.bindings_taken(bundles[function])
    left = [binding for binding in WIRED[function].bindings if binding.name != name]
    wiring.check(function=function, uses=uses, bindings=WIRED[function].bindings)
    with pytest.raises(wiring.MissingBinding) as caught:
        wiring.check(function=function, uses=uses, bindings=left)
    place = next(f"{use.path}:{use.line}" for use in uses if use.name == name)
    assert f"{function} is not given {name} (taken at {place})" in str(caught.value)
    assert wiring.WIRING_FILE in str(caught.value)


@pytest.mark.parametrize("function", WIRED)
def test_no_function_is_given_what_it_does_not_take(bundles: dict[str, Bundle], function: str) -> None:
    names = [binding.name for binding in WIRED[function].bindings]
    assert len(set(names)) == len(names)
    assert set(names) == {use.name for use in wiring.bindings_taken(bundles[function])}


def test_every_queue_is_consumed_once_and_job_queues_fall_into_dead_letters() -> None:
    consumed = {each.queue: each.dead_letter_queue for plan in WIRED.values() for each in plan.consumes}
    assert sum(len(plan.consumes) for plan in WIRED.values()) == len(consumed)
    assert consumed == {**dict.fromkeys(wiring.JOB_QUEUES, wiring.DEAD_LETTERS), wiring.DEAD_LETTERS: None}
    assert tuple(WIRED) == wiring.FUNCTIONS


def test_numbers_travel_in_the_units_of_their_names() -> None:
    settings = parse(
        "dev", {**CONFIG, "settleLagMinutes": "2", "requestDeadlineSeconds": "3", "cacheBudgetGb": "4"}
    )
    texts = {
        binding.name: binding.text
        for plan in wiring.wire(settings)
        for binding in plan.bindings
        if isinstance(binding, wiring.Text)
    }
    assert texts["SETTLE_LAG_MS"] == "120000"
    assert texts["REQUEST_DEADLINE_MS"] == "3000"
    assert texts["CACHE_BUDGET_BYTES"] == "4000000000"


@pytest.mark.parametrize("function", WIRED)
def test_the_manifest_of_each_worker(
    bundles: dict[str, Bundle], function: str, assert_golden: Callable[[str, object], None]
) -> None:
    modules = bundles[function].modules
    vendored = [module for module in modules if module.name.startswith("python_modules/")]
    manifest = {
        "own": {module.name: module.content_type for module in modules if module not in vendored},
        "vendored": [module.name for module in vendored if module.content_type == DATA],
        "vendored_javascript": [module.name for module in vendored if module.content_type != DATA],
        "vendored_count": len(vendored),
    }
    assert json.loads(json.dumps(manifest)) == manifest
    assert_golden(f"manifest.{function}.json", manifest)


def test_what_both_sides_name_is_the_same() -> None:
    assert list(ACCESS) == [str(auth) for auth in Auth]
    tiers = [one.tier for one in WIRED["router"].bindings if isinstance(one, wiring.RateLimit)]
    assert tiers == [str(tier) for tier in Tier]
