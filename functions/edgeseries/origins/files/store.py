"""Where an archive's files are read from: an HTTPS server, or the stack's own bucket."""

from dataclasses import dataclass
from typing import Final, Protocol

from edgeseries.errors import OriginContract, OriginOversize
from edgeseries.origins.calls import UpstreamCalls
from edgeseries.origins.ports.dialect import Turn
from edgeseries.storage.bucket import Bucket

BUCKET_URL: Final = "r2:"
"""What the URL of an archive in the stack's own bucket begins with; the prefix of its keys follows."""


class FileStore(Protocol):
    """Reads whole files by path."""

    async def read(self, path: str, turn: Turn) -> bytes | None:
        """A file, or None for one that is not there. Raises OriginContract for one that is too large."""
        ...


def too_large(path: str, max_bytes: int) -> OriginContract:
    """The error of a file that no shorter range makes smaller."""
    return OriginContract(
        f"the archive's file {path} is larger than {max_bytes} bytes: cut it by year, month or day (layout)"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpStore:
    """Files of an HTTPS server. Its 404 may be a gateway's word: who believes it reads the index, too."""

    calls: UpstreamCalls
    max_bytes: int

    async def read(self, path: str, turn: Turn) -> bytes | None:
        """See the port."""
        try:
            answer = await self.calls.read(
                "GET", f"/{path}", turn.deadline_ms, content_of=_whole, before=turn.before
            )
        except OriginOversize as error:
            raise too_large(path, self.max_bytes) from error
        return None if answer.denied else answer.content()


def _whole(body: bytes) -> bytes:
    return body


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketStore:
    """Objects of the stack's own bucket, below a prefix."""

    bucket: Bucket
    prefix: str
    max_bytes: int

    async def read(self, path: str, turn: Turn) -> bytes | None:
        """See the port. One byte more than may be is asked for, and tells that an object is too large."""
        if turn.before is not None:
            await turn.before()
        found = await self.bucket.part(self.prefix + path, 0, self.max_bytes + 1)
        if found is not None and len(found) > self.max_bytes:
            raise too_large(path, self.max_bytes)
        return found
