"""Limits of the platform on the local host: the table that it counts by, and what it tells.

Owns the JSON form of both. The values are `edgeseries/platform_limits.py`'s; counting is done by
`local/host/limits.mjs`, in the Worker.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from edgeseries.platform_limits import ALL, LocalHost

Table = Mapping[str, Mapping[str, Any]]
"""By limit: its value, its unit, and whether a call that passes it is refused."""

COUNTED: Final[Table] = {
    limit.name: {
        "value": limit.value,
        "unit": limit.unit,
        "refused": limit.local_host is LocalHost.REFUSES,
    }
    for limit in ALL
    if limit.local_host is not LocalHost.NOT_COUNTED
}


def with_values(**values: int) -> Table:
    """The table with some limits lower or higher, for tests of the counting. Raises KeyError for no limit."""
    return {**COUNTED, **{name: {**COUNTED[name], "value": value} for name, value in values.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedLimit:
    """An event that passed a limit: which Worker, which event (numbered in its isolate), how far."""

    function: str
    event_id: int
    event: str
    limit: str
    count: int
    allowed: int
    unit: str

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any], *, function: str) -> Self:
        """What `local/host/host.mjs` says."""
        return cls(
            function=function,
            event_id=int(wire["id"]),
            event=str(wire["event"]),
            limit=str(wire["limit"]),
            count=round(wire["count"]),
            allowed=int(wire["allowed"]),
            unit=str(wire["unit"]),
        )

    def __str__(self) -> str:
        return (
            f"{self.function}: {self.event} passed {self.limit}: {self.count} of {self.allowed} {self.unit}"
        )
