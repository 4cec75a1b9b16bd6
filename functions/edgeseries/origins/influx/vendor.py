"""InfluxDB in the registry: which version is an option."""

from base64 import b64encode
from typing import Final

from edgeseries.origins.calls import UpstreamCalls
from edgeseries.origins.influx import flux, influxql, sql
from edgeseries.origins.influx.dialect1 import InfluxQlDialect
from edgeseries.origins.influx.dialect2 import FluxDialect
from edgeseries.origins.influx.dialect3 import SqlDialect
from edgeseries.origins.labels import Naming
from edgeseries.origins.listed_origin import ListedOrigin
from edgeseries.origins.listing_memory import ListingMemory
from edgeseries.origins.ports.dialect import Dialect
from edgeseries.origins.vendor import Connection, Vendor

MESSAGES: Final = {"1": influxql.message_of, "2": flux.message_of, "3": sql.message_of}


def authorization(version: str, credential: str) -> str:
    """The header of a credential: `user:password` (1), a token (2, 3)."""
    match version:
        case "1":
            return f"Basic {b64encode(credential.encode()).decode()}"
        case "2":
            return f"Token {credential}"
        case _:
            return f"Bearer {credential}"


def influx_origin(connection: Connection) -> ListedOrigin:
    """The origin of one database or bucket."""
    memory, options = connection.memory, connection.record.options
    assert isinstance(memory, ListingMemory)
    version = options["version"]
    headers = {"Accept": "application/json"}
    if connection.credential:
        headers["Authorization"] = authorization(version, connection.credential)
    calls = UpstreamCalls(
        base_url=connection.record.url,
        headers=headers,
        web=connection.web,
        clock=connection.clock,
        max_body_bytes=connection.max_body_bytes,
        message_of=MESSAGES[version],
        names=connection.names,
    )
    dialect = dialect_of(version, calls, connection)
    return ListedOrigin(dialect, memory=memory, clock=connection.clock, dropped=connection.dropped)


def dialect_of(version: str, calls: UpstreamCalls, connection: Connection) -> Dialect:
    """What a version speaks."""
    options = connection.record.options
    naming = Naming(site_label=options["siteTag"], point_label=options["pointTag"])
    database, field = options["database"], options["field"]
    match version:
        case "1":
            policy = options["retentionPolicy"]
            return InfluxQlDialect(calls=calls, naming=naming, database=database, policy=policy, field=field)
        case "2":
            return FluxDialect(calls=calls, naming=naming, bucket=database, org=options["org"], field=field)
        case _:
            return SqlDialect(calls=calls, naming=naming, database=database, field=field)


INFLUX: Final = Vendor(origin=influx_origin, new_memory=ListingMemory)
