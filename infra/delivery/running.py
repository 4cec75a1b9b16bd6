"""Running: which versions of a Worker answer now and which answered before, told by the platform itself.

Owns the choice of the version that a canary runs beside and of the one to go back to. Asked each time rather
than kept: whoever deployed by another way, or rolled back in the dashboard, is taken into account.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from cloudflare import APIStatusError, Cloudflare, NotFoundError

from delivery.programs import DeliveryFault
from stack.rollout import Share

Deployment = tuple[Share, ...]
"""One or two versions with their parts of the traffic."""

MAX_DEPLOYMENTS: Final = 10
"""How many the platform tells of: the latest (Workers API, list deployments)."""


def deployments_of(client: Cloudflare, *, account_id: str, script: str) -> list[Deployment]:
    """The latest deployments of a script, newest first, empty for one that is not there."""
    # The SDK's own method takes this answer, one object, for a page of many, and loses what is in it.
    path = f"/accounts/{account_id}/workers/scripts/{script}/deployments"
    try:
        answered: Any = client.get(path, cast_to=object)
    except NotFoundError:
        return []
    except APIStatusError as error:
        why = "; ".join(str(one.message) for one in error.errors) or str(error)
        raise DeliveryFault(f"Cloudflare does not tell what runs of {script}: {why}") from error
    try:
        found = sorted(answered["result"]["deployments"], key=itemgetter("created_on"), reverse=True)
        return [_deployment(one) for one in found[:MAX_DEPLOYMENTS]]
    except (KeyError, TypeError, ValueError) as error:
        raise DeliveryFault(f"Cloudflare's deployments of {script} have another form: {error!r}") from error


def stable_version(deployments: Sequence[Deployment]) -> str | None:
    """The version that a new one is tried beside: the older of those that run; None when nothing runs."""
    if not deployments:
        return None
    return min(deployments[0], key=lambda share: (-_age(deployments, share), -share.percent)).version_id


def earlier_version(deployments: Sequence[Deployment]) -> str | None:
    """The version to go back to: the canary's stable one, else what ran before; None without any."""
    if not deployments:
        return None
    if len(deployments[0]) > 1:
        return stable_version(deployments)
    (now,) = deployments[0]
    for deployment in deployments[1:]:
        others = [share for share in deployment if share.version_id != now.version_id]
        if others:
            return max(others, key=lambda share: share.percent).version_id
    return None


def _age(deployments: Sequence[Deployment], share: Share) -> int:
    """The place of the oldest deployment that has the version."""
    return max(
        place
        for place, deployment in enumerate(deployments)
        if share.version_id in {one.version_id for one in deployment}
    )


def _deployment(answered: Mapping[str, Any]) -> Deployment:
    return tuple(
        Share(version_id=str(one["version_id"]), percent=round(float(one["percentage"])))
        for one in answered["versions"]
    )
