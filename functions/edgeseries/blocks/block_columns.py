"""The BlockCodec in Python: the specification, and what runs where the kernel does not."""

from dataclasses import dataclass

from edgeseries.blocks.block import decode_days
from edgeseries.blocks.codecs import Compressor
from edgeseries.blocks.header import BlockKey
from edgeseries.series.samples import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonBlockCodec:
    """See the port."""

    compressor: Compressor

    def decode(self, data: bytes, key: BlockKey, days: int) -> Samples:
        """See the port."""
        return decode_days(data, key, days, self.compressor)
