"""Bodies of samples that become text while they are sent."""

from collections.abc import AsyncGenerator
from typing import Protocol

from edgeseries.answers.pieces import Piece
from edgeseries.http.messages import BodyStream


class TextStreaming(Protocol):
    """Turns pieces into a body that leaves while it is made."""

    def stream_text(self, pieces: AsyncGenerator[Piece]) -> BodyStream:
        """As `Streaming.stream`; the text of samples is the ResultEncoder's, made where it costs least."""
        ...
