"""Migrations: their sum is schema.sql, what a rollout could not bear is refused, what was released stays."""

from pathlib import Path

import pytest

from delivery import migrations as tool
from stack.schema import Migration, SchemaFault, digest_of, read_migrations, statements_of

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = (ROOT / "schema.sql").read_text(encoding="utf-8")


def test_the_sum_of_the_migrations_is_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main([]) == 0, capsys.readouterr().err


def of(*texts: str) -> tuple[Migration, ...]:
    return tuple(
        Migration(version=number, name=f"{number:04}_x.sql", text=text)
        for number, text in enumerate(texts, 1)
    )


TABLE = (
    "CREATE TABLE IF NOT EXISTS a "
    "(x TEXT NOT NULL CHECK (x IN ('1', '2')), y INTEGER, PRIMARY KEY (x)) STRICT;"
)


@pytest.mark.parametrize(
    "made",
    [
        of(TABLE),
        of(TABLE.replace(", y", ",  -- why\n y").replace("CREATE", "-- about\nCREATE")),
        of(TABLE.replace(", y INTEGER", ""), "ALTER TABLE a ADD COLUMN y INTEGER;"),
    ],
)
def test_wording_and_order_of_columns_do_not_count(made: tuple[Migration, ...]) -> None:
    assert tool.differences(TABLE, made) == []


@pytest.mark.parametrize(
    ("wanted", "made"),
    [
        (TABLE, TABLE.replace("y INTEGER", "y TEXT")),
        (TABLE, TABLE.replace("y INTEGER", "y INTEGER NOT NULL")),
        (TABLE, TABLE.replace("y INTEGER", "y INTEGER DEFAULT 1")),
        (TABLE, TABLE.replace("'1', ", "")),
        (TABLE, TABLE.replace(" STRICT", "")),
        (TABLE, TABLE.replace(" STRICT", " STRICT, WITHOUT ROWID")),
        (TABLE, TABLE.replace("PRIMARY KEY (x)", "UNIQUE (x)")),
        (TABLE, TABLE.replace("PRIMARY KEY (x)", "PRIMARY KEY (y)")),
        (TABLE, TABLE.replace("y INTEGER", "y INTEGER REFERENCES a (x)")),
        (f"{TABLE} CREATE INDEX i ON a (y);", TABLE),
        (f"{TABLE} CREATE INDEX i ON a (y);", f"{TABLE} CREATE UNIQUE INDEX i ON a (y);"),
        (f"{TABLE} CREATE INDEX i ON a (y);", f"{TABLE} CREATE INDEX i ON a (y DESC);"),
        (f"{TABLE} CREATE VIEW v AS SELECT x FROM a;", f"{TABLE} CREATE VIEW v AS SELECT y FROM a;"),
    ],
)
def test_any_other_difference_is_told_by_name(wanted: str, made: str) -> None:
    faults = tool.differences(wanted, of(made))
    assert faults
    assert all("make migrations REMAKE=1" in fault for fault in faults)


def write(folder: Path, **texts: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.sql").write_text(text, encoding="utf-8")
    return folder


REFUSED = [
    ({"first": TABLE}, r"first\.sql: name it NNNN_what_it_adds\.sql"),
    ({"_0001_a": TABLE, "_0003_b": TABLE}, r"numbered \[1, 3\]: number them from 1, no gaps"),
    ({"_0001_a": TABLE, "_0001_b": TABLE}, r"numbered \[1, 1\]"),
    ({"_0001_a": "-- nothing\n"}, "0001_a.sql has no statement"),
    ({"_0001_a": "CREATE TABLE a (x)"}, "needs a semicolon"),
    ({"_0001_a": "DROP TABLE a;"}, r"takes something away \(DROP TABLE\).*NNNN_contract_"),
    ({"_0001_a": "ALTER TABLE a DROP COLUMN x;"}, "takes something away"),
    ({"_0001_a": "ALTER TABLE a RENAME TO b;"}, "takes something away"),
    ({"_0001_a": "DELETE FROM a;"}, "takes something away"),
    ({"_0001_a": f"{TABLE}\nALTER TABLE a ADD COLUMN z;"}, "must stand alone in its file: 'ALTER TABLE"),
    ({"_0001_a": "CREATE TABLE a (x);\nCREATE TABLE b (x);"}, "must stand alone in its file"),
]


@pytest.mark.parametrize(("files", "expected"), REFUSED, ids=[text for _, text in REFUSED])
def test_what_a_rollout_could_not_bear_is_refused(
    tmp_path: Path, files: dict[str, str], expected: str
) -> None:
    with pytest.raises(SchemaFault, match=expected):
        read_migrations(write(tmp_path, **{name.lstrip("_"): text for name, text in files.items()}))


def test_taking_away_has_a_name(tmp_path: Path) -> None:
    files = {"0001_a": TABLE, "0002_contract_a": "DROP TABLE a;"}
    assert [one.version for one in read_migrations(write(tmp_path, **files))] == [1, 2]


def test_a_remark_about_taking_away_takes_nothing_away(tmp_path: Path) -> None:
    text = (
        "-- once: DROP TABLE b;\nCREATE TABLE IF NOT EXISTS a (\n  x TEXT DEFAULT '--' -- DROP TABLE c\n);\n"
    )
    (migration,) = read_migrations(write(tmp_path, **{"0001_a": text}))
    assert len(migration.statements) == 1


def test_any_byte_changes_the_digest() -> None:
    first = digest_of(TABLE, of(TABLE))
    assert first != digest_of(TABLE + "\n", of(TABLE))
    assert first != digest_of(TABLE, of(TABLE + "\n"))
    assert first != digest_of(TABLE, of(TABLE, TABLE))
    assert first == digest_of(TABLE, of(TABLE))


def test_the_first_migration_is_remade_until_a_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "migrations", **{"0001_initial": TABLE})
    (tmp_path / "schema.sql").write_text(SCHEMA, encoding="utf-8")
    assert tool.main([], root=tmp_path) == 1
    assert "the migrations make none; run make migrations REMAKE=1" in capsys.readouterr().err
    assert tool.main(["--remake"], root=tmp_path) == 0
    assert statements_of((folder / "0001_initial.sql").read_text()) == statements_of(SCHEMA)
    assert tool.main(["--release"], root=tmp_path) == 0
    assert tool.main(["--remake"], root=tmp_path) == 1
    assert "has been released and stays as it is" in capsys.readouterr().err
    write(folder, **{"0001_initial": SCHEMA + "-- later\n"})
    assert tool.main([], root=tmp_path) == 1
    assert "0001_initial.sql has been released and was changed since: put it back" in capsys.readouterr().err
