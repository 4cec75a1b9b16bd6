"""Schema: the migrations of the D1 database, in order, and what is refused of them.

Owns how migration files are named, read, cut into statements and hashed, and the rule that a
rollout needs: additive first. Must not know D1's API (`stack.database`) nor Pulumi.

While a new version rolls out the old one still runs, so a migration may only add. What takes away
goes into a file called `NNNN_contract_*.sql`, in a release after the one whose code stopped using it.
"""

import hashlib
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FIRST_MIGRATION: Final = "0001_initial.sql"
"""The schema as it stood at the first release, word for word `schema.sql` of that day."""

CONTRACT: Final = "contract"
"""In the name of a migration that takes something away."""

MAX_STATEMENT_BYTES: Final = 100_000
"""Of one statement (D1 platform limits, 2026-04)."""

_FILE_PATTERN: Final = re.compile(r"(\d{4})_([a-z0-9]+(?:_[a-z0-9]+)*)\.sql")
_TAKES_AWAY: Final = re.compile(
    r"\b(DROP\s+TABLE|DROP\s+COLUMN|DROP\s+INDEX|RENAME\s+(TO|COLUMN)|DELETE\s+FROM)\b", re.IGNORECASE
)
_REPEATABLE: Final = re.compile(
    r"\s*(CREATE\s+(TABLE|VIEW|TRIGGER|(UNIQUE\s+)?INDEX)\s+IF\s+NOT\s+EXISTS\b|DROP\s+\w+\s+IF\s+EXISTS\b"
    r"|INSERT\s+OR\s+(IGNORE|REPLACE)\b|UPDATE\b|DELETE\b)",
    re.IGNORECASE,
)


class SchemaFault(ValueError):
    """Migrations that must not be applied; the text names the file and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file of `migrations/`. `name` is the file's, with its number; `text` is SQL."""

    version: int
    name: str
    text: str

    @property
    def digest(self) -> str:
        """Hex digest of the text: an applied migration whose digest differs has been edited since."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def statements(self) -> tuple[str, ...]:
        """The statements one by one."""
        return statements_of(self.text)


def read_migrations(folder: Path) -> tuple[Migration, ...]:
    """The migrations of a folder, numbered from 1 without a gap; raises SchemaFault."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE_PATTERN.fullmatch(path.name)
        if match is None:
            raise SchemaFault(f"{path.name}: name it NNNN_what_it_adds.sql, for instance 0002_add_zones.sql")
        text = path.read_text(encoding="utf-8")
        found.append(Migration(version=int(match[1]), name=path.name, text=text))
    numbers = [migration.version for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise SchemaFault(
            f"the migrations in {folder.name}/ are numbered {numbers}: number them from 1, no gaps"
        )
    for migration in found:
        _check(migration)
    return tuple(found)


def digest_of(schema_sql: str, migrations: tuple[Migration, ...]) -> str:
    """Hex digest over the schema and every migration: any byte of them changes it."""
    digest = hashlib.sha256(schema_sql.encode())
    for migration in migrations:
        digest.update(f"\0{migration.name}\0{migration.digest}".encode())
    return digest.hexdigest()


def statements_of(text: str) -> tuple[str, ...]:
    """The statements of an SQL file one by one, as D1 takes them; raises SchemaFault for a cut-off one."""
    statements: list[str] = []
    pending = ""
    for line in text.splitlines(keepends=True):
        # D1 counts the bytes of a statement, and between statements comments are for readers of the file.
        if not pending and (not line.strip() or line.lstrip().startswith("--")):
            continue
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending.strip())
            pending = ""
    if pending.strip():
        raise SchemaFault(
            f"the schema ends inside a statement, which needs a semicolon: {pending.strip()[:80]!r}"
        )
    return tuple(statements)


def without_comments(statement: str) -> str:
    """The statement with its comments taken out. Knows quotes, so that a text with -- in it stays whole."""
    return re.sub(
        r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|--[^\n]*|/\*.*?\*/",
        lambda match: match[1] or " ",
        statement,
        flags=re.DOTALL,
    )


def _check(migration: Migration) -> None:
    bare = [without_comments(statement) for statement in migration.statements]
    if not bare:
        raise SchemaFault(f"{migration.name} has no statement: write one, or remove the file")
    for statement in migration.statements:
        if len(statement.encode()) > MAX_STATEMENT_BYTES:
            raise SchemaFault(f"{migration.name}: D1 takes {MAX_STATEMENT_BYTES} bytes a statement; cut it")
    if CONTRACT not in migration.name.split("_"):
        for statement in bare:
            if match := _TAKES_AWAY.search(statement):
                raise SchemaFault(
                    f"{migration.name} takes something away ({match[0]}), which old Workers may still use: "
                    f"put it into a migration called NNNN_{CONTRACT}_..., a release later"
                )
    once = [statement for statement in bare if not _REPEATABLE.match(statement)]
    if once and len(bare) > 1:
        raise SchemaFault(
            f"{migration.name}: a statement that cannot run twice must stand alone in its file: "
            f"{once[0].strip()[:60]!r}"
        )
