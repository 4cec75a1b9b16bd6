"""Archives of files in the registry."""

from typing import Final

from edgeseries.errors import Defect
from edgeseries.origins.calls import UpstreamCalls
from edgeseries.origins.files.csv_file import ColumnNames
from edgeseries.origins.files.dialect import FilesDialect
from edgeseries.origins.files.layout import Layout
from edgeseries.origins.files.store import BUCKET_URL, BucketStore, FileStore, HttpStore
from edgeseries.origins.listed_origin import ListedOrigin
from edgeseries.origins.listing_memory import ListingMemory
from edgeseries.origins.vendor import Connection, Vendor


def files_origin(connection: Connection) -> ListedOrigin:
    """The origin of one archive."""
    memory, options, zone = connection.memory, connection.record.options, connection.record.zone
    assert isinstance(memory, ListingMemory)
    dialect = FilesDialect(
        store=store_of(connection),
        layout=Layout(options["layout"]),
        index=options["index"],
        names=ColumnNames(
            time=options["timeColumn"],
            value=options["valueColumn"],
            point=options["pointColumn"],
            time_unit=options["timeUnit"],
            zone="Z" if zone == "UTC" else zone,
        ),
        parquet=connection.parquet,
    )
    return ListedOrigin(dialect, memory=memory, clock=connection.clock, dropped=connection.dropped)


def store_of(connection: Connection) -> FileStore:
    """Where its files are. Raises Defect where a bucket is meant and there is none."""
    url = connection.record.url
    if url.startswith(BUCKET_URL):
        if connection.bucket is None:
            raise Defect(f"{connection.record.name} is in a bucket, and this host has none")
        prefix = url.removeprefix(BUCKET_URL).strip("/") + "/"
        return BucketStore(bucket=connection.bucket, prefix=prefix, max_bytes=connection.max_body_bytes)
    credential = connection.credential
    calls = UpstreamCalls(
        base_url=url,
        headers={"Authorization": f"Bearer {credential}"} if credential else {},
        web=connection.web,
        clock=connection.clock,
        max_body_bytes=connection.max_body_bytes,
        message_of=_no_message,
        names=connection.names,
    )
    return HttpStore(calls=calls, max_bytes=connection.max_body_bytes)


def _no_message(_body: bytes) -> None:
    """A file server says nothing that is worth repeating."""


FILES: Final = Vendor(origin=files_origin, new_memory=ListingMemory)
