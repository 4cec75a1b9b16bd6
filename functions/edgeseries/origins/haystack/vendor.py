"""Project Haystack in the registry."""

from typing import Final

from edgeseries.origins.calls import UpstreamCalls
from edgeseries.origins.haystack.dialect import HaystackDialect
from edgeseries.origins.haystack.session import Session
from edgeseries.origins.listed_origin import ListedOrigin
from edgeseries.origins.listing_memory import ListingMemory
from edgeseries.origins.vendor import Connection, Vendor


def haystack_origin(connection: Connection) -> ListedOrigin:
    """The origin of one project."""
    memory, options = connection.memory, connection.record.options
    assert isinstance(memory, ListingMemory)
    calls = UpstreamCalls(
        base_url=connection.record.url,
        headers={},
        web=connection.web,
        clock=connection.clock,
        max_body_bytes=connection.max_body_bytes,
        message_of=_no_message,
        names=connection.names,
    )
    session = Session(
        calls=calls,
        memory=memory,
        clock=connection.clock,
        identity=connection.identity,
        names=connection.names,
        form=options["format"],
        auth=options["auth"],
        credential=connection.credential,
    )
    dialect = HaystackDialect(
        session=session, filter=options["points"], name_tag=options["nameTag"], batch=options["batch"]
    )
    return ListedOrigin(dialect, memory=memory, clock=connection.clock, dropped=connection.dropped)


def _no_message(_body: bytes) -> None:
    """Errors of Haystack are grids with status 200; any other body is somebody else's."""


HAYSTACK: Final = Vendor(origin=haystack_origin, new_memory=ListingMemory)
