"""Settings: what each fault says, that all are said at once, and that the docs know every key."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from edgeseries import limits
from edgeseries.jobs import limits as jobs
from edgeseries.jobs.batching import BatchSizes
from edgeseries.planning.routing import RouteSizes
from edgeseries.settings import workers
from edgeseries.settings.declaration import Amount, Setting, Whole
from stack import platform_settings as platform
from stack import readers
from stack.readers import runs_in_an_hour
from stack.settings import SECRET_KEYS, SETTINGS, Settings, SettingsError, default_of, parse

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "0123456789abcdef" * 2
VERSION = "023e105f-2a42-4f8b-a1c1-73f6a2a30c0f"
REQUIRED = {
    "accountId": ACCOUNT,
    "upstreamUrl": "https://upstream.example.com/api/",
    "upstreamToken": "[secret]",
    "adminKeyHash": "[secret]",
}

FAULTS: list[tuple[dict[str, str], str]] = [
    ({"accountId": ""}, "accountId is missing: pulumi config set edgeseries:accountId <32 hex digits>"),
    ({"accountId": "abc"}, "accountId is 'abc': set the 32 lower-case hex digits"),
    ({"upstreamUrl": ""}, "upstreamUrl is missing: pulumi config set edgeseries:upstreamUrl <URL>"),
    ({"upstreamUrl": "ftp://a.example"}, "starts with https://"),
    ({"upstreamUrl": "https://"}, "names a host"),
    ({"upstreamUrl": "https://a.example:port"}, "set a URL such as"),
    ({"upstreamUrl": "https://[::1"}, "set a URL such as"),
    ({"upstreamUrl": "https://a.example/x y"}, "starts with https://"),
    ({"upstreamUrl": "https://user:pw@a.example"}, "the token is a setting of its own"),
    ({"upstreamUrl": "https://a.example?x=1"}, "take what follows ? or # out of it"),
    ({"upstreamUrl": "http://a.example"}, "would travel in clear"),
    ({"queuedMinSamples": "150001"}, "set a whole number from 1 to 150 000"),
    ({"batchSamples": "270001"}, "set a whole number from 1 000 to 270 000"),
    ({"cacheBudgetGb": "0"}, "set a number from 0.000001 to 1 000 000"),
    ({"upstreamToken": ""}, "upstreamToken is missing: pulumi config set --secret edgeseries:upstreamToken"),
    ({"locationHint": "mars"}, "set one of weur, eeur, wnam, enam, apac, oc"),
    ({"protectData": "yes"}, "set true or false"),
    ({"customDomain": "https://a.example"}, "set a hostname alone"),
    ({"customDomain": "a"}, "set a hostname alone"),
    ({"workersDev": "false"}, "nobody could reach the router; set one of the two"),
    ({"settleLagMinutes": "0"}, "set a whole number from 1 to 10 080"),
    ({"settleLagMinutes": "1.5"}, "set a whole number"),
    ({"settleLagMinutes": "1_0"}, "set a whole number"),
    ({"settleLagMinutes": " 10"}, "set a whole number"),
    ({"directMaxSamples": "100000"}, "directMaxSamples must be below queuedMinSamples"),
    ({"answerTtlDays": "9", "blockTtlDays": "8"}, "answerTtlDays must be at most blockTtlDays"),
    ({"bulkRequestsPerMinute": "10"}, "requestsPerMinute must be at most bulkRequestsPerMinute"),
    ({"deadLetterRetentionDays": "2"}, "queueRetentionDays must be at most deadLetterRetentionDays"),
    ({"routerCpuLimitMs": "300001"}, "set a whole number from 10 to 300 000"),
    ({"janitorCpuLimitMs": "30001"}, "lower the limit, or run the janitor hourly"),
    ({"janitorCron": "every hour"}, "set five fields in UTC"),
    ({"janitorCron": "60 * * * *"}, "set five fields in UTC"),
    ({"janitorCron": "*/0 * * * *"}, "set five fields in UTC"),
    ({"logSamplingRate": "2"}, "set a number from 0 to 1"),
    ({"logSamplingRate": "nan"}, "set a number from 0 to 1"),
    ({"logSamplingRate": "all"}, "set a number from 0 to 1"),
    ({"canaryPercent": "0"}, "set a whole number from 1 to 100"),
    ({"stableVersions": "router"}, "set <function>=<version id>"),
    ({"stableVersions": "router=1"}, "set <function>=<version id>"),
    ({"stableVersions": f"router={VERSION},router={VERSION}"}, "each function once"),
    ({"stableVersions": f"router={VERSION}, janitor={VERSION}"}, "separated by commas"),
    ({"pinnedVersions": f"cleaner={VERSION}"}, "names cleaner: the functions are router, consumer, janitor"),
    (
        {"settleLagMinute": "60"},
        "(did you mean settleLagMinutes?): pulumi config rm edgeseries:settleLagMinute",
    ),
    ({"auth": "closed"}, "set one of open, keys"),
    ({"corsOrigins": "https://a.example.com,"}, "set *, none, or origins separated by commas"),
    ({"corsOrigins": "https://a.example.com/"}, "without a path"),
    ({"corsOrigins": "https://A.example.com"}, "in lower case, as browsers send it"),
    ({"zzz": "60"}, "zzz is not a setting: pulumi config rm edgeseries:zzz"),
]


def read(changes: Mapping[str, str], *, stack: str = "dev") -> Settings:
    return parse(stack, {**REQUIRED, **changes}, secret_keys=SECRET_KEYS)


@pytest.mark.parametrize(("changes", "expected"), FAULTS, ids=[str(changes) for changes, _ in FAULTS])
def test_each_fault_says_what_to_do(changes: dict[str, str], expected: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(changes)
    assert len(caught.value.faults) == 1
    assert expected in caught.value.faults[0]
    assert next(iter(changes)) in caught.value.faults[0]


def test_all_faults_come_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        parse("No Stack", {"accountID": ACCOUNT, "settleLagMinutes": "x", "directMaxSamples": "120000"})
    starts = [fault.split(" ")[0] for fault in caught.value.faults]
    assert starts == [
        "stack",
        "accountID",
        "accountId",
        "upstreamUrl",
        "upstreamToken",
        "adminKeyHash",
        "settleLagMinutes",
        *starts[-1:],
    ]
    assert starts[-1] == "directMaxSamples"
    assert all(fault in str(caught.value) for fault in caught.value.faults)


def test_a_token_in_clear_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        parse("dev", {**REQUIRED, "upstreamToken": "hunter2"}, secret_keys={"adminKeyHash"})
    assert "upstreamToken is stored in clear: pulumi config set --secret" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_secret_that_would_be_written_in_clear_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        parse("dev", REQUIRED, secret_keys={*SECRET_KEYS, "accountId"})
    assert "set it again without --secret" in str(caught.value)
    assert ACCOUNT not in str(caught.value)


def test_what_fits_is_read() -> None:
    settings = read(
        {
            "customDomain": "telemetry.example.com",
            "workersDev": "false",
            "janitorCron": "5 */2 * * MON-FRI",
            "janitorCpuLimitMs": "300000",
            "logSamplingRate": "0.25",
            "locationHint": "weur",
        }
    )
    assert settings.text(workers.UPSTREAM_URL) == "https://upstream.example.com/api"
    assert settings.optional_text(platform.CUSTOM_DOMAIN) == "telemetry.example.com"
    assert settings.whole(platform.JANITOR_CPU_LIMIT_MS) == 300_000
    assert settings.number(platform.LOG_SAMPLING_RATE) == 0.25
    assert settings.optional_text(platform.LOCATION_HINT) == "weur"
    assert read({}).optional_text(platform.LOCATION_HINT) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:8788", "http://localhost:8788", "http://[::1]:8788"])
def test_plain_http_is_for_this_machine(url: str) -> None:
    assert read({"upstreamUrl": url}).text(workers.UPSTREAM_URL) == url


def test_only_production_protects_its_data_by_default() -> None:
    assert [read({}, stack=stack).flag(platform.PROTECT_DATA) for stack in ("dev", "pr-1", "prod")] == [
        False,
        False,
        True,
    ]


def test_production_and_previews_ask_for_keys_and_production_cannot_be_opened() -> None:
    assert [read({}, stack=stack).text(workers.AUTH) for stack in ("staging", "pr-1", "prod")] == ["keys"] * 3
    with pytest.raises(SettingsError, match="auth is open in production"):
        read({"auth": "open"}, stack="prod")
    assert read({"auth": "open"}, stack="pr-1").text(workers.AUTH) == "open"


def test_the_origins_of_production_are_none_until_they_are_named() -> None:
    assert [read({}, stack=stack).text(workers.CORS_ORIGINS) for stack in ("dev", "prod")] == ["*", ""]
    named = "https://a.example.com,http://localhost:3000"
    assert read({"corsOrigins": named}, stack="prod").text(workers.CORS_ORIGINS) == named


def test_versions_are_read_by_function() -> None:
    read_back = read({"stableVersions": f"router={VERSION},janitor={VERSION}"})
    assert dict(read_back.versions(platform.STABLE_VERSIONS)) == {"router": VERSION, "janitor": VERSION}
    assert not read_back.versions(platform.PINNED_VERSIONS)


def test_a_preview_has_defaults_of_its_own_and_nothing_protected() -> None:
    dev, preview = read({}), read({}, stack="pr-12")
    differing = {
        setting.key
        for setting in SETTINGS
        if not setting.secret and dev.values[setting.key] != preview.values[setting.key]
    }
    assert differing == {setting.key for setting in SETTINGS if setting.default_in_preview is not None}
    assert not preview.flag(platform.PROTECT_DATA)
    with pytest.raises(SettingsError, match="protectData is true in a preview"):
        read({"protectData": "true"}, stack="pr-12")
    assert read({}, stack="pr-x") == dataclasses.replace(dev, stack="pr-x")


@pytest.mark.parametrize("setting", SETTINGS, ids=[setting.key for setting in SETTINGS])
def test_every_default_fits_its_own_limits(setting: Setting) -> None:
    for stack in ("dev", "prod", "pr-1"):
        text = default_of(setting, stack)
        if text is not None and not setting.secret:
            assert readers.read(setting.kind, text) is not None


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("*/15 * * * *", 4),
        ("0 * * * *", 1),
        ("0,30 * * * *", 2),
        ("10-20/5 * * * *", 3),
        ("50/5 * * * *", 2),
        ("* * * * *", 60),
    ],
)
def test_how_often_a_cron_fires_in_an_hour(expression: str, times: int) -> None:
    assert runs_in_an_hour(expression) == times


def test_a_setting_is_declared_once() -> None:
    assert len({setting.key for setting in SETTINGS}) == len(SETTINGS)
    bindings = [setting.binding for setting in SETTINGS if setting.binding]
    assert len(set(bindings)) == len(bindings)
    for module in (workers, platform):
        for name, one in vars(module).items():
            if isinstance(one, Setting):
                assert name == re.sub(r"[A-Z]", lambda letter: f"_{letter[0]}", one.key).upper()
                assert one in SETTINGS
                assert bool(one.workers) == (module is workers)


NUMBERS = [one for one in SETTINGS if isinstance(one.kind, Whole | Amount) and one.workers]


@pytest.mark.parametrize("setting", NUMBERS, ids=[one.key for one in NUMBERS])
def test_workers_take_what_the_program_allows_and_no_more(setting: Setting) -> None:
    assert isinstance(setting.kind, Whole | Amount)
    for bound in (setting.kind.low, setting.kind.high):
        assert setting.whole(setting.binding_text(bound)) == round(bound * setting.scale)
    for beyond in (setting.kind.low * setting.scale - 1, setting.kind.high * setting.scale + 1):
        with pytest.raises(ValueError, match=f"{setting.binding} is .* setting {setting.key} allows"):
            setting.whole(str(round(beyond)))


def high(setting: Setting) -> int:
    assert isinstance(setting.kind, Whole)
    return setting.kind.high


def low(setting: Setting) -> int:
    assert isinstance(setting.kind, Whole)
    return int(setting.kind.low)


def test_no_setting_allows_what_the_code_cannot_hold() -> None:
    """Relations between what operators may set and the bounds that the Workers stand on."""
    # More missing samples than one answer may fetch would be fetched for nothing, and queued then.
    assert high(workers.DIRECT_MAX_SAMPLES) <= high(workers.QUEUED_MIN_SAMPLES)
    assert high(workers.QUEUED_MIN_SAMPLES) <= limits.FORCED_DIRECT_MAX_SAMPLES <= limits.INLINE_MAX_SAMPLES
    # A batch as expected, and one more piece, fit the buffer.
    assert high(workers.BATCH_SAMPLES) + jobs.PIECE_SAMPLES <= jobs.BUFFER_MAX_SAMPLES
    assert high(platform.QUEUE_RETRY_DELAY_SECONDS) <= jobs.MESSAGE_MAX_DELAY_S
    # The names of a batch's points are read from one row.
    assert high(workers.BATCH_POINTS) * (limits.MAX_NAME_BYTES + len('"",')) <= limits.MAX_ROW_VALUE_BYTES
    # What fits one by one fits together: the core's own checks take both ends of every range.
    for direct in (low(workers.DIRECT_MAX_SAMPLES), high(workers.QUEUED_MIN_SAMPLES) - 1):
        RouteSizes(direct_max_samples=direct, queued_min_samples=high(workers.QUEUED_MIN_SAMPLES))
    for points in (low(workers.BATCH_POINTS), high(workers.BATCH_POINTS)):
        for samples in (low(workers.BATCH_SAMPLES), high(workers.BATCH_SAMPLES)):
            BatchSizes(points=points, samples=samples)


def test_production_does_not_send_work_again_that_is_still_held() -> None:
    lease_s = jobs.BATCH_LEASE_MS // limits.SECOND_MS
    held = {"rescueAfterSeconds": str(lease_s)}
    with pytest.raises(SettingsError, match=f"rescueAfterSeconds is {lease_s}"):
        read(held, stack="prod")
    assert read({"rescueAfterSeconds": str(lease_s + 1)}, stack="prod")
    assert read(held, stack="dev")


def test_the_docs_tell_every_setting_as_it_is_declared() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.*?) ?\| (.+) \|$",
        (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    documented = {key: (default, unit, text) for key, default, unit, _, text in rows}
    assert len(documented) == len(rows)
    assert documented == {
        setting.key: (default_text(setting.key), setting.unit, setting.description) for setting in SETTINGS
    }
    allowed = {key: text for key, _, _, text, _ in rows}
    for setting in SETTINGS:
        assert allowed[setting.key].startswith(setting.kind.allowed), setting.kind.allowed


def default_text(key: str) -> str:
    setting = next(setting for setting in SETTINGS if setting.key == key)
    if setting.required:
        return "required"
    if setting.default is None:
        return "-"
    others = {"prod": setting.default_in_production, "pr-*": setting.default_in_preview}
    told = ", ".join(f"`{stack}`: `{text}`" for stack, text in others.items() if text is not None)
    return f"`{setting.default}`" + (f" ({told})" if told else "")


def test_the_prod_stack_lacks_only_what_its_operator_sets() -> None:
    text = (ROOT / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    stored = dict(re.findall(r"^  edgeseries:(\w+): \"?([^\"\n]+)\"?$", text, re.MULTILINE))
    assert set(stored) == set(re.findall(r"^  edgeseries:(\w+)", text, re.MULTILINE))
    with pytest.raises(SettingsError) as caught:
        parse("prod", stored)
    assert [fault.split(" ")[0] for fault in caught.value.faults] == [
        "accountId",
        "upstreamUrl",
        "upstreamToken",
        "adminKeyHash",
    ]
    assert read(stored, stack="prod").flag(platform.PROTECT_DATA)
