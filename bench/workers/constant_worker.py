"""The least that a Python Worker can do: answer with a constant. What an event costs before any work of ours.

The source is uploaded as text by `bench/measures/latency.py`; nothing imports it here.
"""
# mypy: disable-error-code="misc"

from typing import Any

import js
from workers import WorkerEntrypoint


class Default(WorkerEntrypoint):
    """A constant, built without the SDK's wrapper."""

    async def fetch(self, _request: Any) -> Any:
        return js.Response.new("constant\n")
