"""ACE FlightDeck in the registry."""

from typing import Final

from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.options import TEXT_POINTS
from edgeseries.origins.ace.origin import AceOrigin
from edgeseries.origins.declared_text import patterns_of
from edgeseries.origins.vendor import Connection, Vendor


def ace_origin(connection: Connection) -> AceOrigin:
    """The origin of one installation."""
    assert isinstance(connection.memory, Catalogue)
    return AceOrigin(
        base_url=connection.record.url,
        token=connection.credential,
        web=connection.web,
        clock=connection.clock,
        catalogue=connection.memory,
        max_body_bytes=connection.max_body_bytes,
        dropped=connection.dropped,
        page_reader=connection.page_reader,
        names=connection.names,
        text_points=patterns_of(connection.record.options.get(TEXT_POINTS.key, "")),
    )


ACE: Final = Vendor(origin=ace_origin, new_memory=Catalogue)
