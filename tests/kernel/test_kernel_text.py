"""The kernel writes the text that the Python writers make, byte for byte."""

import struct
from math import inf, isfinite, nan
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.text_form import TextForm
from edgeseries.errors import Defect
from edgeseries.series.image import image_of
from edgeseries.series.samples import Samples
from edgeseries.series.values import Value
from tests.drawn_samples import values
from tests.host_kernel import (
    NO_INSTANT,
    NOT_FINITE,
    TOO_LONG,
    HostKernel,
    HostResultEncoder,
    KernelFault,
    Session,
)

KERNEL = HostKernel()
ENCODER = HostResultEncoder(KERNEL)
PYTHON = PythonResultEncoder()
LAST_MS = 253_402_300_799_999

finite = values.filter(lambda value: not isinstance(value, float) or isfinite(value))
instants = st.one_of(
    st.integers(0, LAST_MS),
    st.integers(0, LAST_MS // 1000).map(lambda seconds: seconds * 1000),
    st.sampled_from([0, 999, 1000, 951_782_400_000, 951_868_799_999, 4_102_444_800_000, LAST_MS]),
)
points = st.one_of(st.just("AHU 7"), st.text(st.characters(exclude_categories=()), min_size=1, max_size=12))


def same(form: TextForm, point: str, samples: Samples) -> None:
    prefix = f"{point}, ".encode(errors="replace")
    assert ENCODER.part(form, samples, prefix) == PYTHON.part(form, samples, prefix)


@settings(max_examples=300)
@given(st.lists(st.tuples(instants, finite), max_size=30, unique_by=lambda pair: pair[0]), points)
def test_samples_of_any_kind_are_written_as_python_writes_them(
    pairs: list[tuple[int, Value]], point: str
) -> None:
    pairs.sort(key=lambda pair: pair[0])
    samples = Samples(times_ms=[at_ms for at_ms, _ in pairs], values=[value for _, value in pairs])
    for form in TextForm:
        same(form, point, samples)


def telling_floats() -> list[float]:
    """Every exponent with its first, last and middle fractions, halves, subnormals, decimals, borders."""
    random = Random(17)  # noqa: S311 - repeatable, no secret
    bits = [
        exponent << 52 | fraction for exponent in range(2047) for fraction in (0, 1, 1 << 51, (1 << 52) - 1)
    ]
    bits += [exponent << 52 | random.getrandbits(52) for exponent in range(2047)]
    bits += [1 << place for place in range(52)]
    found = [struct.unpack("<d", struct.pack("<Q", one))[0] for one in bits]
    found += [number / 2 for number in range(-50, 50)]
    found += [random.randint(1, 10**digits) / 10**places for digits in range(1, 18) for places in range(23)]
    found += [random.random() * 10.0**power for power in range(-12, 22) for _ in range(20)]
    for border in (1e-5, 1e-4, 1e15, 1e16, 1e17, 1e21, 1e22, 2.0**53, 2.0**63):
        here = struct.unpack("<Q", struct.pack("<d", border))[0]
        found += [struct.unpack("<d", struct.pack("<Q", here + step))[0] for step in range(-3, 4)]
    return found + [-one for one in found]


def test_floats_of_every_exponent_are_written_as_repr_writes_them() -> None:
    found = telling_floats()
    Random(3).shuffle(found)  # noqa: S311 - repeatable, no secret
    text = Session(KERNEL).load(image_of_floats(found)).settle().text("json").decode()
    written = [pair.partition(",")[2] for pair in text[1:-1].split("],[")]
    assert written == list(map(repr, found))
    assert [float(one) for one in written] == found


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_floats_are_written_as_repr_writes_them(found: list[float]) -> None:
    text = Session(KERNEL).load(image_of_floats(found)).settle().text("json").decode()
    assert [pair.partition(",")[2] for pair in text[1:-1].split("],[")] == list(map(repr, found))


def image_of_floats(found: list[float]) -> bytes:
    count = len(found)
    head = struct.pack("<4I", count, 0, 0, 0)
    return head + struct.pack(f"<{count}q", *range(count)) + struct.pack(f"<{count}d", *found)


@pytest.mark.parametrize("digits", [1, 19, 20, 40, 309, 1000, 4299])
def test_long_integers_keep_all_their_digits(digits: int) -> None:
    numbers: list[Value] = [
        10**digits,
        -(10**digits),
        10**digits - 1,
        2 ** (8 * digits // 3),
        -(2 ** (3 * digits)),
    ]
    for form in TextForm:
        same(form, "p", Samples(times_ms=range(len(numbers)), values=numbers))


def test_an_integer_that_python_would_not_write_either_is_refused() -> None:
    columns = Samples(times_ms=[0], values=[1 << 20_000])
    with pytest.raises(Defect, match="1,786 bytes"):
        ENCODER.part(TextForm.PAIRS, columns)
    assert TOO_LONG == 6


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_what_has_no_form_in_text_is_refused(number: float) -> None:
    for form in ("json", "ndjson", "csv", "values"):
        with pytest.raises(KernelFault) as fault:
            Session(KERNEL).load(image_of_floats([1.0, number])).settle().text(form)
        assert fault.value.number == NOT_FINITE


@pytest.mark.parametrize("instant", [-1, LAST_MS + 1, -(2**63), 2**63 - 1])
def test_an_instant_beyond_the_calendar_has_no_text_but_its_number(instant: int) -> None:
    # 2^63 - 1 itself is beyond any half-open range.
    column = Samples(times_ms=[min(instant, 2**63 - 2)], values=[1.5])
    assert ENCODER.part(TextForm.PAIRS, column) == b"[%d,1.5]" % column.times_ms[0]
    with pytest.raises(KernelFault) as fault:
        Session(KERNEL).load(image_at(column.times_ms[0])).settle().text("csv")
    assert fault.value.number == NO_INSTANT


def image_at(instant: int) -> bytes:
    return struct.pack("<4Iqd", 1, 0, 0, 0, instant, 1.5)


def test_a_part_escapes_for_itself_and_any_cut_makes_the_same_text() -> None:
    column: list[Value] = [*(place / 4 for place in range(50)), "é", None, 2**70, "\ud800", True]
    session = Session(KERNEL).load(image_of_values(column)).settle()
    whole = session.text("json-ascii")
    for cut in (0, 1, 49, 50, 52, 54, 55):
        parts = [session.text("json-ascii", first=0, last=cut), session.text("json-ascii", first=cut)]
        assert b",".join(filter(None, parts)) == whole
    assert session.kernel.call("surrogates", 0, 53) == 0
    assert session.kernel.call("surrogates", 53, 54) == 1
    assert session.text("json", first=50, last=51) == '[50,"é"]'.encode()
    # Texts of many parts take no more memory than one.
    before = session.kernel.memory_bytes
    for _ in range(2000):
        session.text("csv", b"prefix,")
    assert session.kernel.memory_bytes == before


def image_of_values(column: list[Value]) -> bytes:
    return image_of(Samples(times_ms=range(len(column)), values=column))
