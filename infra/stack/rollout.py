"""Rollout: which versions of a Worker answer, and which part of the traffic each gets.

Owns the rule, as a table of cases below. Must not know Pulumi, nor where the ids come from:
`make deploy` and `make rollback` ask the platform what runs (infra/delivery) and set
`stableVersions` and `pinnedVersions`.

| pinned | stable | the deployment |
| --- | --- | --- |
| yes | any | the pinned version, whole: somebody has rolled back |
| no | none, or the new one | the new version, whole |
| no | another | a canary: `canaryPercent` of the traffic to the new version, the rest to the stable one |
"""

from dataclasses import dataclass
from typing import Final

WHOLE_PERCENT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A version and its part of the traffic."""

    version_id: str
    percent: int


def shares(
    *, new_version: str, stable_version: str | None, pinned_version: str | None, canary_percent: int
) -> tuple[Share, ...]:
    """The versions of one deployment, one or two, whose percents add up to 100."""
    if pinned_version is not None:
        return (Share(version_id=pinned_version, percent=WHOLE_PERCENT),)
    if stable_version in {None, new_version} or canary_percent == WHOLE_PERCENT:
        return (Share(version_id=new_version, percent=WHOLE_PERCENT),)
    assert stable_version is not None
    return (
        Share(version_id=stable_version, percent=WHOLE_PERCENT - canary_percent),
        Share(version_id=new_version, percent=canary_percent),
    )
