"""What bytes will take once they are compressed, near enough to choose among shapes, and alike on every host.

A column is written in several shapes and the lightest is kept. Compressing each one to find out is most of
the work of writing a block, and compressors differ in a few bytes from one version to the next. So bytes are
weighed: in one pass, what repeats something counts as a reference back, everything else by how often such a
byte comes (its entropy). All in whole numbers, so that Python and the kernel (`kernel/src/weighing.zig`)
choose alike.
"""

from collections import Counter
from functools import cache
from struct import unpack_from
from typing import Final

MATCH_BYTES: Final = 4
"""A reference back is to so many bytes at least."""

SLOT_BITS: Final = 12
"""Places remembered, by a hash of the bytes there: the newest of each hash."""

HASH_FACTOR: Final = 2_654_435_761
"""Knuth's multiplicative hash: 2**32 over the golden ratio."""

FRACTION_BITS: Final = 8
"""Weights are counted in bits / 2**8."""

REFERENCE_BITS: Final = 6
"""A reference costs so much, and the bits of its distance and of its length."""

NEW_BYTE_BITS: Final = 5
"""What a decoder must be told of each different byte."""

PLAIN_BYTE: Final = 8 << FRACTION_BITS
"""The weight of a byte as it is."""

_NO_WORD: Final = -1
"""Stands where nothing is remembered yet, and is like no four bytes."""

_MANTISSA_BITS: Final = 15


def weight(data: bytes) -> int:
    """What the bytes weigh, in bits / 2**FRACTION_BITS: to be compared, not to be believed."""
    words = _words(data)
    last = len(words)
    words.append(_NO_WORD)
    newest = [last] * (1 << SLOT_BITS)
    single = bytearray()
    at = since = bits = 0
    while at < last:
        word = words[at]
        slot = word * HASH_FACTOR >> 32 - SLOT_BITS & (1 << SLOT_BITS) - 1
        before = newest[slot]
        newest[slot] = at
        if words[before] != word:
            at += 1
            continue
        single += data[since:at]
        length = _repeated(data, before, at)
        bits += REFERENCE_BITS + (at - before).bit_length() + length.bit_length()
        at += length
        since = at
    single += data[since:]
    return (bits << FRACTION_BITS) + _entropy(Counter(single), len(single))


def _words(data: bytes) -> list[int]:
    """The bytes from each place on that a reference goes to at least, as a number."""
    count = max(0, len(data) - MATCH_BYTES + 1)
    words = [0] * count
    for first in range(min(MATCH_BYTES, count)):
        words[first::MATCH_BYTES] = unpack_from(f"<{len(words[first::MATCH_BYTES])}I", data, first)
    return words


def _repeated(data: bytes, before: int, at: int) -> int:
    """How many bytes from `at` on are the same as from `before` on; they may overlap."""
    length, step = MATCH_BYTES, MATCH_BYTES
    while data[before + length : before + length + step] == data[at + length : at + length + step] != b"":
        length = min(length + step, len(data) - at)
        step *= 2
    most = len(data) - at
    while length < most and data[before + length] == data[at + length]:
        length += 1
    return length


def _entropy(counts: Counter[int], total: int) -> int:
    """Bits of so many bytes that come so often each, and of saying which they are."""
    return (
        total * _log2(total)
        - sum(count * _log2(count) for count in counts.values())
        + len(counts) * (NEW_BYTE_BITS << FRACTION_BITS)
    )


@cache
def _log2(number: int) -> int:
    """The logarithm to the base of 2, in 2**-FRACTION_BITS, rounded down; 0 of 0.

    By squaring a mantissa of 16 bits, a bit of the fraction at a time.
    """
    if number <= 1:
        return 0
    whole = number.bit_length() - 1
    mantissa = number << _MANTISSA_BITS >> whole
    found = whole
    for _ in range(FRACTION_BITS):
        mantissa = mantissa * mantissa >> _MANTISSA_BITS
        found <<= 1
        if mantissa >> _MANTISSA_BITS + 1:
            mantissa >>= 1
            found += 1
    return found
