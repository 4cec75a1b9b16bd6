"""`make migrations`: check that the migrations add up to `schema.sql`, and remake the first one.

Owns the comparison of two schemas by their meaning, not their wording, and which migrations are frozen.
`migrations/released.json` holds the digest of every migration that a release has shipped: those files must
never change again. Until the first release `0001_initial.sql` is simply `schema.sql`, remade with REMAKE=1.
"""

import argparse
import json
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack.schema import FIRST_MIGRATION, Migration, SchemaFault, read_migrations, without_comments

ROOT: Final = Path(__file__).resolve().parents[2]
RELEASED: Final = "released.json"

HEAD: Final = (
    "-- The schema as it stood at the first release, word for word. Made by make migrations; not edited.\n\n"
)


def main(arguments: list[str], *, root: Path = ROOT) -> int:
    """Exit status 0 when all is well, 1 with what is wrong and what to do."""
    parser = argparse.ArgumentParser(prog="make migrations", description=__doc__)
    parser.add_argument("--remake", action="store_true", help="write the first migration anew")
    parser.add_argument("--release", action="store_true", help="freeze what is there, for a release")
    asked = parser.parse_args(arguments)
    folder, schema_sql = root / "migrations", (root / "schema.sql").read_text(encoding="utf-8")
    try:
        if asked.remake:
            remake(folder, schema_sql)
        migrations = checked(folder, schema_sql)
        if asked.release:
            digests = {migration.name: migration.digest for migration in migrations}
            (folder / RELEASED).write_text(json.dumps(digests, indent=2) + "\n", encoding="utf-8")
    except SchemaFault as fault:
        print(f"make migrations: {fault}", file=sys.stderr)
        return 1
    print(f"the schema is version {migrations[-1].version}: the migrations add up to schema.sql")
    return 0


def checked(folder: Path, schema_sql: str) -> tuple[Migration, ...]:
    """The migrations, if they are what they must be; raises SchemaFault that lists what is not."""
    migrations = read_migrations(folder)
    faults = [*frozen_faults(migrations, released(folder)), *differences(schema_sql, migrations)]
    if faults:
        raise SchemaFault("\n".join(faults))
    return migrations


def remake(folder: Path, schema_sql: str) -> None:
    """Write the first migration as the schema stands; raises SchemaFault once one has been released."""
    if released(folder):
        raise SchemaFault(
            f"{FIRST_MIGRATION} has been released and stays as it is: add what is new as the next file, "
            "migrations/NNNN_what_it_adds.sql, and to schema.sql"
        )
    (folder / FIRST_MIGRATION).write_text(HEAD + schema_sql, encoding="utf-8")


def released(folder: Path) -> Mapping[str, str]:
    """Digests of the migrations that a release has shipped, by name."""
    path = folder / RELEASED
    if not path.is_file():
        return {}
    digests: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return digests


def frozen_faults(migrations: Iterable[Migration], digests: Mapping[str, str]) -> list[str]:
    """What has happened to released migrations that must not."""
    present = {migration.name: migration.digest for migration in migrations}
    return [
        f"{name} has been released and was {'changed' if name in present else 'removed'} since: put it back"
        for name, digest in digests.items()
        if present.get(name) != digest
    ]


def differences(schema_sql: str, migrations: Iterable[Migration]) -> list[str]:
    """How the sum of the migrations differs from the schema, one sentence each."""
    wanted = described(schema_sql)
    made = described("\n".join(migration.text for migration in migrations))
    remedy = (
        "run make migrations REMAKE=1, or after a release add a migration that brings the one to the other"
    )
    return [
        f"{name}: schema.sql has {wanted.get(name, 'no such thing')}, the migrations make "
        f"{made.get(name, 'none')}; {remedy}"
        for name in sorted(wanted.keys() | made.keys())
        if wanted.get(name) != made.get(name)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A table by what it means: columns in any order, since ALTER TABLE adds them at the end."""

    columns: frozenset[tuple[str, str, int, str | None, int]]
    indexes: frozenset[tuple[str, ...]]
    references: frozenset[tuple[str, ...]]
    checks: tuple[str, ...]
    options: tuple[int, int]


def described(sql: str) -> Mapping[str, Described | str]:
    """What a schema makes, by kind and name; raises SchemaFault when it cannot be run."""
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.executescript(sql)
        except sqlite3.Error as error:
            raise SchemaFault(f"the schema cannot be applied: {error}") from error
        rows = database.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
        return {
            f"{kind} {name}": _table(database, name, text) if kind == "table" else _plain(text)
            for kind, name, text in rows
            if not name.startswith("sqlite_")
        }


def _table(database: sqlite3.Connection, name: str, text: str) -> Described:
    columns = database.execute(
        'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?)', (name,)
    )
    indexes = database.execute('SELECT name, "unique", origin FROM pragma_index_list(?)', (name,)).fetchall()
    references = database.execute(
        'SELECT "from", "table", "to", on_delete, on_update FROM pragma_foreign_key_list(?)', (name,)
    )
    options = database.execute("SELECT strict, wr FROM pragma_table_list WHERE name = ?", (name,)).fetchone()
    return Described(
        columns=frozenset(columns.fetchall()),
        indexes=frozenset(
            (origin, str(unique), *_columns_of_index(database, index)) for index, unique, origin in indexes
        ),
        references=frozenset(references.fetchall()),
        checks=tuple(sorted(_checks(_plain(text)))),
        options=options,
    )


def _columns_of_index(database: sqlite3.Connection, index: str) -> list[str]:
    rows = database.execute("SELECT name, desc FROM pragma_index_xinfo(?) WHERE key = 1", (index,))
    return [f"{name} {'desc' if descending else 'asc'}" for name, descending in rows]


def _plain(text: str) -> str:
    """SQL without comments and layout."""
    return " ".join(without_comments(text).split())


def _checks(plain: str) -> Iterable[str]:
    """The conditions of a table's CHECKs, which no PRAGMA tells."""
    upper, start = plain.upper(), 0
    while (found := upper.find("CHECK (", start)) >= 0:
        depth, end = 1, found + len("CHECK (")
        while depth:
            depth += {"(": 1, ")": -1}.get(plain[end], 0)
            end += 1
        yield plain[found:end]
        start = end


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
