"""Series of an InfluxDB as labels, and a field of them as a point: the same in all versions.

A series is its measurement (under the label of a series' own name) and its tags. A point is one field of it,
which is a label beside the tags where it is not called `value`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from edgeseries.errors import OriginContract
from edgeseries.origins.labels import NAME, Labels, Naming
from edgeseries.origins.ports.dialect import ListedPoint

FIELD: Final = "_field"
USUAL_FIELD: Final = "value"
"""The field that is not part of a point's name, unless it has no name without it."""


def address(measurement: str, tags: Labels, field: str) -> Labels:
    """How a field of a series is asked for. A tag without a value is none."""
    return {NAME: measurement, FIELD: field, **{tag: value for tag, value in tags.items() if value}}


def listed(naming: Naming, addresses: Iterable[Labels]) -> list[ListedPoint]:
    """Points of a site, by name. Raises OriginContract where two have one name."""
    found: dict[str, ListedPoint] = {}
    for one in addresses:
        shown = {tag: value for tag, value in one.items() if tag != FIELD or value != USUAL_FIELD}
        for point in naming.listed([shown]):
            name = point.point.name
            if name in found and found[name].address != one:
                raise OriginContract(
                    f"two series of a site are named {name!r}: the operator must set the option field, "
                    "or leave pointTag out"
                )
            found[name] = ListedPoint(point=point.point, address=one)
    return list(found.values())


def tags_of(one: Labels) -> Labels:
    """The tags of an address."""
    return {tag: value for tag, value in one.items() if tag not in {NAME, FIELD}}


def by_column(addresses: Sequence[Labels]) -> Mapping[tuple[str, str], list[Labels]]:
    """Addresses by measurement and field: those of one such pair are one question."""
    found: dict[tuple[str, str], list[Labels]] = {}
    for one in addresses:
        found.setdefault((one[NAME], one[FIELD]), []).append(one)
    return found


def key_of(one: Labels) -> tuple[tuple[str, str], ...]:
    """An address as a key: two of the same series and field are equal."""
    return tuple(sorted(one.items()))


def series_key(text: str) -> tuple[str, Labels]:
    """Measurement and tags of a series key in line protocol, `m,tag=value`: commas, equals signs and blanks
    are escaped by a backslash. Raises OriginContract.
    """
    parts = _split(text, ",")
    tags: dict[str, str] = {}
    for part in parts[1:]:
        pair = _split(part, "=")
        if len(pair) != 2:  # noqa: PLR2004 - key and value
            raise OriginContract("the upstream listed a series key that is none")
        tags[_plain(pair[0])] = _plain(pair[1])
    return _plain(parts[0]), tags


def _split(text: str, sign: str) -> list[str]:
    """Parts of a text at a sign that no backslash stands before."""
    parts, start, place = [], 0, 0
    while place < len(text):
        if text[place] == "\\" and place + 1 < len(text):
            place += 2
        elif text[place] == sign:
            parts.append(text[start:place])
            place += 1
            start = place
        else:
            place += 1
    return [*parts, text[start:]]


def _plain(text: str) -> str:
    for sign in ", =":
        text = text.replace("\\" + sign, sign)
    return text
