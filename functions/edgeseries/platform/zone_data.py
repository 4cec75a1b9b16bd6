"""The time zone database on Workers: the package `tzdata`, one zip of the bundle, from which `zoneinfo` reads
a zone when it is asked for.
"""

import sys
from functools import cache
from pathlib import PurePosixPath

VENDOR_FOLDER = "python_modules"
ARCHIVE = "tzdata.zip"


@cache
def provide_zone_data() -> None:
    """Put the archive on the path, once an isolate. It is opened with the first zone that is asked for."""
    for place in tuple(sys.path):
        archive = str(PurePosixPath(place) / ARCHIVE)
        if PurePosixPath(place).name == VENDOR_FOLDER and archive not in sys.path:
            sys.path.append(archive)


def known_version() -> str:
    """The version of the database, as IANA names it. The bundle takes the archive because of this import."""
    import tzdata  # type: ignore[import-untyped]  # noqa: PLC0415 - lies in the archive, which is on the path only now

    return str(tzdata.IANA_VERSION)
