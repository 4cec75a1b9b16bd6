"""What a record of an InfluxDB may set."""

from typing import Final

from edgeseries.origins.option import Option

OPTIONS: Final = (
    Option(key="version", words=("1", "2", "3"), description="1: InfluxQL; 2: Flux; 3: SQL."),
    Option(key="database", description="The database (1, 3) or bucket (2)."),
    Option(key="org", default="", description="The organisation (2)."),
    Option(key="retentionPolicy", default="", description="The retention policy (1); empty: the default."),
    Option(key="siteTag", default="site", description="The tag whose values are sites."),
    Option(
        key="pointTag",
        default="",
        description="The tag whose values name points; empty: measurement, tags and field together.",
    ),
    Option(key="field", default="", description="The only field to read; empty: all."),
)
