"""Series that are told apart by labels, as points of a site: Prometheus and InfluxDB have no other names.

One label says which site a series is of. A point is named by one more label, if the operator names it, or
else by all labels that are left, in one text: `name{a="x",b="y"}`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edgeseries.errors import OriginContract
from edgeseries.origins.ports.dialect import ListedPoint
from edgeseries.series.points import Point

Labels = Mapping[str, str]

NAME: Final = "__name__"
"""The label of a series' own name: a metric, a measurement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """`site_label` names sites; `point_label`, if it is not empty, points."""

    site_label: str
    point_label: str = ""

    def point_name(self, labels: Labels) -> str | None:
        """The name of a series at its site; None for one that the point label does not name."""
        if self.point_label:
            return labels.get(self.point_label) or None
        rest = sorted(labels.keys() - {NAME, self.site_label})
        inside = ",".join(f'{label}="{escaped(labels[label])}"' for label in rest)
        name = labels.get(NAME, "")
        return f"{name}{{{inside}}}" if inside else name

    def listed(self, series: Iterable[Labels]) -> list[ListedPoint]:
        """Points of a site's series, each with its labels as the address. Raises OriginContract where two
        series have one name.
        """
        found: dict[str, ListedPoint] = {}
        for labels in series:
            name = self.point_name(labels)
            if not name:
                continue
            if name in found and found[name].address != labels:
                raise OriginContract(
                    f"two series of a site are named {name!r}: the operator must set an option that tells "
                    "them apart (match), or leave pointLabel out"
                )
            found[name] = ListedPoint(point=Point(name=name), address=labels)
        return list(found.values())


def escaped(text: str) -> str:
    """A label's value between quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Series that differ in one label alone: the labels that all have, and the values of that one."""

    common: Labels
    label: str
    values: tuple[str, ...]


def selections(series: Sequence[Labels]) -> list[Selection]:
    """Selections that together select the series, as few as one label that differs allows; no series of
    other labels' combinations is among them, but ones with further labels may be.
    """
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
    for labels in series:
        label = _most_various(labels, series)
        common = tuple(sorted((key, value) for key, value in labels.items() if key != label))
        groups.setdefault((label, common), []).append(labels[label])
    return [
        Selection(common=dict(common), label=label, values=tuple(dict.fromkeys(values)))
        for (label, common), values in groups.items()
    ]


def _most_various(labels: Labels, series: Sequence[Labels]) -> str:
    """The label of one series that has the most values among all."""
    return max(sorted(labels), key=lambda label: len({one[label] for one in series if label in one}))
