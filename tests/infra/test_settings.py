"""Settings: what each fault says, that all are said at once, and that the docs know every key."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from stack.readers import runs_in_an_hour
from stack.settings import SECRET_KEYS, SETTINGS, Setting, Settings, SettingsError, parse

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
    ({"upstreamKind": "sedona"}, "set one of ace"),
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
        parse("No Stack", {"accountID": ACCOUNT, "settleLagMinutes": "x", "directMaxSamples": "200000"})
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
    assert settings.upstream_url == "https://upstream.example.com/api"
    assert settings.custom_domain == "telemetry.example.com"
    assert settings.janitor_cpu_limit_ms == 300_000
    assert settings.log_sampling_rate == 0.25
    assert settings.location_hint == "weur"
    assert read({}).location_hint is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:8788", "http://localhost:8788", "http://[::1]:8788"])
def test_plain_http_is_for_this_machine(url: str) -> None:
    assert read({"upstreamUrl": url}).upstream_url == url


def test_only_production_protects_its_data_by_default() -> None:
    assert [read({}, stack=stack).protect_data for stack in ("dev", "pr-1", "prod")] == [False, False, True]


def test_production_and_previews_ask_for_keys_and_production_cannot_be_opened() -> None:
    assert [read({}, stack=stack).auth for stack in ("staging", "pr-1", "prod")] == ["keys"] * 3
    with pytest.raises(SettingsError, match="auth is open in production"):
        read({"auth": "open"}, stack="prod")
    assert read({"auth": "open"}, stack="pr-1").auth == "open"


def test_the_origins_of_production_are_none_until_they_are_named() -> None:
    assert [read({}, stack=stack).cors_origins for stack in ("dev", "prod")] == ["*", ""]
    named = "https://a.example.com,http://localhost:3000"
    assert read({"corsOrigins": named}, stack="prod").cors_origins == named


def test_versions_are_read_by_function() -> None:
    read_back = read({"stableVersions": f"router={VERSION},janitor={VERSION}"})
    assert dict(read_back.stable_versions or {}) == {"router": VERSION, "janitor": VERSION}
    assert read_back.pinned_versions is None


def test_a_preview_has_defaults_of_its_own_and_nothing_protected() -> None:
    dev, preview = read({}), read({}, stack="pr-12")
    differing = {
        setting.field
        for setting in SETTINGS
        if not setting.secret and getattr(dev, setting.field) != getattr(preview, setting.field)
    }
    assert differing == {setting.field for setting in SETTINGS if setting.default_in_preview is not None}
    assert not preview.protect_data
    with pytest.raises(SettingsError, match="protectData is true in a preview"):
        read({"protectData": "true"}, stack="pr-12")
    assert read({}, stack="pr-x") == dataclasses.replace(dev, stack="pr-x")


@pytest.mark.parametrize("setting", SETTINGS, ids=[setting.key for setting in SETTINGS])
def test_every_default_fits_its_own_limits(setting: Setting) -> None:
    for stack in ("dev", "prod", "pr-1"):
        text = setting.default_of(stack)
        if text is not None and setting.reader is not None:
            assert setting.reader(text) is not None


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


def test_every_key_has_an_attribute_and_every_attribute_a_key() -> None:
    fields = {setting.field for setting in SETTINGS if not setting.secret}
    assert fields | {"stack"} == {field.name for field in dataclasses.fields(Settings)}


def test_the_docs_tell_default_and_unit_of_every_setting() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.*?) ?\| .+ \|$",
        (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    documented = {key: (default, unit) for key, default, unit, _ in rows}
    assert len(documented) == len(rows)
    assert documented == {setting.key: (default_text(setting.key), setting.unit) for setting in SETTINGS}


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
    assert read(stored, stack="prod").protect_data
