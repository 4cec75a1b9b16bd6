"""What a vendor's adapter is to the rest: a name, options, and a way to make its origin.

The registry (`registry.py`) lists them, one line each. It knows no vendor.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from edgeseries.limits import UPSTREAM_MAX_BODY_BYTES
from edgeseries.origins.calls import SettingNames
from edgeseries.origins.ports.origin import Origin
from edgeseries.origins.ports.page_reader import PageReader
from edgeseries.origins.ports.parquet_reader import ParquetReader
from edgeseries.origins.record import DEFAULT_NAME, OriginRecord
from edgeseries.ports.clock import Clock
from edgeseries.ports.identity import Identity
from edgeseries.ports.web import Web
from edgeseries.storage.bucket import Bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """All that an adapter may need. `memory` is what its `new_memory` made, shared by the isolate's requests;
    `dropped` counts by name what the upstream sends and nobody asked for; `parquet` is None in a Worker that
    reads no Parquet files.
    """

    record: OriginRecord
    credential: str
    web: Web
    clock: Clock
    identity: Identity
    memory: object
    dropped: Counter[str] = field(default_factory=Counter)
    page_reader: PageReader | None = None
    parquet: ParquetReader | None = None
    bucket: Bucket | None = None
    max_body_bytes: int = UPSTREAM_MAX_BODY_BYTES

    @property
    def names(self) -> SettingNames:
        """The settings that errors of this upstream speak of."""
        if self.record.name == DEFAULT_NAME:
            return SettingNames()
        name = self.record.name
        return SettingNames(url=f"the url of {name} in origins", credential=f"{name} in originCredentials")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A vendor's adapter. `new_memory` makes plain data: what one request leaves there another may read."""

    origin: Callable[[Connection], Origin]
    new_memory: Callable[[], object]
