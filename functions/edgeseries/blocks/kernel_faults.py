"""What the kernel's faults mean: the error that the Python coding raises for the same bytes.

Numbers are those of `kernel/src/faults.zig` and, from 64 on, of `platform/kernel.mjs`.
"""

from typing import Final

from edgeseries.errors import BlockDamaged, BlockUnsupported, Defect, EdgeError

NO_ROOM: Final = 1
TOO_LONG: Final = 6
LEFT_TO_PYTHON: Final = 7
OTHER_CODEC: Final = 68

_DAMAGE: Final = {
    16: "the block ends too early",
    17: "the block holds a number of more than 64 bits",
    18: "the block counts more than it can hold",
    19: "the block holds numbers of an impossible width",
    20: "the block has bits where no sample is",
    21: "the block nests too deep",
    22: "the block holds a column of an unknown shape",
    23: "the block points beyond its table",
    24: "the block's runs do not add up",
    25: "the block holds floats of an unknown scaling",
    26: "the block holds decimals of too many places",
    27: "the block corrects samples that it does not hold",
    28: "the block divides by nothing",
    29: "the block holds values of an unknown kind",
    30: "the block holds other kinds of values than it names",
    31: "the block holds a bool that is neither true nor false",
    32: "the block holds a text of no possible length",
    33: "the block holds a text that is not UTF-8",
    34: "the block points beyond its texts",
    35: "the block holds samples outside its days or out of order",
    36: "the block holds samples of days that it does not cover",
    37: "a segment of the block starts or ends on another day than it says",
    38: "the block has bytes that belong to nothing",
    65: "a segment of the block does not fit its checksum",
    66: "the compressed data is no sound brotli stream of its size",
    67: "a segment of the block is not as long as it says",
}

_OURS: Final = {
    NO_ROOM: "the kernel has no room for so many samples at once; cut the request into parts",
    2: "the kernel was called in another order, or with other bytes, than it is made for",
    3: "the kernel wrote more than it had made room for",
    4: "a sample is not a finite number, which no text of samples has a form for",
    5: "a sample lies outside the years 1970 to 9999, which are all that texts of instants have a form for",
    TOO_LONG: "an int of more than 1,786 bytes has no text here",
    LEFT_TO_PYTHON: "the kernel makes no buckets of ints of more than 64 bits",
    64: "the kernel stopped by itself",
}


def error_of(number: int) -> EdgeError:
    """The error to raise for a fault."""
    if number in _DAMAGE:
        return BlockDamaged(_DAMAGE[number])
    if number == OTHER_CODEC:
        return BlockUnsupported("the block is compressed with a codec that the kernel does not know")
    return Defect(_OURS.get(number, f"the kernel's fault {number}, which this code does not know"))
