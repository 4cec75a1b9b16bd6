"""State machines as the documents draw them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

Status = TypeVar("Status", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


def diagram(transitions: Mapping[tuple[Status, Event], Status]) -> str:
    """A table of transitions as a Mermaid state diagram."""
    lines = [f"    {before} --> {after}: {event}" for (before, event), after in transitions.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> queued", *lines])
