"""JSON: strictly valid or refused, structs as they come, numbers exact."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lagoa import registry
from lagoa.kit.json_records.read import JsonRecords
from lagoa.ports import Reading

Load = Callable[..., Any]
Put = Callable[[str, bytes | str], Any]
EMPTY = {"y_array_empty.json", "y_structure_whitespace_array.json"}
"""Valid documents without records."""


def test_structs_and_lists_stay_as_they_are(load: Load, put: Put) -> None:
    put("x.ndjson", '{"id": 1, "a": {"b": [1, 2]}, "t": "001"}\n{"id": 2, "a": {"c": true}, "f": 0.5}\n')
    loaded = load({"path": "x.ndjson"})
    assert loaded.rows[0]["a"] == {"b": [1, 2], "c": None}
    assert loaded.rows[1]["a"] == {"b": None, "c": True}
    assert [(r["id"], r["t"], r["f"], r["_source"]) for r in loaded.rows] == [
        (1, "001", None, "x.ndjson:1"),
        (2, None, 0.5, "x.ndjson:2"),
    ]


def test_a_line_that_is_no_json_is_refused_with_its_line(load: Load, put: Put) -> None:
    put("x.ndjson", '{"a": 1}\n{"a": }\n\n{"a": NaN}\n[1,]\n{"a": 2}\n')
    loaded = load({"path": "x.ndjson"})
    assert loaded.column("a") == [1, 2]
    assert [r.line for r in loaded.rejects] == [2, 4, 5]
    assert loaded.rejects[0].raw == '{"a": }'


def test_numbers_keep_their_digits(load: Load, put: Put) -> None:
    exact = (
        '{"i": 9223372036854775807, "big": 18446744073709551615, "d": 0.1234567890123456789, "f": 0.30000000000000004}'
    )
    put("x.ndjson", exact + '\n{"i": 1, "big": 1, "d": 0.5, "f": 1e2}\n')
    loaded = load({"path": "x.ndjson"})
    assert loaded.column("i") == [2**63 - 1, 1]
    assert loaded.column("big") == ["18446744073709551615", "1"]
    assert loaded.column("d") == ["0.1234567890123456789", "0.5"]
    assert loaded.column("f") == [0.30000000000000004, 100.0]
    columns = {"big": {"type": "decimal(38, 0)"}, "d": {"type": "decimal(38, 20)"}}
    declared = load({"path": "x.ndjson", "columns": columns})
    assert declared.column("big") == [Decimal(2**64 - 1), Decimal(1)]
    assert declared.column("d") == [Decimal("0.1234567890123456789"), Decimal("0.5")]


def test_a_long_integer_among_fractions_is_not_rounded(load: Load, put: Put) -> None:
    put("x.ndjson", '{"a": 9007199254740993, "b": {"c": [0.5]}, "id": 17}\n{"a": 0.5, "id": 9007199254740993}\n')
    loaded = load({"path": "x.ndjson"})
    assert loaded.column("a") == ["9007199254740993", "0.5"]
    assert loaded.column("id") == [17, 9007199254740993]
    assert loaded.rows[0]["b"] == {"c": [0.5]}


def test_a_declared_type_refuses_what_does_not_fit(load: Load, put: Put) -> None:
    put("x.ndjson", '{"n": 1.5, "secret": "S"}\n{"n": "7", "secret": "S"}\n')
    columns = {"n": {"type": "bigint"}, "secret": {"drop": True}}
    loaded = load({"path": "x.ndjson", "columns": columns})
    assert loaded.column("n") == [7]
    assert loaded.reasons() == ['x.ndjson:1 n: "1.5" is not a bigint']
    assert loaded.refused[0]["_raw"] == '{"n":1.5}'
    assert '"S"' not in repr(loaded)


def test_columns_of_mixed_kinds_and_unusable_structs_are_text(load: Load, put: Put) -> None:
    put("x.ndjson", '{"m": 1, "s": {"a b": 1}, "c": {"x": 1, "X": 2}, "e": {}, "": 5}\n{"m": {"x": 1}}\n')
    row, other = load({"path": "x.ndjson"}).rows
    assert json.loads(row["s"]) == {"a b": 1}
    assert json.loads(row["c"]) == {"x": 1, "X": 2}
    assert (row["m"], row["e"], row["unnamed"]) == ("1", "{}", 5)
    assert json.loads(other["m"]) == {"x": 1}


def test_of_a_key_that_is_there_twice_the_last_value_counts(load: Load, put: Put) -> None:
    put("x.ndjson", '{"a": 1, "a": 2}\n')
    assert load({"path": "x.ndjson"}).column("a") == [2]


def test_a_document_is_taken_apart_into_its_records(load: Load, put: Put) -> None:
    put("list.json", '[\n  {"a": 1},\n  {"a": 2,\n   "b": "x"}\n]\n')
    loaded = load({"path": "list.json"})
    assert [(r["a"], r["_source"]) for r in loaded.rows] == [(1, "list.json:2"), (2, "list.json:3")]
    put("one.json", '{\n "a": 1\n}')
    assert load({"path": "one.json"}).column("a") == [1]
    put("deep.json", '{"meta": {"n": 2}, "data": {"items": [{"a": 1}, 7]}, "z": []}')
    deep = load({"path": "deep.json", "records": "$.data.items"})
    assert [(r["a"], r["value"]) for r in deep.rows] == [(1, None), (None, 7)]


@pytest.mark.parametrize("text", ['[{"a": 1}', '[{"a": 1}] x', '[{"a": 1},]', '{"data": [1] "x": 2}', "", '{"x": [1]}'])
def test_a_broken_document_is_refused_as_a_whole(load: Load, put: Put, text: str) -> None:
    put("x.json", text)
    loaded = load({"path": "x.json", "records": "$.data"} if text.startswith("{") else {"path": "x.json"})
    assert loaded.rows == []
    assert len(loaded.rejects) == 1


def test_a_json_file_of_lines_is_read_as_lines(load: Load, put: Put) -> None:
    put("x.json", '{"a": 1}\n{"a": \n{"a": 3}\n')
    loaded = load({"path": "x.json"})
    assert loaded.column("a") == [1, 3]
    assert [r.line for r in loaded.rejects] == [2]


def test_keys_are_named_like_columns(load: Load, put: Put) -> None:
    put("x.ndjson", '{"Valor Total": 1, "userId": 2}\n')
    assert list(load({"path": "x.ndjson"}).columns) == ["valor_total", "userid"]
    renamed = load({"path": "x.ndjson", "rename": {"userId": "user_id"}})
    assert list(renamed.columns) == ["valor_total", "user_id"]


def test_the_json_test_suite_is_accounted_for(load: Load, shared_data: Path) -> None:
    folder = shared_data / "suites/JSONTestSuite/test_parsing"
    accepted = load({"path": "y_*.json"}, folder=folder)
    assert accepted.rejects == []
    assert {r["_source"].partition(":")[0] for r in accepted.rows} >= {p.name for p in folder.glob("y_*.json")} - EMPTY
    refused = load({"path": "n_*.json"}, folder=folder)
    assert refused.rows == []
    assert {r.file for r in refused.rejects} == {p.name for p in folder.glob("n_*.json")}
    either = load({"path": "i_*.json"}, folder=folder)
    both = {r.file for r in either.rejects} | {r["_source"].partition(":")[0] for r in either.rows}
    assert both == {p.name for p in folder.glob("i_*.json")}


def test_the_json_test_suite_is_accounted_for_line_by_line(load: Load, shared_data: Path, put: Put) -> None:
    folder = shared_data / "suites/JSONTestSuite/test_parsing"
    files = [p for p in sorted(folder.glob("[yn]_*.json")) if b"\n" not in p.read_bytes().strip()]
    lines = [p.read_bytes().strip() for p in files if p.read_bytes().strip(b"\xef\xbb\xbf \n")]
    names = [p.name for p in files if p.read_bytes().strip(b"\xef\xbb\xbf \n")]
    put("x.ndjson", b"\n".join(lines))
    loaded = load({"path": "x.ndjson"})
    assert {r.line for r in loaded.rejects} == {n for n, name in enumerate(names, 1) if name.startswith("n")}


def test_real_documents_and_events_load_whole(load: Load, shared_data: Path) -> None:
    users = load({"path": "jsonplaceholder_data.json", "records": "$.users"}, folder=shared_data / "api")
    assert len(users.rows) == 10
    assert users.rows[0]["address"]["geo"]["lat"] == "-37.3159"
    for path in sorted((shared_data / "ga4/json").glob("*_input.ndjson")):
        loaded = load({"path": path.name}, folder=path.parent)
        truth = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        assert (len(loaded.rows), loaded.rejects) == (len(truth), [])
        for row, record in zip(loaded.rows, truth, strict=True):
            assert _within(record, row), path.name


LINE = '{{"id": {}, "text": "{}", "amount": {}.5, "at": {{"x": true}}}}'
COUNT = 9000
"""Lines of 1,000 bytes: more than a small file holds."""


def lines(**odd: str) -> str:
    """Return the text of a large file; `odd` gives other lines, by number: just before a place that a sample sees."""
    found = [LINE.format(n, "é" * 470, n) for n in range(1, COUNT + 1)]
    for number, line in odd.items():
        found[int(number.strip("n")) - 1] = line
    return "\n".join(found) + "\n"


def test_a_large_file_of_like_records_is_read_once(load: Load, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    put("x.ndjson", lines())
    monkeypatch.setattr(JsonRecords, "schema", None)
    loaded = load({"path": "x.ndjson", "columns": {"text": {"drop": True}, "amount": {"type": "decimal(9, 2)"}}})
    assert loaded.rejects == loaded.refused == []
    assert loaded.column("id") == list(range(1, COUNT + 1))
    assert loaded.rows[-1] == {
        "id": COUNT,
        "amount": Decimal(f"{COUNT}.50"),
        "at": {"x": True},
        "_source": f"x.ndjson:{COUNT}",
        "_reason": None,
        "_raw": None,
    }


@pytest.mark.parametrize(
    ("odd", "anew", "got"),
    [
        ('{"id": NaN}', 0, None),
        ('{"id": 7, "amount": 0.10, "id": 8}', 0, (8, 0.1)),
        ('{"id": 8, "amount": 7}', 0, (8, 7.0)),
        ('{"id": 8.5, "amount": 7}', 1, (8.5, 7.0)),
        ('{"id": 8, "amount": 0.1, "late": 1}', 1, (8, 0.1)),
        ('{"id": 8, "amount": 9007199254740993}', 1, (8, "9007199254740993")),
    ],
)
def test_a_record_that_no_sample_saw_is_accounted_for(load: Load, put: Put, odd: str, anew: int, got: Any) -> None:
    put("x.ndjson", lines(n2240=odd))
    loaded = load({"path": "x.ndjson", "columns": {"text": {"drop": True}}})
    assert loaded.anew == anew
    assert len(loaded.rows) + len(loaded.rejects) == COUNT
    assert [r.line for r in loaded.rejects] == ([] if got else [2240])
    assert [(r["id"], r["amount"]) for r in loaded.rows if r["_source"] == "x.ndjson:2240"] == [got] * bool(got)
    assert ("late" in loaded.columns) == ("late" in odd)
    assert len({r["_source"] for r in loaded.rows}) == len(loaded.rows)


def test_a_column_of_the_table_that_a_sample_does_not_show_is_looked_for(tmp_path: Path, put: Put) -> None:
    put("x.ndjson", lines(n2240='{"id": 8, "late": 1}'))
    adapter = registry.adapter("sources", "files")(type="files", streams={"s": {"path": "x.ndjson"}})
    (one,) = adapter.read(Reading("s", None, tmp_path, tmp_path, "bronze.files_s"))
    assert "late" not in one.schema.names
    held = one.schema.append(pa.field("late", pa.int64()))
    (two,) = adapter.read(Reading("s", None, tmp_path, tmp_path, "bronze.files_s", held=held))
    assert two.schema == held


def _within(record: Any, row: Any) -> bool:
    """Say whether a row holds all of a record: keys that the record lacks are null."""
    if isinstance(record, dict):
        return isinstance(row, dict) and all(_within(v, row.get(k.lower(), row.get(k))) for k, v in record.items())
    if isinstance(record, list):
        return isinstance(row, list) and len(row) == len(record) and all(map(_within, record, row))
    return bool(record == row or str(record) == row)
