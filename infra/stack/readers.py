"""Readers: from the text of one setting to a checked value, or a Refusal that says what fits.

Owns what texts are acceptable. Must not know which settings exist, nor Pulumi.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from edgeseries.settings.declaration import Amount, Flag, Kind, Setting, Text, Whole, Word
from edgeseries.settings.origins import OriginsFault, origin_records

MINUTES_OF_HOUR: Final = 60
MAX_HOSTNAME_CHARS: Final = 253
"""A name in DNS (RFC 1035, as text without the final dot)."""

MAX_FUNCTION_CHARS: Final = 24
"""A function's name in a list of versions; that it is one of ours is judged with the other settings."""

_VERSION_PATTERN: Final = re.compile(
    rf"[a-z][a-z0-9-]{{0,{MAX_FUNCTION_CHARS - 1}}}=[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}"
)
_ACCOUNT_PATTERN: Final = re.compile(r"[0-9a-f]{32}")
_HOST_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOSTNAME_PATTERN: Final = re.compile(rf"{_HOST_LABEL}(\.{_HOST_LABEL})+")
_CRON_FIELD_PATTERNS: Final = tuple(
    re.compile(rf"{item}(,{item})*")
    for item in (
        r"(\*|\d{1,2}(-\d{1,2})?)(/\d{1,2})?",
        r"(\*|\d{1,2}(-\d{1,2})?)(/\d{1,2})?",
        r"(\*|L|LW|\d{1,2}W?(-\d{1,2})?)(/\d{1,2})?",
        r"(\*|([A-Z]{3}|\d{1,2})(-([A-Z]{3}|\d{1,2}))?)(/\d{1,2})?",
        r"(\*|([A-Z]{3}|\d)(-([A-Z]{3}|\d))?)(/\d{1,2})?L?(#\d)?",
    )
)


class Refusal(ValueError):
    """A value that does not fit; the text completes "<key> is <value>: ..." and says what does."""


def read(kind: Kind, text: str) -> object:
    """The value of a setting's text; raises Refusal. Secrets are not read."""
    match kind:
        case Whole():
            return whole(kind, text)
        case Amount():
            return amount(kind, text)
        case Word():
            return word(kind, text)
        case Flag():
            return truth(text)
        case Text(form=form):
            return FORMS[form](text)
    raise AssertionError("nobody looks at the value of a secret")


def words_of(setting: Setting) -> tuple[str, ...]:
    """The words that a setting takes."""
    assert isinstance(setting.kind, Word), f"{setting.key} is no word"
    return setting.kind.words


def whole(kind: Whole, text: str) -> int:
    """A whole number."""
    try:
        number = int(text) if text.strip() == text and "_" not in text else None
    except ValueError:
        number = None
    if number is None or not kind.low <= number <= kind.high:
        raise Refusal(f"set a whole number from {kind.allowed}")
    return number


def amount(kind: Amount, text: str) -> float:
    """A number; parts are written with a point."""
    number = float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) else None
    if number is None or not kind.low <= number <= kind.high:
        raise Refusal(f"set a number from {kind.allowed}, for instance {min(kind.high, 2.5) / 2:g}")
    return number


def word(kind: Word, text: str) -> str:
    """One word out of a few."""
    if text not in kind.words:
        raise Refusal(f"set one of {', '.join(kind.words)}")
    return text


def truth(text: str) -> bool:
    """A yes or no, as Pulumi writes it."""
    if text not in {"true", "false"}:
        raise Refusal("set true or false")
    return text == "true"


def account(text: str) -> str:
    """A Cloudflare account id."""
    if not _ACCOUNT_PATTERN.fullmatch(text):
        raise Refusal(
            "set the 32 lower-case hex digits of the Cloudflare account "
            "(dashboard, Workers & Pages, on the right; or: wrangler whoami)"
        )
    return text


def versions(text: str) -> Mapping[str, str]:
    """Ids of Worker versions by function."""
    items = text.split(",")
    found = dict(item.split("=") for item in items if _VERSION_PATTERN.fullmatch(item))
    if len(found) != len(items):
        raise Refusal(
            "set <function>=<version id>, separated by commas, each function once; make deploy and "
            "make rollback set it for you"
        )
    return MappingProxyType(found)


def hostname(text: str) -> str:
    """A hostname without scheme, port or path."""
    if len(text) > MAX_HOSTNAME_CHARS or not _HOSTNAME_PATTERN.fullmatch(text):
        raise Refusal("set a hostname alone, in lower case, for instance telemetry.example.com")
    return text


def origin_url(text: str) -> str:
    """The base URL of the upstream, without a final slash.

    A token travels with every call, so plain http is for this machine only.
    """
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise Refusal("set a URL such as https://telemetry.example.com") from error
    if parts.scheme not in {"http", "https"} or not host or any(letter.isspace() for letter in text):
        raise Refusal("set a URL that starts with https:// (or http:// for this machine) and names a host")
    if parts.username is not None or parts.password is not None:
        raise Refusal("take the user and password out of it; the token is a setting of its own")
    if parts.query or parts.fragment:
        raise Refusal("take what follows ? or # out of it; set the base URL only")
    if parts.scheme == "http" and not _is_this_machine(host):
        raise Refusal("use https:// (the upstream token would travel in clear over http)")
    return text.rstrip("/")


def upstream_url(text: str) -> str:
    """The base URL of the stack's own upstream; `none`, read as empty, where it has none."""
    return "" if text == "none" else origin_url(text)


def origin_map(text: str) -> str:
    """Upstreams by prefix, as JSON; `none` is read as empty. Workers read the text itself."""
    if text == "none":
        return ""
    try:
        origin_records(text, settle_lag_ms=0, circuit_pause_ms=0, check_url=_origin_or_archive)
    except OriginsFault as fault:
        raise Refusal("it " + "; it ".join(fault.faults)) from fault
    return text


def _origin_or_archive(text: str) -> str:
    """The URL of a record of `origins`: a base URL, or an archive in the stack's own bucket."""
    if not text.startswith("r2:"):
        return origin_url(text)
    if not re.fullmatch(r"r2:archive(/[A-Za-z0-9._=-]+)*/?", text) or ".." in text:
        raise Refusal("set r2:archive/<folder>, below which the files of the archive lie in the bucket")
    return text


def cron(text: str) -> str:
    """A cron expression as Cloudflare takes it: five fields, UTC."""
    fields = text.split(" ")
    fits = len(fields) == len(_CRON_FIELD_PATTERNS) and all(
        pattern.fullmatch(field.upper()) for pattern, field in zip(_CRON_FIELD_PATTERNS, fields, strict=True)
    )
    if not fits or not runs_in_an_hour(text):
        raise Refusal('set five fields in UTC, minute first, for instance "*/15 * * * *"')
    return text


def runs_in_an_hour(expression: str) -> int:
    """How often a cron expression fires in an hour in which it fires at all; 0 when it never can."""
    minutes: set[int] = set()
    for item in expression.partition(" ")[0].split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            low, high = 0, MINUTES_OF_HOUR - 1
        else:
            low = int(first)
            high = int(last) if last else (MINUTES_OF_HOUR - 1 if step else low)
        if high >= MINUTES_OF_HOUR or (step and not int(step)):
            return 0
        minutes.update(range(low, high + 1, int(step) if step else 1))
    return len(minutes)


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origins(text: str) -> str:
    """Web origins that may read answers: `*`, `none`, or a list with commas. `none` is read as empty."""
    if text in ("*", "none"):
        return text.replace("none", "")
    for origin in text.split(","):
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}":
            raise Refusal(
                "set *, none, or origins separated by commas, each like https://dashboard.example.com "
                "without a path"
            )
        if not parts.netloc or parts.netloc != parts.netloc.lower() or "@" in parts.netloc:
            raise Refusal("each origin is a scheme and a host in lower case, as browsers send it")
    return text


FORMS: Final[Mapping[str, Callable[[str], object]]] = {
    "account": account,
    "cron": cron,
    "hostname": hostname,
    "origin_map": origin_map,
    "origin_url": origin_url,
    "origins": origins,
    "upstream_url": upstream_url,
    "versions": versions,
}
"""Readers of texts, by the name of their form."""
