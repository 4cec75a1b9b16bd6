"""Blocks written by the Python coding, with the compressor that a test gives."""

from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.codecs import Compressor
from edgeseries.blocks.header import BlockKey
from edgeseries.series.samples import Samples
from tests import month_blocks


def encode_block(key: BlockKey, days: int, samples: Samples, compressor: Compressor) -> bytes:
    """See `month_blocks`."""
    return month_blocks.encode_block(key, days, samples, PythonBlockCodec(compressor=compressor))


def merge_blocks(
    old: bytes | None, key: BlockKey, days: int, samples: Samples, compressor: Compressor
) -> bytes:
    """See `month_blocks`."""
    return month_blocks.merge_blocks(old, key, days, samples, PythonBlockCodec(compressor=compressor))
