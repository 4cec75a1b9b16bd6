"""Which sites and points a data folder holds, under which names.

Owns the layout `<folder>/<site>/<point>.csv.gz`, the optional `points.csv` beside the files, and the rule
that point names are unique across sites, as they are at the vendor. Must not open a data file or know of
HTTP.
"""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

DATA_SUFFIX: Final = ".csv.gz"
NAMES_FILE: Final = "points.csv"
_REQUIRED_COLUMNS: Final = frozenset({"file", "name", "unit"})


class DataFault(ValueError):
    """The data folder cannot be served as it is; the message names the file and says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointInfo:
    """One point as upstream lists it; `unit` and `kind` are empty where the data states none."""

    site: str
    name: str
    unit: str
    kind: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Points by site (both sorted by name), and what had to be renamed to keep names unique."""

    by_site: Mapping[str, tuple[PointInfo, ...]]
    notes: tuple[str, ...]


def read_catalogue(folder: Path) -> Catalogue:
    """List the folder. DataFault when it has no site, or when its names cannot be made unique."""
    if not folder.is_dir():
        raise DataFault(f"{folder} is not a folder; name one that holds <site>/<point>{DATA_SUFFIX}")
    sites = {child.name: _site_points(child) for child in sorted(folder.iterdir()) if child.is_dir()}
    held = {site: points for site, points in sites.items() if points}
    if not held:
        raise DataFault(f"{folder} holds no <site>/<point>{DATA_SUFFIX}")
    return _with_unique_names(held)


def _site_points(folder: Path) -> tuple[PointInfo, ...]:
    files = sorted(child.name for child in folder.iterdir() if child.name.endswith(DATA_SUFFIX))
    described = _described(folder, frozenset(files))
    points = [
        described.get(file)
        or PointInfo(site=folder.name, name=file.removesuffix(DATA_SUFFIX), unit="", kind="", file=file)
        for file in files
    ]
    for name, count in Counter(point.name for point in points).items():
        if count > 1:
            raise DataFault(f"{folder}: {count} files are named {name!r}; change {NAMES_FILE}")
    return tuple(points)


def _described(folder: Path, files: frozenset[str]) -> dict[str, PointInfo]:
    """What `points.csv` says, by file name; nothing when there is no such file."""
    path = folder / NAMES_FILE
    if not path.is_file():
        return {}
    found: dict[str, PointInfo] = {}
    with path.open(newline="", encoding="utf-8") as lines:
        table = csv.DictReader(lines)
        missing = _REQUIRED_COLUMNS - set(table.fieldnames or ())
        if missing:
            raise DataFault(f"{path}: column(s) {', '.join(sorted(missing))} missing")
        for row in table:
            file = (row["file"] or "").removesuffix(DATA_SUFFIX) + DATA_SUFFIX
            name = row["name"]
            if file not in files or file in found or not name:
                raise DataFault(
                    f"{path} line {table.line_num}: each row names one data file, once, and a name"
                )
            found[file] = PointInfo(
                site=folder.name, name=name, unit=row["unit"] or "", kind=row.get("kind") or "", file=file
            )
    return found


def _with_unique_names(sites: Mapping[str, tuple[PointInfo, ...]]) -> Catalogue:
    """Serve a name that two sites hold as `<site>/<name>` at both: neither then depends on the order."""
    uses = Counter(point.name for points in sites.values() for point in points)
    notes: list[str] = []
    named: dict[str, tuple[PointInfo, ...]] = {}
    for site, points in sites.items():
        final = [
            replace(point, name=f"{site}/{point.name}") if uses[point.name] > 1 else point for point in points
        ]
        named[site] = tuple(sorted(final, key=lambda point: point.name))
        notes += [
            f"{site}: {old.file} is served as {new.name!r}, because another site holds {old.name!r} too"
            for old, new in zip(points, final, strict=True)
            if old.name != new.name
        ]
    for name, count in Counter(point.name for points in named.values() for point in points).items():
        if count > 1:
            raise DataFault(f"{count} points are named {name!r}; rename one with a {NAMES_FILE}")
    return Catalogue(by_site=named, notes=tuple(notes))
