"""Samples come back from their bytes; the kernel merges, cuts and refuses them as the Python code does."""

import struct
from array import array
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseries.blocks.block import same_samples
from edgeseries.errors import Defect
from edgeseries.series.image import image_of, packed, samples_from
from edgeseries.series.samples import Samples, in_order, within
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import FILLER, Kind, Value, ValueColumn
from tests.drawn_samples import values
from tests.host_kernel import EVER_MS, MISUSE, HostKernel, KernelFault, Session

KERNEL = HostKernel()

pieces = st.lists(st.lists(st.tuples(st.integers(0, 40), values), max_size=15), min_size=1, max_size=5)


def of(pairs: list[tuple[int, Value]]) -> Samples:
    return Samples(times_ms=[at_ms for at_ms, _ in pairs], values=[value for _, value in pairs])


@given(st.lists(values, max_size=40))
def test_columns_come_back_from_samples_and_from_bytes(column: list[Value]) -> None:
    samples = Samples(times_ms=range(len(column)), values=column)
    image = image_of(samples)
    back = samples_from(image)
    assert same_samples(back, samples)
    assert list(map(repr, back.values)) == list(map(repr, column))
    assert image_of(back) == image
    # 16 bytes a sample, 13 an exception, and the texts.
    exceptions = sum(type(value) is not float for value in column)
    assert len(image) == 16 + 16 * len(column) + 13 * exceptions + sum(
        4 + len(one) for one in samples.values.table
    )


@settings(max_examples=300)
@given(pieces, st.integers(-5, 45), st.integers(0, 50))
def test_pieces_are_merged_in_order_and_later_ones_win(
    drawn: list[list[tuple[int, Value]]], start_ms: int, duration_ms: int
) -> None:
    session = Session(KERNEL)
    for piece in drawn:
        session.load(image_of(of(piece)))
    together = [pair for piece in drawn for pair in piece]
    expected = in_order(*zip(*together, strict=True)) if together else of([])
    assert session.settle().image() == image_of(expected)
    end_ms = start_ms + duration_ms
    start_ms = max(0, start_ms)
    session.settle(start_ms, max(start_ms, end_ms))
    if start_ms < end_ms:
        span = TimeRange(start_ms=start_ms, end_ms=end_ms)
        assert session.image() == image_of(within(expected, span))
    else:
        assert session.count == 0
    # What was settled is one piece, to which others may be added.
    session.load(image_of(of([(20, "late")]))).settle(*EVER_MS)
    assert samples_from(session.image()).values.count("late") == 1


def test_many_samples_in_any_order_are_put_in_order() -> None:
    random = Random(11)  # noqa: S311 - repeatable, no secret
    pairs: list[tuple[int, Value]] = [
        (random.randrange(5000), random.choice([place / 3, None, f"t{place % 7}"])) for place in range(20_000)
    ]
    expected = in_order(*zip(*pairs, strict=True))
    assert Session(KERNEL).load(image_of(of(pairs))).settle().image() == image_of(expected)


def test_floats_keep_every_bit() -> None:
    bits = [0x7FF0000000000001, 0xFFF8000000000123, 0x8000000000000000, 0x7FF0000000000000, 1]
    image = struct.pack("<4I5q5Q", 5, 0, 0, 0, *range(5), *bits)
    assert Session(KERNEL).load(image).settle().image() == image


def test_an_overlooked_exception_is_no_number() -> None:
    image = Session(KERNEL).load(image_of(of([(0, 1.5), (1, "on"), (2, None)]))).settle().image()
    floats = samples_from(image).values.floats
    assert floats[0] == 1.5
    assert floats[1:] != floats[1:]
    assert struct.pack("<d", floats[1]) == struct.pack("<d", FILLER)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, 40), values), max_size=10),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4),
    st.integers(-3, 3),
)
def test_forged_images_are_taken_as_they_are_or_refused(
    pairs: list[tuple[int, Value]], changes: list[tuple[int, int]], longer: int
) -> None:
    image = bytearray(image_of(of(pairs)))
    for place, byte in changes:
        image[place % len(image)] = byte
    forged = bytes(image[:longer] if longer < 0 else image + bytes(longer))
    try:
        found = Session(KERNEL).load(forged).settle().image()
    except KernelFault as fault:
        if fault.number != MISUSE:
            raise
        return
    assert samples_from(forged) is not None
    assert len(samples_from(found)) <= len(samples_from(forged))


@given(st.binary(max_size=80))
def test_bytes_that_are_no_columns_are_refused(data: bytes) -> None:
    for read in (samples_from, lambda found: Session(KERNEL).load(found).settle()):
        try:
            read(data)
        except (Defect, KernelFault):
            continue
        assert len(data) >= 16


@pytest.mark.parametrize(
    "image",
    [
        b"",
        bytes(15),
        struct.pack("<4I", 1, 0, 0, 0),
        struct.pack("<4I", 2**32 - 1, 2**32 - 1, 2**32 - 1, 2**32 - 1),
        struct.pack("<4I2I3s", 0, 0, 2, 3, 2, 1, b"abc"),
        struct.pack("<4I2I3s", 0, 0, 2, 3, 1, 2, b"abc"),
    ],
)
def test_sizes_that_do_not_add_up_are_refused_by_both(image: bytes) -> None:
    with pytest.raises(Defect):
        samples_from(image)
    with pytest.raises(KernelFault) as fault:
        Session(KERNEL).load(image)
    assert fault.value.number == MISUSE


def one_exception(**changes: object) -> bytes:
    fields: dict[str, object] = {
        "floats": array("d", [0.5, FILLER]),
        "places": array("I", [1]),
        "kinds": bytes((Kind.TEXT,)),
        "payloads": array("q", [0]),
        "table": (b"on",),
    }
    return packed(array("q", [0, 1]), ValueColumn(**{**fields, **changes}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"places": array("I", [2])},
        {"kinds": b"\0"},
        {"kinds": b"\6"},
        {"payloads": array("q", [1])},
        {"payloads": array("q", [-1])},
        {"table": (b"\xff",)},
        {"table": (b"\xc0\x80",)},
        {"table": (b"\xf4\x90\x80\x80",)},
        {"kinds": b"\2", "payloads": array("q", [2])},
        {"kinds": b"\1", "payloads": array("q", [2])},
        {"places": array("I", [1, 1]), "kinds": b"\1\1", "payloads": array("q", [0, 0])},
    ],
)
def test_exceptions_that_lead_nowhere_are_refused(changes: dict[str, object]) -> None:
    assert Session(KERNEL).load(one_exception()).settle().count == 2
    with pytest.raises(KernelFault) as fault:
        Session(KERNEL).load(one_exception(**changes))
    assert fault.value.number == MISUSE
