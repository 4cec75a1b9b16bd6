"""The Admission port with the platform's rate-limit binding.

Counts are per Cloudflare location and not exact: they protect, they do not account.
"""

from typing import Any

from pyodide.ffi import JsException

from edgeseries.adapters.ffi import js_object


class PlatformAdmission:
    """One tier's binding, the platform's own object."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    async def admits(self, caller: str) -> bool:
        """See the port."""
        try:
            outcome = await self._binding.limit(js_object({"key": caller}))
        except JsException:
            return True
        return bool(outcome.success)
