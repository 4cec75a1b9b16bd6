"""How an answer is to look: format, shape and unit of times, from parameters or from `Accept`.

Which samples are in the answer is the query's affair. It knows no HTTP but media types.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edgeseries.answers.result_format import (
    ALSO_ACCEPTED,
    MEDIA_TYPES,
    SHAPES,
    ResultFormat,
    Shape,
    TimeUnit,
    media_type_of,
)
from edgeseries.errors import Fault, InvalidRequest, NotAcceptable
from edgeseries.http.parameters import Parameter, choice_of
from edgeseries.planning.query import TimeseriesQuery

FORMAT: Final = Parameter(
    name="format",
    kind=choice_of(ResultFormat),
    description="The format; left out, `Accept` decides, else JSON.",
)
SHAPE: Final = Parameter(
    name="shape",
    kind=choice_of(Shape),
    description="Of CSV and Arrow (`long`) and columns (`wide`): a row a sample, or an instant.",
)
TIME_UNIT: Final = Parameter(
    name="time_unit",
    kind=choice_of(TimeUnit),
    description="Of columns: epoch milliseconds (`ms`), or seconds.",
)

PRESENTATION: Final = (FORMAT, SHAPE, TIME_UNIT)
"""What a request takes that has samples as its answer."""

ANSWER_VERSION: Final = "answer/v1"
"""Leads the digest of a cached answer: with another format of answers no old one is found."""

ANYTHING: Final = frozenset({"*/*", "application/*"})
"""Media ranges that JSON is in, which is taken where there is a choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """A format, its shape, and the unit of its times where they are numbers. `partitioned`: it is one of a
    set of files, whose folder says the point.
    """

    format: ResultFormat = ResultFormat.JSON
    shape: Shape = Shape.LONG
    time_unit: TimeUnit = TimeUnit.MS
    partitioned: bool = False

    @property
    def media_type(self) -> str:
        """The Content-Type."""
        return MEDIA_TYPES[self.format]

    @property
    def whole(self) -> bool:
        """Whether nothing of it can be written before all samples are there."""
        return self.shape is Shape.WIDE or self.format in (ResultFormat.COLUMNS, ResultFormat.MSGPACK)

    def canonical(self) -> list[str]:
        """What tells it from others in a digest, as JSON values. JSON was there first and adds nothing."""
        if self.format is ResultFormat.JSON:
            return []
        return [self.format, self.shape, self.time_unit, *(["partitioned"] if self.partitioned else [])]

    @property
    def file_suffix(self) -> str:
        """How the name of a file of it ends."""
        json_like = self.format in (ResultFormat.ROWS, ResultFormat.COLUMNS)
        return f"{self.format}.json" if json_like else str(self.format)


JSON: Final = Presentation()


def presentation_of(given: Mapping[str, str], accept: str) -> Presentation:
    """What parameters, by name, and an Accept header ask for. `format` comes before `Accept`.

    Raises InvalidRequest with every fault, NotAcceptable.
    """
    faults: list[Fault] = []
    read: dict[str, str] = {}
    for one in PRESENTATION:
        text = given.get(one.name)
        if text:
            try:
                read[one.name] = one.kind.read(text)
            except ValueError as fault:
                faults.append(Fault(parameter=one.name, detail=str(fault)))
    if FORMAT.name in given and not given[FORMAT.name]:
        faults.append(Fault(parameter=FORMAT.name, detail="is empty; name a format or leave it out"))
    if faults:
        raise InvalidRequest(tuple(faults))
    named = read.get(FORMAT.name)
    chosen = accepted_format(accept) if named is None else ResultFormat(named)
    shapes = SHAPES.get(chosen, (Shape.LONG,))
    shape = Shape(read.get(SHAPE.name, shapes[0]))
    if shape not in shapes:
        detail = f"format={chosen} is {shapes[0]} alone; {' and '.join(SHAPES)} can be {Shape.WIDE}"
        faults.append(Fault(parameter=SHAPE.name, detail=detail))
    if TIME_UNIT.name in read and chosen is not ResultFormat.COLUMNS:
        detail = f"is for format={ResultFormat.COLUMNS} alone; leave it out"
        faults.append(Fault(parameter=TIME_UNIT.name, detail=detail))
    if faults:
        raise InvalidRequest(tuple(faults))
    return Presentation(format=chosen, shape=shape, time_unit=TimeUnit(read.get(TIME_UNIT.name, TimeUnit.MS)))


def answer_digest(query: TimeseriesQuery, presentation: Presentation, stamp: int) -> str:
    """What names an answer in a presentation, under the generations of its points."""
    return query.digest(version=ANSWER_VERSION, context=[stamp, *presentation.canonical()])


def accepted_format(accept: str) -> ResultFormat:
    """The format that an Accept header likes best (RFC 9110, 12.5.1); JSON where it names none or any.

    Raises NotAcceptable.
    """
    if not accept.strip():
        return ResultFormat.JSON
    best, best_weight = None, 0.0
    for item in accept.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weight = _weight_of(parameters)
        chosen = _format_of(name)
        if chosen is not None and weight > best_weight:
            best, best_weight = chosen, weight
    if best is not None:
        return best
    types = ", ".join(dict.fromkeys(media_type_of(one) for one in ResultFormat))
    raise NotAcceptable(
        f"there is no format that Accept names; there are {types}, and format= names one whatever Accept says"
    )


def _format_of(media_range: str) -> ResultFormat | None:
    if media_range in ANYTHING:
        return ResultFormat.JSON
    for one in ResultFormat:
        if media_range == media_type_of(one):
            return one
    return ResultFormat.CSV if media_range == "text/*" else ALSO_ACCEPTED.get(media_range)


def _weight_of(parameters: list[str]) -> float:
    """The `q` of an item; one that is no number counts as not there."""
    for one in parameters:
        name, _, text = one.partition("=")
        if name.strip() == "q":
            plain = text.strip().replace(".", "", 1)
            return float(text) if plain.isascii() and plain.isdigit() else 1.0
    return 1.0
