"""JSON lines read as they are and record by record give the same rows."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from lagoa.kit.bundle import Noted
from lagoa.kit.json_records import sample as samples
from lagoa.kit.json_records.read import JsonRecords
from lagoa.kit.json_records.structure import guarded, merged, settled
from lagoa.kit.json_records.survey import Ask
from lagoa.kit.landing import Found
from lagoa.kit.pieces import Scratch
from lagoa.kit.shape import Shape
from lagoa.ports import Settled

CLEAN = "".join(f'{{"id": {n}, "name": "é{n}", "tags": ["a", "b"], "at": {{"x": {n}.5}}}}\n' for n in range(40))
DIRTY = CLEAN + '{"id": NaN}\n\n{"id": 18446744073709551615}\r\n[1]\n{"id": 7, "id": 8}\n' + CLEAN
# each is judged for itself, whatever stands around it
ODD = [
    '{"id": 1, "id": 2}',
    '{"at":{"x":1,"x":2}}',
    '{"items":[{"a":1,"a":2},{"b":null}]}',
    '{"at":{"x":12345678901234567890}}',
    '{"at":{"x":0.12345678901234567890}}',
    '{"at":{"x":1.1099999999999999}}',
    '{"at":{"x":1e400}}',
    '{"at":{"x":1E5}}',
    '{"at":{"x":-Infinity}}',
    '{"at":{"x":NaN}}',
    '{"name":", nan, NaN, inf"}',
    '{"name":"\\ud83d\\ude00"}',
    '{"name":"\\ud83d"}',
    r'{"name":"\\ud83d\ude00"}',
    r'{"name":"a\u0000b"}',
    '{"name":"x,]"}',
    '{"tags":[1,]}',
    '{"":1}',
    '{"more":null}',
    '{"more":"text"}',
    "",
    "-",
    "null",
    '  {"id": 5}  ',
    '{"id":5} {"id":6}',
]

LONG = '{"id":9007199254740993,"n":1}\n' * 50


def read(
    path: Path, small: int, piece: int, guesses: bool = False
) -> tuple[list[tuple[Any, ...]], list[int | None], int]:
    """Return all rows, the lines of rejects, and how many portions DuckDB read as they are.

    `guesses`: the columns are those of a sample first, and that must be possible.
    """
    with duckdb.connect(config={"threads": 1}) as connection:

        def ask(sql: str) -> list[tuple[Any, ...]]:
            return connection.execute(sql).fetchall()

        format = JsonRecords(Scratch(path.parent), Noted(), ask, small=small, piece=piece)
        found = Found(path, path.name, path.stat().st_size)
        columns = format.guessed([found]) if guesses else format.schema([found])
        assert columns is not None
        rows, rejects, plain = staged(format, found, columns, ask)
        if format.outgrown:
            rows, rejects, plain = staged(format, found, format.schema([found]), ask)
            assert not format.outgrown
    return sorted(rows, key=lambda r: int(str(r[-1]).rpartition(":")[2])), sorted(rejects, key=str), plain


def staged(
    format: JsonRecords, found: Found, columns: dict[str, Any], ask: Ask
) -> tuple[list[tuple[Any, ...]], list[int | None], int]:
    """Stage all portions of a file, or those that they turn into."""
    rows: list[tuple[Any, ...]] = []
    rejects: list[int | None] = []
    plain = 0
    for portion in format.portions([found], Shape(pa.schema(sorted(columns.items())))):
        asked: Any = portion
        while True:
            got = ask(str(asked.rows))
            settled = asked.settle(len(got), ask)
            asked.close()
            if isinstance(settled, Settled):
                break
            asked = settled
        assert settled.read in (None, len(got) + len(settled.rejects))
        rows += got
        rejects += [r.line for r in settled.rejects]
        plain += "row_number" in str(asked.rows)
    return rows, rejects, plain


@pytest.mark.parametrize(
    "text", [CLEAN, DIRTY, CLEAN.rstrip("\n"), CLEAN.replace(" ", ""), CLEAN.replace("\n", "\r\n")]
)
def test_pieces_and_single_records_give_the_same(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.ndjson"
    path.write_bytes(text.encode())
    careful, wrong, _ = read(path, 1 << 20, 1 << 20)
    for piece in (1 << 20, 300):
        rows, rejects, plain = read(path, 0, piece)
        assert (rows, rejects) == (careful, wrong)
        assert plain > 0 or (text is DIRTY and piece > 300)
    assert wrong == ([41] if text is DIRTY else [])


@pytest.mark.parametrize("line", ODD)
def test_one_odd_line_among_many_is_judged_alone(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.ndjson"
    path.write_bytes((CLEAN + line + "\n" + CLEAN).encode())
    careful, wrong, _ = read(path, 1 << 20, 1 << 20)
    assert read(path, 0, 1 << 20) == (careful, wrong, 1)
    bare = CLEAN.replace(" ", "")
    path.write_bytes((bare + line + "\n" + bare).encode())
    assert read(path, 0, 1 << 20) == (careful, wrong, 1)


@pytest.mark.parametrize("later", ['{"id":0.5,"n":1}', '{"id":"x","n":1}', '{"id":1,"n":1.5}'])
def test_a_long_integer_is_kept_when_a_later_piece_makes_its_column_wider(tmp_path: Path, later: str) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text(LONG + (later + "\n") * 10)
    careful, _, _ = read(path, 1 << 20, 1 << 20)
    rows, _, plain = read(path, 0, 300)
    assert rows == careful
    assert plain > 1
    assert str(rows[0][0]) == "9007199254740993"
    assert len(rows) == 60


def test_a_long_integer_is_kept_when_a_line_that_is_judged_apart_makes_its_column_wider(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text('{"id":7,"n":1}\n' * 40 + LONG + '{"id":1e2,"n":1}\n' * 2)
    careful, _, _ = read(path, 1 << 20, 1 << 20)
    assert read(path, 0, 300)[0] == careful
    assert str(careful[40][0]) == "9007199254740993"


def test_an_empty_object_among_others_takes_no_column_away(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    for odd in ("{}", '{"at":{}}', '{"tags":[{}]}'):
        path.write_text('{"id":-7,"at":{"x":1},"tags":[{"k":2}]}\n{"id":8}\n' * 40 + odd + "\n")
        careful, _, _ = read(path, 1 << 20, 1 << 20)
        assert read(path, 0, 300)[0] == careful
        assert careful[0] == ({"x": 1}, -7, [{"k": 2}], "x.ndjson:1")


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sample see the first lines alone."""
    monkeypatch.setattr(samples, "_PLACES", 1)
    monkeypatch.setattr(samples, "_BYTES", 1500)


@pytest.mark.usefixtures("near")
@pytest.mark.parametrize("line", [*ODD, '{"more":1,"id":"x"}', '{"id":0.5}', '{"tags":["x, ",": "]}', '{"a, ":null}'])
def test_an_odd_line_beyond_the_sample_is_judged_as_ever(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.ndjson"
    for clean in (CLEAN, CLEAN.replace(" ", "")):
        path.write_bytes((clean + line + "\n" + clean).encode())
        careful, wrong, _ = read(path, 1 << 20, 1 << 20)
        rows, rejects, plain = read(path, 0, 3000, guesses=True)
        assert (rows, rejects) == (careful, wrong)
        assert plain > 0


@pytest.mark.usefixtures("near")
@pytest.mark.parametrize("seed", range(12))
def test_records_of_any_spelling_beyond_the_sample_are_read_as_one_by_one(tmp_path: Path, seed: int) -> None:
    draw = Random(seed)
    blank = draw.choice(["", " "])
    odd = draw.choice([0.02, 0.3])
    path = tmp_path / "x.ndjson"
    lines = [spelled(draw, blank, 0 if n < 40 else odd) for n in range(100)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    careful, wrong, _ = read(path, 1 << 20, 1 << 20)
    assert read(path, 0, 4000, guesses=True)[:2] == (careful, wrong)


def spelled(draw: Random, blank: str, odd: float) -> str:
    """Write a record; each part of it is, now and then, not as programs write it."""

    def one(plain: str, *others: str) -> str:
        return draw.choice(others) if draw.random() < odd else plain

    strange = {
        "id": ["1.0", "1e2", "null", "9007199254740993", "-0", "12345678901234567890"],
        "score": ["5", "0.50", "1E5", "NaN", "-0.0", "0.12345678901234567890", '"0.5"', "5.0"],
        "name": ['"x, "', r'"\", \""', r'"\u00e9"', r'"\ud83d"', '"é"', '": "', "7", '"a", "b"'],
        "at": ['{"x":1,"x":2}', '{"y":true}', '{"x":null,"y":false}', '{"x": 1}', '{"z":1}', "{}", "null"],
        "list": ['[{"k":"v"}, {"k":"w"}]', "[null]", "[]", '[{"k":null}]', '[{"k":"v","k":"w"}]', "[,]", "[{}]"],
    }
    usual = [str(draw.randrange(-9, 99)), f"{draw.random():.6f}1", '"a, b: c"', '{"x":1,"y":true}', '[{"k":"v"}]']
    values = {key: one(plain, *strange[key]) for key, plain in zip(strange, usual, strict=True)}
    kept = [f'"{key}":{blank}{value}' for key, value in values.items() if draw.random() >= odd / 2]
    more = [one("", '"name":"again"', '"other, ":null', '"more":null', '"":1', '"":null')]
    return "{" + f",{blank}".join([*kept, *filter(None, more)]) + "}"


def test_structures_merge_into_what_holds_both() -> None:
    assert merged({"a": "UBIGINT", "n": "NULL"}, {"a": "DOUBLE", "b": ["NULL"], "n": "BOOLEAN"}) == {
        "a": "DOUBLE",
        "n": "BOOLEAN",
        "b": ["NULL"],
    }
    assert merged({"a": 1}, ["UBIGINT"]) == "VARCHAR"
    assert settled({"a b": "BIGINT"}) == "VARCHAR"
    assert settled({"a": {"b": "HUGEINT", "c": ["NULL"]}}) == {"a": {"b": "BIGINT", "c": ["VARCHAR"]}}
    assert guarded({"a": "DOUBLE", "b": "DOUBLE"}, {"a": "JSON", "b": "DOUBLE"}) == {"a": "VARCHAR", "b": "DOUBLE"}
