"""What becomes of a delivered message, as a value; the entry carries it out."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """It is dealt with: take it out of the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBack:
    """Put it back; deliver it again after `delay_s` seconds."""

    delay_s: int


Disposition = Ack | PutBack

ACK: Final = Ack()
