"""Ratios: the kernel's continued fractions stop where Python's do, at the borders of 64 bits, too."""

from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseries.blocks.floats import Scaling
from edgeseries.blocks.integers import encode_integers
from edgeseries.blocks.ratios import MAX_NUMBER, MAX_RATIO_PLACES, encode_ratios
from edgeseries.blocks.values import encode_values
from edgeseries.blocks.wire import uvarint
from edgeseries.series.image import image_of
from edgeseries.series.samples import Samples
from tests.host_kernel import HostKernel, Session

KERNEL = HostKernel()

numbers = st.one_of(
    st.integers(-MAX_NUMBER, MAX_NUMBER),
    st.integers(-9, 9),
    st.sampled_from([MAX_NUMBER, -MAX_NUMBER, MAX_NUMBER - 1]),
)
near_ratios = st.tuples(st.integers(-(10**5), 10**5), st.integers(1, 70_000), st.integers(-2, 2))


@settings(max_examples=300)
@given(
    st.integers(0, MAX_RATIO_PLACES),
    st.lists(st.one_of(numbers, near_ratios), min_size=1, max_size=30),
)
def test_ratios_are_written_and_read_as_python_does(
    places: int, drawn: list[int | tuple[int, int, int]]
) -> None:
    found = [one if isinstance(one, int) else round(one[0] / one[1] * 2**places) + one[2] for one in drawn]
    integers = [max(-MAX_NUMBER, min(MAX_NUMBER, one)) for one in found]
    times_ms = range(len(integers))
    samples = Samples(times_ms=times_ms, values=[one / 2**places for one in integers])
    head = bytes((1, Scaling.RATIO)) + uvarint(places) + b"\0"
    written = encode_integers(times_ms)[1] + head + encode_ratios(integers, places)[1]
    image = image_of(samples)
    chosen = encode_integers(times_ms)[1] + encode_values(samples.values)
    assert Session(KERNEL).load(image).settle().segment() == chosen
    assert Session(KERNEL).decode(written, len(integers)).settle().image() == image
