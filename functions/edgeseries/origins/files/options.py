"""What a record of an archive of files may set."""

from typing import Final

from edgeseries.origins.option import Option

LAYOUT: Final = r"(?=.*\{site\})(?!/)(?:[^{}]|\{(?:site|point|year|month|day)\})*\.(?:csv|csv\.gz|parquet)"
"""A path with `{site}` in it, of known fields, that ends with the form of its files."""

OPTIONS: Final = (
    Option(
        key="layout",
        default="{site}/{point}.csv",
        pattern=LAYOUT,
        description=(
            "Where a file lies: {site}, {point}, {year}, {month}, {day}; without {point} a file holds many. "
            "It ends with .csv, .csv.gz or .parquet."
        ),
    ),
    Option(
        key="index",
        default="index.csv",
        description="The list of points: CSV with the columns site, point, and perhaps unit, kind, interval.",
    ),
    Option(key="timeColumn", default="timestamp", description="The column of instants."),
    Option(key="valueColumn", default="value", description="The column of values."),
    Option(
        key="pointColumn", default="point_name", description="The column of names, where a file holds many."
    ),
    Option(
        key="timeUnit",
        default="iso",
        words=("iso", "s", "ms", "us", "ns"),
        description="How instants are written: ISO-8601, or whole numbers since 1970.",
    ),
)
