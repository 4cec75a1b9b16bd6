"""Token check: ask Cloudflare what a token may do in an account, by calls that change nothing.

Owns which calls are made and in which order; what their answers mean is in `delivery.permissions`.
"""

from collections.abc import Iterator
from typing import Any, Final

from cloudflare import APIConnectionError, APIStatusError, Cloudflare

from delivery import permissions
from delivery.permissions import Answer, Finding

MAX_RETRIES: Final = 2
"""Of one question. Somebody waits for the answer, and may ask again."""


def look_at(
    client: Cloudflare, *, account_id: str, hostname: str | None, workers_dev: bool
) -> Iterator[Finding]:
    """What there is to say about the token, each as soon as it is known; no more once the token is no good.

    `hostname` is the custom domain, if there is one; `workers_dev` whether the router answers there.
    """
    asking = client.with_options(max_retries=MAX_RETRIES)
    place = "/user/tokens"
    verified = _ask(asking, f"{place}/verify")
    if not verified.good:
        # A token that belongs to the account, and to nobody in it, is asked about there.
        of_account = _ask(asking, f"/accounts/{account_id}/tokens/verify")
        if of_account.good:
            place, verified = f"/accounts/{account_id}/tokens", of_account
    told = permissions.token_finding(verified)
    yield told
    if not told.good:
        return
    grants = _grants(asking, f"{place}/{verified.result.get('id')}", account_id)
    for need in permissions.ACCOUNT_NEEDS:
        yield permissions.finding(need, _ask(asking, need.path.format(account=account_id)), grants)
    if hostname is not None:
        yield from _of_domain(asking, hostname, grants)
    if workers_dev:
        answer = _ask(asking, permissions.SUBDOMAIN_PATH.format(account=account_id))
        if (missing := permissions.subdomain_finding(answer)) is not None:
            yield missing


def _grants(client: Cloudflare, path: str, account_id: str) -> frozenset[str] | None:
    answer = _ask(client, path)
    policies = answer.result.get("policies") if answer.good and isinstance(answer.result, dict) else None
    return None if policies is None else permissions.granted(policies, account_id)


def _of_domain(client: Cloudflare, hostname: str, grants: frozenset[str] | None) -> Iterator[Finding]:
    """The zone of a custom domain, and its routes."""
    for name in permissions.zone_names(hostname):
        answer = _ask(client, f"{permissions.ZONE.path}?name={name}")
        if not answer.good or answer.result:
            break
    else:
        yield Finding(
            name=permissions.ZONE.permission,
            good=False,
            text=f"the token sees no zone of {hostname}: it lacks the permission, or the zone is not here",
        )
        return
    yield permissions.finding(permissions.ZONE, answer, grants)
    if answer.good:
        path = permissions.ROUTES.path.format(zone=answer.result[0]["id"])
        yield permissions.finding(permissions.ROUTES, _ask(client, path), grants)


def _ask(client: Cloudflare, path: str) -> Answer:
    """The answer to a GET, whatever it is."""
    try:
        told: Any = client.get(path, cast_to=object)
    except APIStatusError as error:
        codes = frozenset(int(one.code) for one in error.errors or () if one.code is not None)
        message = "; ".join(str(one.message) for one in error.errors or ()) or str(error)
        return Answer(status=error.status_code, codes=codes, message=message)
    except APIConnectionError as error:
        return Answer(status=permissions.UNREACHABLE, message=str(error))
    return Answer(status=200, result=told.get("result") if isinstance(told, dict) else None)
