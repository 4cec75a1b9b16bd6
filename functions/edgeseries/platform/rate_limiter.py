"""The RateLimiter port with the platform's rate-limit binding.

Counts are per Cloudflare location and not exact: they protect, they do not account.
"""

from collections.abc import Mapping
from typing import Any

from pyodide.ffi import JsException

from edgeseries.platform.ffi import js_plain
from edgeseries.rates import Tier


class PlatformRateLimiter:
    """The tiers' bindings, the platform's own objects."""

    def __init__(self, bindings: Mapping[Tier, Any]) -> None:
        self._bindings = bindings

    async def allows(self, caller: str, tier: Tier) -> bool:
        """See the port."""
        try:
            outcome = await self._bindings[tier].limit(js_plain({"key": caller}))
        except JsException:
            return True
        return bool(outcome.success)
