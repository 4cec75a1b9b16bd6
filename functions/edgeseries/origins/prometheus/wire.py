"""The wire format of Prometheus' HTTP API and VictoriaMetrics' export, as pure functions.

Both give floats alone. It sends nothing; `dialect.py` does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from msgspec import Struct, ValidationError
from msgspec.json import Decoder

from edgeseries.errors import OriginContract, OriginGarbled, OriginUnconfirmed
from edgeseries.origins.labels import Labels, Selection, escaped
from edgeseries.series.json_text import TooDeep, check_depth, parsed_rows
from edgeseries.series.samples import plain_number
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value

MESSAGE_MAX_CHARS: Final = 500
_MS: Final = 1_000
_SIGNED_ZERO: Final = b'"-0"'
_SPECIAL: Final = {ord(sign): f"\\{sign}" for sign in "\\.+*?()|[]{}^$"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesColumns:
    """Samples of one series: instants in UTC epoch ms, and values."""

    labels: Labels
    times_ms: Sequence[int]
    values: Sequence[Value]


class _Matrix(Struct, gc=False):
    metric: dict[str, str]
    values: list[tuple[float, float]] = []


class _Exported(Struct, gc=False):
    metric: dict[str, str]
    timestamps: list[int]
    values: list[float | str | None]


class _Data(Struct, rename="camel"):
    result_type: str
    result: list[_Matrix]


class _Answer(Struct, rename="camel"):
    status: str
    data: _Data
    warnings: list[str] | None = None
    is_partial: bool = False


# Not strict: a text that is a number is read as one.
_NUMBERS: Final = Decoder(_Answer, strict=False)
_EXPORT: Final = Decoder(_Exported)


def selector(common: Labels, match: str = "") -> str:
    """A series selector in braces: every label as it is, and further matchers."""
    matchers = [f'{label}="{escaped(value)}"' for label, value in common.items()]
    return "{" + ",".join([*matchers, *([match] if match else [])]) + "}"


def selector_of(selection: Selection, match: str = "") -> str:
    """A series selector for series that differ in one label."""
    if len(selection.values) == 1:
        return selector({**selection.common, selection.label: selection.values[0]}, match)
    alternatives = "|".join(value.translate(_SPECIAL) for value in selection.values)
    return selector(
        selection.common, f'{selection.label}=~"{escaped(alternatives)}"' + (f",{match}" if match else "")
    )


def range_query(chosen: str, span: TimeRange) -> bytes:
    """The form of an instant query for all raw samples of [start, end): a range selector that ends at its
    last millisecond. Whether the other end is in it differs by version; a sample too many is cut.
    """
    form = {"query": f"{chosen}[{span.duration_ms}ms]", "time": _seconds(span.end_ms - 1)}
    return urlencode({**form, "partial_response": "false"}).encode()


def export_query(chosen: Sequence[str], span: TimeRange) -> bytes:
    """The form of an export of [start, end]."""
    return urlencode(
        [
            *(("match[]", one) for one in chosen),
            ("start", _seconds(span.start_ms)),
            ("end", _seconds(span.end_ms)),
            ("deny_partial_response", "1"),
        ]
    ).encode()


def listing_query(chosen: str, *, until_ms: int) -> str:
    """The query of a list, of all time: servers differ in what they take for granted. Not from 0, which
    VictoriaMetrics takes for no start at all.
    """
    pairs = {"start": _seconds(1), "end": _seconds(until_ms)}
    return urlencode({**pairs, **({"match[]": chosen} if chosen else {})})


def series_in(body: bytes) -> Sequence[SeriesColumns]:
    """Raw samples of an answer to a range selector. Raises OriginGarbled, OriginContract, and
    OriginUnconfirmed for one that says that it is not whole.
    """
    fast = _numbers(body)
    if fast is not None:
        return fast
    found = _data(body)
    if not isinstance(found, dict) or found.get("resultType") != "matrix":
        raise OriginContract("the upstream answered a range selector with no matrix")
    return [_columns(one) for one in _listed(found.get("result"), "result")]


def exported(body: bytes) -> Sequence[SeriesColumns]:
    """Raw samples of an export: a JSON object a line; a series may have several. Raises OriginGarbled,
    OriginContract.
    """
    try:
        check_depth(body)
        lines = _EXPORT.decode_lines(body)
    except TooDeep as fault:
        raise _too_deep() from fault
    except ValidationError as fault:
        raise OriginContract("the upstream exported lines of another form") from fault
    except ValueError as fault:
        raise _garbled() from fault
    found = []
    for line in lines:
        if len(line.timestamps) != len(line.values):
            raise OriginContract("the upstream exported a series with more values than instants, or fewer")
        values = [one if type(one) is float else _special(one) for one in line.values]
        found.append(SeriesColumns(labels=line.metric, times_ms=line.timestamps, values=values))
    return found


def label_sets(body: bytes) -> Sequence[Labels]:
    """Series of a list. Raises OriginGarbled, OriginContract, OriginUnconfirmed."""
    found = _listed(_data(body), "data")
    if not all(_is_label_set(one) for one in found):
        raise OriginContract("the upstream listed series that are no label sets")
    return found


def label_values(body: bytes) -> Sequence[str]:
    """Values of a label. Raises OriginGarbled, OriginContract, OriginUnconfirmed."""
    found = _listed(_data(body), "data")
    if not all(isinstance(one, str) for one in found):
        raise OriginContract("the upstream listed values of a label that are no texts")
    return found


def answered(body: bytes) -> bool:
    """Whether a body is an answer of the API at all. Raises as the others do."""
    _data(body)
    return True


def message_of(body: bytes) -> str | None:
    """What the API says of an error; None if the body is not its own."""
    try:
        document = _document(body)
    except (OriginGarbled, OriginContract):
        return None
    error = document.get("error") if isinstance(document, dict) else None
    return error[:MESSAGE_MAX_CHARS] if isinstance(error, str) else None


def says_too_much(message: str | None) -> bool:
    """Whether an error is about the size of what was asked: a shorter range, or fewer series, may do."""
    words = ("too many samples", "maxSamplesPer", "maxUniqueTimeseries", "exceed", "max samples", "too large")
    return message is not None and any(word in message for word in words)


def _numbers(body: bytes) -> Sequence[SeriesColumns] | None:
    """The same of an answer that is just as the API writes it, with plain numbers alone; None for any other.
    A zero with its sign is left to the slower way: the parser would take it for an integer.
    """
    if _SIGNED_ZERO in body:
        return None
    try:
        check_depth(body)
        answer = _NUMBERS.decode(body)
    except ValueError:
        return None
    if (
        answer.status != "success"
        or answer.warnings
        or answer.is_partial
        or answer.data.result_type != "matrix"
    ):
        return None
    return [
        SeriesColumns(
            labels=one.metric,
            times_ms=[round(time * _MS) for time, _ in one.values],
            values=[value for _, value in one.values],
        )
        for one in answer.data.result
    ]


def _columns(item: object) -> SeriesColumns:
    if not isinstance(item, dict) or not _is_label_set(item.get("metric")):
        raise OriginContract("the upstream answered with a series that has no labels")
    rows = item.get("values")
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 2 for row in rows):  # noqa: PLR2004 - time and value
        raise OriginContract("the upstream answered with a series without pairs of time and value")
    try:
        times_ms = [round(time * _MS) for time, _ in rows]
        values = [_number(text) for _, text in rows]
    except (TypeError, ValueError, OverflowError) as fault:
        raise OriginContract("the upstream answered with a sample that is no number") from fault
    return SeriesColumns(labels=item["metric"], times_ms=times_ms, values=values)


def _number(text: object) -> Value:
    if not isinstance(text, str):
        raise TypeError(text)
    return plain_number(float(text))


def _special(value: float | str | None) -> Value:
    """A value of an export that is no plain number: null is NaN, a text an infinity."""
    if value is None or isinstance(value, str):
        return None
    return plain_number(float(value))


def _data(body: bytes) -> Any:
    document = _document(body)
    if not isinstance(document, Mapping) or document.get("status") != "success":
        raise OriginContract("the upstream answered 200 without the status of success")
    warnings = document.get("warnings") or []
    if document.get("isPartial") is True or (warnings and "partial" in str(warnings).lower()):
        raise OriginUnconfirmed(
            "the upstream says that its answer lacks what some of its stores hold; try again"
        )
    return document.get("data")


def _document(body: bytes) -> Any:
    try:
        return parsed_rows(body)
    except TooDeep as fault:
        raise _too_deep() from fault
    except ValueError as fault:
        raise _garbled() from fault


def _listed(value: object, what: str) -> Sequence[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise OriginContract(f"the upstream answered without a list in {what}")
    return value


def _is_label_set(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _seconds(epoch_ms: int) -> str:
    return f"{epoch_ms // _MS}.{epoch_ms % _MS:03d}"


def _too_deep() -> OriginContract:
    return OriginContract("the upstream's answer has brackets within brackets without end")


def _garbled() -> OriginGarbled:
    return OriginGarbled("the upstream's answer is not whole JSON; try again")
