"""What the janitor's duties ask of the world."""

from dataclasses import dataclass

from edgeseries.ports.clock import Clock
from edgeseries.ports.duties import DutyRecords
from edgeseries.ports.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of one sweep, and the settings that its duties depend on."""

    records: DutyRecords
    clock: Clock
    journal: Journal
