"""The Streaming, TextStreaming and Timer ports on Workers: a TransformStream that is written while it is
read.
"""

import asyncio
import sys
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import js
from pyodide.ffi import JsException

from edgeseries.answers.pieces import Piece, SamplesText
from edgeseries.errors import EdgeError
from edgeseries.http.messages import BodyStream
from edgeseries.limits import SECOND_MS
from edgeseries.metrics.ports.journal import Journal
from edgeseries.platform.ffi import js_bytes


class PlatformStreaming:
    """Bodies of one event. `wait_until` is the event's: the writing task is handed to it. `text_of` makes
    what JavaScript takes for bytes of samples.
    """

    def __init__(
        self,
        *,
        wait_until: Callable[[Any], object],
        journal: Journal,
        text_of: Callable[[SamplesText], Any],
    ) -> None:
        self._wait_until = wait_until
        self._journal = journal
        self._text_of = text_of

    def stream(self, pieces: AsyncGenerator[bytes]) -> BodyStream:
        """See Streaming."""
        return self._started(pieces)

    def stream_text(self, pieces: AsyncGenerator[Piece]) -> BodyStream:
        """See TextStreaming."""
        return self._started(pieces)

    def _started(self, pieces: AsyncGenerator[Any]) -> BodyStream:
        """A write waits until the piece is taken, so one piece is in memory at a time."""
        channel = js.IdentityTransformStream.new()
        self._wait_until(asyncio.ensure_future(self._write(pieces, channel.writable.getWriter())))
        return BodyStream(channel.readable)

    def _platform_bytes(self, piece: Piece) -> Any:
        return js_bytes(piece) if isinstance(piece, bytes) else self._text_of(piece)

    async def _write(self, pieces: AsyncGenerator[Piece], writer: Any) -> None:
        dealt_with = False
        try:
            # Closed in any case: what the pieces hold is given back also when their reader goes away.
            async with aclosing(pieces):
                async for piece in pieces:
                    written = writer.write(self._platform_bytes(piece))
                    # Not held while a reader takes it. The error of a reader who leaves lies in a cycle with
                    # this frame, which would hold its bytes until the collector of cycles comes.
                    del piece
                    await written
            await writer.close()
            dealt_with = True
        except JsException as error:
            # The reader has gone away: nobody is left to answer.
            self._journal.line("info", "a reader left before the end of a body", cause=str(error))
            dealt_with = True
        except EdgeError as error:
            self._journal.line("error", "a body was broken off", cause=error.detail)
        finally:
            # Also after a fault of ours, which nobody awaits: nobody may wait for the rest for ever.
            if not dealt_with:
                if isinstance(sys.exception(), Exception):
                    self._journal.line("error", "unexpected", trace=traceback.format_exc())
                await writer.abort(js.Error.new("the body cannot be completed"))


class PlatformTimer:
    """Waits with the event loop."""

    async def pause(self, wait_ms: int) -> None:
        """See Timer."""
        await asyncio.sleep(wait_ms / SECOND_MS)
