"""Haystack's grids in both forms, and its authentication: any bytes, round trips, and a server that lies."""

import hashlib
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.errors import EdgeError, OriginContract, OriginGarbled, OriginRefused, OriginUnreachable
from edgeseries.origins.haystack import hayson, zinc
from edgeseries.origins.haystack.grid import Grid, whole
from edgeseries.origins.haystack.limits import MAX_ITERATIONS
from edgeseries.origins.haystack.scram import (
    challenge_in,
    decoded,
    encoded,
    exchange,
    hello,
    is_signed,
    pbkdf2,
)
from edgeseries.origins.haystack.values import Moment, Quantity, Ref, Scalar, Sign, is_sample, sample_value

TEXT = st.text(st.characters(codec="utf-8"), max_size=10)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5)
KEYS = ["_kind", "val", "unit", "meta", "cols", "rows", "name", "ts", "dis", "err"]
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=200) | JSON.map(lambda one: json.dumps({"_kind": "grid", "rows": one}).encode()))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (hayson.grid_in, zinc.grid_in):
        with suppress(EdgeError):
            whole(read(body))


@given(JSON, JSON)
def test_any_columns_and_rows_are_read_or_refused(columns: Any, rows: Any) -> None:
    with suppress(EdgeError):
        grid = {"_kind": "grid", "cols": [columns], "rows": [rows]}
        hayson.grid_in(json.dumps(grid).encode())


@given(st.text(st.characters(codec="utf-8"), max_size=80))
def test_any_zinc_is_read_or_refused(line: str) -> None:
    for body in (f'ver:"3.0"\nts,val\n{line}\n', f'ver:"3.0" {line}\nid\n@a\n', f'ver:"3.0"\n{line}\n'):
        with suppress(EdgeError):
            zinc.grid_in(body.encode())


@given(st.lists(st.sampled_from(list('[]{}<>()"`@,:-0aTN \\')), max_size=30).map("".join))
def test_any_zinc_of_its_own_signs_is_read_or_refused(line: str) -> None:
    with suppress(EdgeError):
        zinc.grid_in(f'ver:"3.0"\nts,val\n{line}\n'.encode())


def test_brackets_without_end_are_refused_in_both_forms() -> None:
    with pytest.raises(OriginContract):
        hayson.grid_in(b"[" * 20_000)
    with pytest.raises(OriginContract):
        zinc.grid_in(b'ver:"3.0"\nts\n' + b"[" * 20_000 + b"\n")


@given(NUMBERS, TEXT, st.booleans())
def test_values_of_zinc_are_read_as_they_were_written(number: float, text: str, flag: bool) -> None:  # noqa: FBT001
    row = f'{number!r}kW,{zinc.text_of(text)},{"T" if flag else "F"},NA,@a:b.c "a b",M'
    grid = zinc.grid_in(f'ver:"3.0"\na,b,c,d,e,f\n{row}\n'.encode())
    assert grid.rows[0] == {
        "a": Quantity(number, "kW"),
        "b": text,
        "c": flag,
        "d": Sign.NA,
        "e": Ref("a:b.c", "a b"),
        "f": Sign.MARKER,
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2020-01-01T00:00:00-05:00 New_York", Moment("2020-01-01T00:00:00-05:00")),
        ("2020-01-01T00:00:00.123Z UTC", Moment("2020-01-01T00:00:00.123Z")),
        ("2020-01-01T00:00:00Z", Moment("2020-01-01T00:00:00Z")),
        ("2020-01-01", "2020-01-01"),
        ("12:30:00", "12:30:00"),
        ("-1.5e-3", -1.5e-3),
        ("1_000", 1000.0),
        ("74.2°F", Quantity(74.2, "°F")),
        ("12%", Quantity(12.0, "%")),
        ("5kWh/ft²", Quantity(5.0, "kWh/ft²")),
        ("`http://x/`", "http://x/"),
        ('"a\\nb\\"c\\u00e9\\$"', 'a\nb"cé$'),
        ("C(37.5,-77.4)", "C(37.5,-77.4)"),
        ('Bin("text/plain")', 'Bin("text/plain")'),
        ("[1,2,[3]]", "[...]"),
        ("{a:1 b {c}}", None),
        ("R", Sign.REMOVE),
        ("-INF", float("-inf")),
    ],
)
def test_each_kind_of_zinc(text: str, value: Any) -> None:
    if value is None:
        with pytest.raises(OriginContract):
            zinc.grid_in(f'ver:"3.0"\nval\n{text}\n'.encode())
        return
    assert zinc.grid_in(f'ver:"3.0"\nval\n{text}\n'.encode()).rows == [{"val": value}]


def test_each_kind_of_hayson() -> None:
    def read(raw: Any) -> Any:
        return hayson.scalar_of(raw)

    assert read({"_kind": "number", "val": 74.2, "unit": "°F"}) == Quantity(74.2, "°F")
    assert read({"_kind": "number", "val": "NaN"}) != read({"_kind": "number", "val": "NaN"})
    assert read({"_kind": "number", "val": "-INF"}) == float("-inf")
    assert read({"_kind": "dateTime", "val": "2020-01-01T00:00:00Z"}) == Moment("2020-01-01T00:00:00Z")
    assert read({"_kind": "ref", "val": "a", "dis": "A"}) == Ref("a", "A")
    assert [read({"_kind": one}) for one in ("marker", "na", "remove")] == [Sign.MARKER, Sign.NA, Sign.REMOVE]
    assert read({"_kind": "date", "val": "2020-01-01"}) == "2020-01-01"
    assert read({"a": 1}) == "{...}"
    with pytest.raises(OriginContract):
        read({"_kind": "number", "val": "many"})


def test_which_cells_are_samples_and_what_they_are() -> None:
    assert [is_sample(one) for one in (None, Sign.REMOVE, Sign.NA, 0.0, "")] == [
        False,
        False,
        True,
        True,
        True,
    ]
    cells: list[Scalar] = [
        Sign.NA,
        float("nan"),
        float("inf"),
        Quantity(1.5, "kW"),
        True,
        "x",
        Ref("a"),
        Sign.MARKER,
    ]
    assert [sample_value(one) for one in cells] == [None, None, None, 1.5, True, "x", "a", None]


def test_an_error_grid_is_an_error() -> None:
    for dis, error in (("UnknownRecErr: x", OriginRefused), ("TimeoutErr", OriginUnreachable)):
        with pytest.raises(error):
            whole(Grid(meta={"err": Sign.MARKER, "dis": dis}, columns=[], rows=[]))


def test_zinc_that_ends_within_a_row_was_cut_short() -> None:
    with pytest.raises(OriginGarbled):
        zinc.grid_in(b'ver:"3.0"\nts,val\n2020-01-01T00:0')


# --- authentication: RFC 5802's rules, RFC 7677's example --------------------------------------

ANSWER = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"


def test_the_example_of_rfc_7677() -> None:
    asked = exchange("user", "rOprNGfwEbeRWgbNEkqO", "SHA-256")
    assert decoded(asked.first("x").partition("data=")[2]) == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    header, signature = asked.final("x", encoded(ANSWER.encode()), "pencil")
    said = decoded(header.partition("data=")[2]).decode()
    assert said.partition(",p=")[2] == "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    assert is_signed(encoded(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), signature)
    assert not is_signed(encoded(b"v=" + b"A" * 43 + b"="), signature)
    assert not is_signed(encoded(b"e=no"), signature)


@given(st.binary(max_size=20), st.binary(max_size=20), st.integers(1, 20))
def test_the_password_is_hashed_as_the_standard_library_does(
    password: bytes, salt: bytes, rounds: int
) -> None:
    for name in ("sha256", "sha512", "sha1"):
        assert pbkdf2(name, password, salt, rounds) == hashlib.pbkdf2_hmac(name, password, salt, rounds)


@pytest.mark.parametrize(
    "answer",
    [
        "r=other,s=AAAA,i=1",
        "r=mine,s=AAAA,i=1",
        "r=mine1,s=,i=1",
        "r=mine1,s=AAAA,i=0",
        f"r=mine1,s=AAAA,i={MAX_ITERATIONS + 1}",
        "r=mine1,s=AAAA,i=-1",
        "",
    ],
)
def test_an_answer_to_another_question_or_too_dear_is_refused(answer: str) -> None:
    with pytest.raises(OriginContract):
        exchange("user", "mine", "SHA-256").final("x", encoded(answer.encode()), "pencil")


def test_a_hash_that_we_have_not_is_refused() -> None:
    with pytest.raises(OriginRefused, match="SHA-512"):
        exchange("user", "mine", "MD5")


@given(st.text(max_size=60))
def test_any_header_is_read_or_refused(text: str) -> None:
    challenge = challenge_in(text)
    with suppress(EdgeError):
        exchange("user", "mine", "SHA-256").final("x", challenge.get("data"), "pencil")
    assert challenge_in(hello("a,b")).parameters == {"username": encoded(b"a,b")}
