"""Permissions: what the token of a deployment has to be allowed, and what the API's answers say about that.

Pure: answers in, findings out; what is asked, and how, is in `delivery.token_check`. A token seldom may read
its own list of permissions. So each API is asked for a list of its things, too, which changes nothing: that
shows whether the token may read there, and whether the account has what is asked for at all.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

FORBIDDEN: Final = frozenset({401, 403})
"""HTTP statuses of a call that the token has no permission for."""

FORBIDDEN_CODES: Final = frozenset({9109, 10000, 7403})
"""Cloudflare's codes for the same: unauthorized to access, authentication error, not authorized (D1)."""

NOT_FOUND: Final = 404
UNREACHABLE: Final = 0
"""Stands for the HTTP status where there was no answer."""

R2_OFF_CODE: Final = 10042
QUEUES_NEED_A_PLAN_CODE: Final = 100129

ACCOUNT_RESOURCE: Final = "com.cloudflare.api.account."
ZONE_RESOURCE: Final = "com.cloudflare.api.account.zone."


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A permission by its name in the dashboard, and the path of a list that it lets be read."""

    permission: str
    path: str


ACCOUNT_NEEDS: Final = (
    Need(permission="Workers Scripts: Edit", path="/accounts/{account}/workers/workers"),
    Need(permission="Workers R2 Storage: Edit", path="/accounts/{account}/r2/buckets"),
    Need(permission="D1: Edit", path="/accounts/{account}/d1/database"),
    Need(permission="Queues: Edit", path="/accounts/{account}/queues"),
)
ZONE: Final = Need(permission="Zone: Read", path="/zones")
ROUTES: Final = Need(permission="Workers Routes: Edit", path="/zones/{zone}/workers/routes")
"""Of a custom domain alone."""

SUBDOMAIN_PATH: Final = "/accounts/{account}/workers/subdomain"
"""The account's own name on workers.dev, which somebody has to have chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one call came to. `status` is HTTP's, `codes` are Cloudflare's, `result` is what was asked for."""

    status: int
    codes: frozenset[int] = frozenset()
    message: str = ""
    result: Any = None

    @property
    def good(self) -> bool:
        """Whether there is a result."""
        return self.status == 200  # noqa: PLR2004 - the one status of a good answer

    @property
    def forbidden(self) -> bool:
        """Whether the token may not ask this."""
        return not self.good and (self.status in FORBIDDEN or bool(self.codes & FORBIDDEN_CODES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: what, whether it is as it must be, and what there is to say."""

    name: str
    good: bool
    text: str


def token_finding(answer: Answer) -> Finding:
    """What the check of the token itself says."""
    status = answer.result.get("status") if answer.good and isinstance(answer.result, Mapping) else None
    if status == "active":
        until = answer.result.get("expires_on")
        return Finding(name="token", good=True, text=f"active until {until}" if until else "active")
    if status is not None:
        return Finding(name="token", good=False, text=f"it is {status}: make another one, or renew it")
    if answer.status == UNREACHABLE:
        return Finding(name="token", good=False, text=f"Cloudflare cannot be reached: {answer.message}")
    return Finding(
        name="token", good=False, text=f"Cloudflare does not know it ({answer.message}): copy it once more"
    )


def granted(policies: Iterable[Mapping[str, Any]], account_id: str) -> frozenset[str]:
    """Permissions that a token's list has for an account, by their names in the dashboard.

    Which zones it is for is not looked at: that shows when they are asked for.
    """
    given: set[str] = set()
    denied: set[str] = set()
    for policy in policies:
        if not any(_covers(resource, account_id) for resource in policy.get("resources") or ()):
            continue
        names = {_in_the_dashboard(str(one.get("name"))) for one in policy.get("permission_groups") or ()}
        (given if policy.get("effect") == "allow" else denied).update(names)
    edits = given - denied
    return frozenset(edits | {name.replace(": Edit", ": Read") for name in edits})


def finding(need: Need, answer: Answer, grants: frozenset[str] | None) -> Finding:
    """What a call and the token's list (None: it cannot be read) say of one permission."""
    if (special := _of_the_account(need, answer)) is not None:
        return special
    if answer.forbidden:
        return Finding(name=need.permission, good=False, text="the token lacks this permission")
    if not answer.good:
        return Finding(name=need.permission, good=False, text=f"it cannot be asked for: {answer.message}")
    if grants is None:
        told = "" if need.permission.endswith(": Read") else " (that it may edit shows when it does)"
        return Finding(name=need.permission, good=True, text=f"may read{told}")
    if need.permission not in grants:
        return Finding(name=need.permission, good=False, text="the token may read, and not edit")
    return Finding(name=need.permission, good=True, text="granted")


def subdomain_finding(answer: Answer) -> Finding | None:
    """What is wrong with the account's name on workers.dev; None when it has one, or nobody can say."""
    if answer.status != NOT_FOUND:
        return None
    return Finding(
        name="workers.dev",
        good=False,
        text="the account has no name there yet: choose one (dashboard, Workers & Pages, Subdomain)",
    )


def zone_names(hostname: str) -> tuple[str, ...]:
    """Names that the zone of a hostname may have, longest first."""
    labels = hostname.split(".")
    return tuple(".".join(labels[start:]) for start in range(len(labels) - 1))


def advice(findings: Iterable[Finding]) -> str:
    """What to do about findings that are not good; empty when all are."""
    bad = [one for one in findings if not one.good]
    if not bad:
        return ""
    lines = "".join(f"\n  - {one.name}: {one.text}" for one in bad)
    return (
        f"the account is not ready:{lines}\n"
        "A token's permissions are set in the dashboard (My Profile, API Tokens, Edit), for the account that "
        "the setting accountId names. Then run this again: it goes on from here."
    )


def _of_the_account(need: Need, answer: Answer) -> Finding | None:
    """What the account itself lacks, whatever the token may."""
    if R2_OFF_CODE in answer.codes:
        text = "R2 is not switched on: dashboard, R2 Object Storage"
    elif QUEUES_NEED_A_PLAN_CODE in answer.codes:
        text = "Queues need the Workers Paid plan: dashboard, Workers & Pages, Plans"
    else:
        return None
    return Finding(name=need.permission, good=False, text=text)


def _covers(resource: str, account_id: str) -> bool:
    return resource in {f"{ACCOUNT_RESOURCE}{account_id}", f"{ACCOUNT_RESOURCE}*"} or resource.startswith(
        ZONE_RESOURCE
    )


def _in_the_dashboard(name: str) -> str:
    """`D1: Edit` for the API's `D1 Write`; some of its names say Edit themselves."""
    return re.sub(r" (Write|Edit)$", ": Edit", re.sub(r" Read$", ": Read", name))
