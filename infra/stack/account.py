"""Account: the client of Cloudflare's API, for what the Pulumi provider has no resource for.

Owns where the token comes from: the environment, as for the provider, or Pulumi's own config of
the provider. It is asked for at the moment of use and is kept nowhere, so no state holds it.
"""

import os
from typing import Final

from cloudflare import Cloudflare

TOKEN_VARIABLE: Final = "CLOUDFLARE_API_TOKEN"  # noqa: S105 - the variable's name
PROVIDER_TOKEN_KEY: Final = "cloudflare:apiToken"  # noqa: S105 - the config key's name
URL_VARIABLE: Final = "CLOUDFLARE_BASE_URL"
"""Read by the SDK itself; tests name a server of their own with it."""

MAX_RETRIES: Final = 8
"""Of one call; the SDK waits longer each time. The API allows 1,200 calls in five minutes (R2 limits)."""

TIMEOUT_S: Final = 60.0
"""Of one call. A D1 statement may run for 30 s (D1 platform limits)."""


class AccountFault(Exception):
    """The account cannot be asked; the text says what to do."""


def connect(provider_token: str | None = None) -> Cloudflare:
    """A client with the token of the environment, else the given one; raises AccountFault without any."""
    token = os.environ.get(TOKEN_VARIABLE) or provider_token
    if not token:
        raise AccountFault(
            f"{TOKEN_VARIABLE} is not set: export {TOKEN_VARIABLE}=<a token that may edit Workers, R2, D1 "
            "and Queues> (docs/deploy.md says how to make one)"
        )
    return Cloudflare(api_token=token, max_retries=MAX_RETRIES, timeout=TIMEOUT_S)
