"""The router's settings about access, from the texts of their bindings to the values that decisions take."""

from collections.abc import Callable

from edgeseries.access.grants import AccessSettings, Auth, cors_policy_of
from edgeseries.limits import RATE_WINDOW_S
from edgeseries.rates import RatePolicy, Tier
from edgeseries.settings.declaration import Setting
from edgeseries.settings.workers import (
    ACTIVE_JOBS_PER_KEY,
    ADMIN_KEY_HASH,
    AUTH,
    BULK_REQUESTS_PER_MINUTE,
    CORS_ORIGINS,
    REQUESTS_PER_MINUTE,
)

RATES = {Tier.STANDARD: REQUESTS_PER_MINUTE, Tier.BULK: BULK_REQUESTS_PER_MINUTE}
"""The setting of each tier's rate."""


def access_settings(text: Callable[[Setting], str], whole: Callable[[Setting], int]) -> AccessSettings:
    """`text` and `whole` read a setting. Raises ValueError for a word that `auth` does not take."""
    return AccessSettings(
        auth=Auth(text(AUTH)),
        admin_key_hash=text(ADMIN_KEY_HASH),
        rates={
            tier: RatePolicy(name=tier, quota=whole(setting), window_s=RATE_WINDOW_S)
            for tier, setting in RATES.items()
        },
        active_jobs_per_key=whole(ACTIVE_JOBS_PER_KEY),
        cors=cors_policy_of(text(CORS_ORIGINS)),
    )
