"""Database: bring a D1 database to the newest migration, through Cloudflare's API.

Owns the record of what was applied, in the table that wrangler keeps, too, so that
`wrangler d1 migrations list` tells the truth. Must not know Pulumi nor which migrations exist.

Applying is idempotent: what the record has is not run again. Each migration is one batch, which D1 runs
as one transaction, its entry in the record included.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cloudflare import APIStatusError, Cloudflare

from stack.schema import Migration, SchemaFault

MIGRATIONS_TABLE: Final = "d1_migrations"

# The columns are wrangler's; `digest` is ours, and empty where wrangler has applied a migration.
_CREATE_RECORD: Final = f"""CREATE TABLE IF NOT EXISTS {MIGRATIONS_TABLE} (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL,
  digest TEXT
)"""
_ADD_DIGEST: Final = f"ALTER TABLE {MIGRATIONS_TABLE} ADD COLUMN digest TEXT"
_COLUMNS: Final = f"PRAGMA table_info({MIGRATIONS_TABLE})"
_READ_RECORD: Final = f"SELECT name, digest FROM {MIGRATIONS_TABLE} ORDER BY id"  # noqa: S608 - a constant
_WRITE_RECORD: Final = f"INSERT INTO {MIGRATIONS_TABLE} (name, digest) VALUES (?, ?)"  # noqa: S608 - a constant


def apply(
    client: Cloudflare, *, account_id: str, database_id: str, migrations: Sequence[Migration]
) -> tuple[str, ...]:
    """Apply what is missing, in order, and return its names.

    Raises SchemaFault when an applied migration has been edited since, or when D1 refuses a statement. A
    database that is ahead of these migrations is left as it is: older code runs on a newer schema.
    """
    database = _Database(client, account_id=account_id, database_id=database_id)
    applied = database.record()
    for migration in migrations:
        digest = applied.get(migration.name, "")
        if digest and digest != migration.digest:
            raise SchemaFault(
                f"{migration.name} was edited after it had been applied to database {database_id}: put it "
                "back as it was, and add what is new as the next file in migrations/"
            )
    missing = [migration for migration in migrations if migration.name not in applied]
    for migration in missing:
        database.run(migration)
    return tuple(migration.name for migration in missing)


class _Database:
    """The calls that `apply` makes."""

    def __init__(self, client: Cloudflare, *, account_id: str, database_id: str) -> None:
        self._client = client
        self._account_id = account_id
        self._database_id = database_id

    def record(self) -> Mapping[str, str]:
        """Digests of the applied migrations by name, empty where nobody recorded one."""
        self._batch([(_CREATE_RECORD, ())], "the record of migrations")
        (columns,) = self._batch([(_COLUMNS, ())], "the record of migrations")
        if "digest" not in {row["name"] for row in columns}:
            self._batch([(_ADD_DIGEST, ())], "the record of migrations")
        (rows,) = self._batch([(_READ_RECORD, ())], "the record of migrations")
        return {row["name"]: row["digest"] or "" for row in rows}

    def run(self, migration: Migration) -> None:
        """One migration and its entry, all or nothing."""
        statements = [(statement, ()) for statement in migration.statements]
        self._batch([*statements, (_WRITE_RECORD, (migration.name, migration.digest))], migration.name)

    def _batch(self, statements: Sequence[tuple[str, tuple[str, ...]]], what: str) -> list[list[Any]]:
        """The rows of each statement."""
        batch = [{"sql": sql, "params": list(params)} for sql, params in statements]
        try:
            page = self._client.d1.database.query(self._database_id, account_id=self._account_id, batch=batch)
        except APIStatusError as error:
            reasons = "; ".join(str(one.message) for one in error.errors) or str(error)
            raise SchemaFault(f"{what}: D1 refuses it for database {self._database_id}: {reasons}") from error
        return [list(result.results or ()) for result in page.result]
