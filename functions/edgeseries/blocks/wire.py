"""Numbers in bytes: varints, byte planes, bitmaps, and a reader that never runs over the end.

Little-endian throughout. It knows no column.
"""

import sys
from array import array
from collections.abc import Sequence
from typing import Final

from edgeseries.errors import BlockDamaged

assert sys.byteorder == "little", "columns are copied from arrays: x86, ARM and WebAssembly are little-endian"

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1

_MAX_VARINT_BYTES: Final = 10
_TYPECODES: Final = ("", "B", "H", "I", "I", "Q", "Q", "Q", "Q")
"""The narrowest unsigned array type that holds so many bytes."""

_FROM_ZIGZAG: Final = tuple((code >> 1) ^ -(code & 1) for code in range(256))
_ZIGZAG_OF_BYTE: Final = bytes(_FROM_ZIGZAG.index(number) for number in (*range(128), *range(-128, 0)))
"""The zigzag code of a signed byte, by its bits."""

_ONES: Final = bytes.maketrans(b"\0\1", b"01")
_DIGITS: Final = bytes.maketrans(b"01", b"\0\1")


def uvarint(number: int) -> bytes:
    """LEB128 of `0 <= number < 2**64`: seven bits a byte, lowest first, the top bit says more follow."""
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def svarint(number: int) -> bytes:
    """A signed 64-bit integer as its zigzag code (0, -1, 1, -2, ... are 0, 1, 2, 3, ...), in LEB128."""
    return uvarint((number << 1) ^ (number >> 63))


def zigzag_planes(numbers: Sequence[int]) -> bytes:
    """A width byte, and the byte planes of the zigzag codes of at least one signed number."""
    low, high = min(numbers), max(numbers)
    if low >= -0x80 and high < 0x80:  # noqa: PLR2004 - a signed byte
        return b"\1" + array("b", numbers).tobytes().translate(_ZIGZAG_OF_BYTE)
    width = byte_width(max(high << 1, ~(low << 1)))
    return bytes((width,)) + planes([(number << 1) ^ (number >> 63) for number in numbers], width)


def byte_width(largest: int) -> int:
    """Bytes that hold an unsigned number, 1 to 8."""
    return max(1, (largest.bit_length() + 7) // 8)


def planes(numbers: Sequence[int], width: int) -> bytes:
    """Unsigned numbers below 256**width, byte-shuffled: all lowest bytes, then all second, and so on."""
    if width == 1:
        # `bytes` of an array would be its memory, eight bytes a number.
        return array("B", numbers).tobytes()
    cells = array(_TYPECODES[width], numbers)
    raw = cells.tobytes()
    return b"".join([raw[place :: cells.itemsize] for place in range(width)])


def bitmap(bits: Sequence[int]) -> bytes:
    """Zeros and ones, eight a byte, lowest bit first."""
    text = bytes(bits)[::-1].translate(_ONES)
    return int(text, 2).to_bytes((len(bits) + 7) // 8, "little")


class Reader:
    """A cursor over bytes. Whatever it cannot give is BlockDamaged, before anything is allocated."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes. Raises BlockDamaged, as everything here does, where they are not there."""
        end = self._at + size
        if end > len(self._data):
            raise BlockDamaged("the block ends too early")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def byte(self) -> int:
        """The next byte as a number."""
        return self.take(1)[0]

    def uvarint(self) -> int:
        """The next unsigned varint, below 2**64. Raises BlockDamaged."""
        number = 0
        for place in range(_MAX_VARINT_BYTES):
            byte = self.byte()
            number |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:  # noqa: PLR2004 - the top bit
                if number >> 64:
                    break
                return number
        raise BlockDamaged("the block holds a number of more than 64 bits")

    def svarint(self) -> int:
        """The next signed varint."""
        code = self.uvarint()
        return (code >> 1) ^ -(code & 1)

    def count(self, most: int) -> int:
        """The next unsigned varint. Raises BlockDamaged when it is over `most`."""
        number = self.uvarint()
        if number > most:
            raise BlockDamaged("the block counts more than it can hold")
        return number

    def planes(self, count: int) -> tuple[int, "array[int]"]:
        """A width byte and that many byte planes: the width, and `count` unsigned numbers.

        An array and never bytes, which another array would take for its own memory. Raises BlockDamaged.
        """
        width = self.byte()
        if not 1 <= width < len(_TYPECODES):
            raise BlockDamaged("the block holds numbers of an impossible width")
        raw = self.take(width * count)
        if width == 1:
            return width, array("B", raw)
        cells = array(_TYPECODES[width])
        shuffled = bytearray(count * cells.itemsize)
        for place in range(width):
            shuffled[place :: cells.itemsize] = raw[place * count : (place + 1) * count]
        cells.frombytes(shuffled)
        return width, cells

    def zigzags(self, count: int) -> list[int]:
        """Byte planes of zigzag codes, as signed numbers."""
        width, codes = self.planes(count)
        if width == 1:
            return list(map(_FROM_ZIGZAG.__getitem__, codes))
        return [(code >> 1) ^ -(code & 1) for code in codes]

    def bits(self, count: int) -> "array[int]":
        """A bitmap as `count` zeros and ones. Raises BlockDamaged for ones beyond them."""
        size = (count + 7) // 8
        number = int.from_bytes(self.take(size), "little")
        if number >> count:
            raise BlockDamaged("the block has bits where no sample is")
        return array("B", f"{number:0{count}b}".encode().translate(_DIGITS)[::-1])

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self._at)

    def end(self) -> None:
        """Raises BlockDamaged for bytes that nobody reads."""
        if self._at != len(self._data):
            raise BlockDamaged("the block has bytes that belong to nothing")
