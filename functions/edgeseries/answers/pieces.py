"""Pieces of an answer or a result: bytes as they are, and samples that become text when they are sent.

Samples are laid down in chunks, so that the text of one is bounded and whoever sends may make it where it
costs least. It knows no host.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import starmap
from typing import Final

from edgeseries.answers.ports.result_encoder import ResultEncoder
from edgeseries.answers.text_form import TextForm
from edgeseries.series.samples import Samples

CHUNK_SAMPLES: Final = 32_768
"""Samples of a chunk: their text is three megabytes at most, long texts aside."""

SMALL_TEXT_SAMPLES: Final = 4_096
"""A text of fewer samples is joined with what stands around it."""

JOINED_BYTES: Final = 262_144
"""Small texts leave together when they come to so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesText:
    """At least one sample of a series, at most CHUNK_SAMPLES, as the text of a form. `prefix` is what each of
    its lines begins with.
    """

    form: TextForm
    samples: Samples
    prefix: bytes = b""


Piece = bytes | SamplesText


def texts_of(form: TextForm, samples: Samples, prefix: bytes = b"") -> Iterator[SamplesText]:
    """Samples in chunks; none of none."""
    if len(samples):
        chunks = parts_of(samples, CHUNK_SAMPLES)
        yield from (SamplesText(form=form, samples=chunk, prefix=prefix) for chunk in chunks)


def joined_texts(form: TextForm, samples: Samples) -> Iterator[Piece]:
    """Samples in chunks with commas between: for forms that have no lines."""
    for place, text in enumerate(texts_of(form, samples)):
        if place:
            yield b","
        yield text


def rendered(pieces: Iterable[Piece], encoder: ResultEncoder) -> bytes:
    """All of them as bytes."""
    return b"".join(
        piece if isinstance(piece, bytes) else encoder.part(piece.form, piece.samples, piece.prefix)
        for piece in pieces
    )


def parts_of(samples: Samples, size: int) -> Iterator[Samples]:
    """Samples in parts of at most `size`; one empty part of none."""
    if len(samples) <= size:
        yield samples
        return
    yield from starmap(
        samples.part,
        ((first, first + size) for first in range(0, len(samples), size)),
    )


def gathered(pieces: Iterable[Piece], encoder: ResultEncoder) -> Iterator[Piece]:
    """The same with what is small joined, so that quiet points do not leave one by one."""
    small: list[bytes] = []
    size_bytes = 0
    for piece in pieces:
        if isinstance(piece, SamplesText):
            if len(piece.samples) > SMALL_TEXT_SAMPLES:
                if small:
                    yield b"".join(small)
                    small, size_bytes = [], 0
                yield piece
                continue
            text = encoder.part(piece.form, piece.samples, piece.prefix)
        else:
            text = piece
        small.append(text)
        size_bytes += len(text)
        if size_bytes >= JOINED_BYTES:
            yield b"".join(small)
            small, size_bytes = [], 0
    if size_bytes:
        yield b"".join(small)
