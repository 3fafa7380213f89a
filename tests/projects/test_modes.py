"""Append, merge and replace from files: what lands, what is not doubled, and what a changed declaration does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from lagoa import Project
from lagoa.adapters.sources import files
from lagoa.errors import SourceError
from lagoa.ports import Batch, Reading
from lagoa.testing.raft import Raft, batch


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    return Raft(tmp_path)


def one_file_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_BATCH_FILES", 1)


def test_of_a_key_in_two_files_the_file_that_a_person_would_call_later_wins(raft: Raft) -> None:
    raft.source("land", "p: {path: 'p_*.csv', mode: merge, key: id}")
    raft.write("land/p_9.csv", "id,v\n1,nine\n2,only\n")
    raft.write("land/p_10.csv", "id,v\n1,ten\n3,first\n3,last\n")
    raft.ok()
    assert raft.rows("bronze.land_p") == [("1", "ten"), ("2", "only"), ("3", "last")]


def test_the_same_files_one_by_one_or_at_once_merge_to_the_same_rows(tmp_path: Path) -> None:
    whole, stepwise = Raft(tmp_path / "whole"), Raft(tmp_path / "stepwise")
    for raft in (whole, stepwise):
        raft.source("land", "p: {path: 'p_*.csv', mode: merge, key: [id, kind]}")
    for n in (1, 2, 9, 10, 11):
        text = "id,kind,v\n" + "".join(f"{k % 4},{'ab'[k % 2]},{n}-{k}\n" for k in range(n, n + 6))
        whole.write(f"land/p_{n}.csv", text)
        stepwise.write(f"land/p_{n}.csv", text)
        stepwise.ok()
    whole.ok()
    assert whole.rows("bronze.land_p") == stepwise.rows("bronze.land_p")


def test_a_null_key_is_set_aside_and_an_equal_row_is_no_news(raft: Raft) -> None:
    raft.source("land", "p: {path: 'p_*.csv', mode: merge, key: id}")
    raft.write("land/p_1.csv", "id,v\n1,a\n,b\n")
    raft.model("silver.s", "select id, v from bronze.land_p")
    raft.ok()
    assert raft.refused("bronze.land_p") == ["key id is null"]
    raft.write("land/p_2.csv", "id,v\n1,a\n")
    done = raft.ok()
    assert done["silver.s"].status == "unchanged"
    assert raft.rows("bronze.land_p") == [("1", "a")]


ODD = "id,c\n1,c&a\n2,a/b\n3,\n4,c&a\n5,100%\n6,a=b\n7,São Paulo\n"
ODD_ROWS = [("1", "c&a"), ("2", "a/b"), ("3", None), ("4", "c&a"), ("5", "100%"), ("6", "a=b"), ("7", "São Paulo")]


@pytest.mark.parametrize("mode", ["append", "merge", "replace"])
def test_a_partition_keeps_every_value_in_every_mode(raft: Raft, mode: str) -> None:
    raft.source("land", f"p: {{path: 'p_*.csv', mode: {mode}, key: id, partition_by: c}}")
    raft.write("land/p_1.csv", ODD)
    raft.ok()
    assert raft.rows("bronze.land_p") == ODD_ROWS
    raft.write("land/p_2.csv", "id,c\n8,c&a\n9,\n")
    raft.ok()
    assert raft.rows("bronze.land_p") == [*ODD_ROWS, ("8", "c&a"), ("9", None)]
    delta = pa.table(DeltaTable(str(raft.root / "lake/bronze/land_p")).to_pyarrow_table())
    assert sorted(zip(delta["id"].to_pylist(), delta["c"].to_pylist(), strict=True)) == raft.rows("bronze.land_p")


@pytest.mark.parametrize("mode", ["append", "merge", "replace"])
def test_a_file_rewritten_by_the_quarantine_keeps_its_partition(raft: Raft, mode: str) -> None:
    columns = "columns: {id: {type: bigint, checks: [{max: 5, on_fail: quarantine}]}}"
    raft.source("land", f"p: {{path: 'p_*.csv', mode: {mode}, key: id, partition_by: c, {columns}}}")
    raft.write("land/p_1.csv", "id,c\n1,c&a\n9,c&a\nx,\n2,\n")
    raft.ok()
    assert raft.rows("bronze.land_p") == [(1, "c&a"), (2, None)]
    assert len(raft.refused("bronze.land_p")) == 2


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_a_rebuild_of_many_batches_is_one_commit(raft: Raft, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one_file_a_batch(monkeypatch)
    raft.source("land", f"p: {{path: 'p_*.csv', mode: {mode}, key: id}}")
    for n in range(3):
        raft.write(f"land/p_{n}.csv", f"id,v\n{n},a\n7,{n}\n")
    raft.ok()
    assert raft.version("bronze.land_p") == 0
    before = raft.rows("bronze.land_p")
    raft.ok(full=True)
    assert raft.version("bronze.land_p") == 1
    assert raft.rows("bronze.land_p") == before


def test_batches_of_different_types_land_in_files_of_one_type(raft: Raft) -> None:
    def reads(reading: Reading) -> Iterator[Batch]:
        yield batch(pa.table({"id": pa.array([1, 2], pa.int32()), "v": ["a", "b"]}), cursor=1)
        yield batch(pa.table({"id": pa.array([2**40], pa.int64()), "w": [1.5]}), cursor=2)

    raft.script("mode: append", reads)
    raft.ok()
    assert raft.rows("bronze.toy_s") == [(1, "a", None), (2, "b", None), (2**40, None, 1.5)]
    kinds = {str(pq.read_schema(f).field("id").type) for f in (raft.root / "lake/bronze/toy_s").glob("*.parquet")}
    assert kinds == {"int64"}


def test_a_replace_that_comes_in_two_batches_is_whole(raft: Raft) -> None:
    def reads(reading: Reading) -> Iterator[Batch]:
        yield batch(pa.table({"id": [1]}))
        yield batch(pa.table({"id": [2]}))

    raft.script("mode: replace", reads)
    raft.ok()
    raft.ok()
    assert raft.rows("bronze.toy_s") == [(1,), (2,)]
    assert raft.version("bronze.toy_s") == 0


def test_reading_from_the_beginning_again_doubles_nothing_and_loses_nothing(
    raft: Raft, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_file_a_batch(monkeypatch)
    raft.source("land", "p: {path: 'p*.csv', mode: append}\nm: {path: 'p*.csv', mode: merge, key: id}")
    raft.write("land/p1.csv", "id,v\n1,a\n1,a\n2,b\n")
    raft.ok()
    raft.write("land/p2.csv", "id,v\n1,a\n3,b\n")
    raft.ok(reset_cursor=True)
    assert raft.rows("bronze.land_p") == [("1", "a"), ("1", "a"), ("1", "a"), ("2", "b"), ("3", "b")]
    done = raft.ok(reset_cursor=True)
    assert {r.status for r in done.values()} == {"unchanged"}
    assert {r.status for r in raft.ok().values()} == {"unchanged"}


def test_reading_a_merge_again_never_shows_an_old_row(raft: Raft, monkeypatch: pytest.MonkeyPatch) -> None:
    one_file_a_batch(monkeypatch)
    raft.source("land", "m: {path: 'p*.csv', mode: merge, key: id}")
    raft.write("land/p1.csv", "id,v\n1,old\n")
    raft.write("land/p2.csv", "id,v\n1,new\n")
    raft.ok()
    assert raft.ok(reset_cursor=True)["bronze.land_m"].status == "unchanged"
    assert raft.rows("bronze.land_m") == [("1", "new")]


def test_a_replace_follows_fewer_rows_and_refuses_to_be_emptied(raft: Raft) -> None:
    raft.source("land", "p: {path: p.csv, columns: {id: {type: bigint}}}")
    raft.write("land/p.csv", "id\n1\n2\n3\n")
    raft.ok()
    raft.write("land/p.csv", "id\n2\n")
    raft.ok()
    assert raft.rows("bronze.land_p") == [(2,)]
    for nothing in ("id\n", "id\nx\ny\n"):
        raft.write("land/p.csv", nothing)
        error = raft.fails()["bronze.land_p"]
        assert (error.code, error.hint) == ("LG-202", "if that is right, say `allow_empty: true` in the stream")
        assert raft.rows("bronze.land_p") == [(2,)]
    raft.source("land", "p: {path: p.csv, allow_empty: true, columns: {id: {type: bigint}}}")
    raft.ok()
    assert raft.rows("bronze.land_p") == []
    assert raft.refused("bronze.land_p") == ['id: "x" is not a bigint', 'id: "y" is not a bigint']


def test_a_refused_row_does_not_hide_behind_an_equal_number_of_rows(raft: Raft) -> None:
    def reads(last: str | None) -> Iterator[Batch]:
        yield batch(pa.table({"id": ["1", last]}))

    raft.script("mode: replace, columns: {id: {type: bigint}}", lambda _: reads(None))
    raft.ok()
    assert raft.rows("bronze.toy_s") == [(1,), (None,)]
    raft.script("mode: replace, columns: {id: {type: bigint}}", lambda _: reads("x"))
    raft.ok()
    assert raft.rows("bronze.toy_s") == [(1,)]
    assert raft.refused("bronze.toy_s") == ["id is not bigint"]


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        ("", "columns: {n: {type: bigint}}", "its declared types"),
        ("", "partition_by: n", "its partitions"),
        ("", "columns: {n: {drop: true}}", "which columns are dropped"),
        ("", "columns: {n: {pii: phone}}", "which columns are personal"),
    ],
)
def test_a_replace_applies_a_changed_declaration_without_a_new_file(
    raft: Raft, first: str, then: str, said: str
) -> None:
    raft.source("land", f"p: {{path: p.csv, {first}}}")
    raft.write("land/p.csv", "id,n\na,1\nb,2\n")
    raft.ok()
    raft.source("land", f"p: {{path: p.csv, {then}}}")
    assert raft.plan()["bronze.land_p"].reason == f"asks land.p for everything; {said} changed"
    raft.ok()
    calm = Raft(raft.root / "calm")
    calm.source("land", f"p: {{path: p.csv, {then}}}")
    calm.write("land/p.csv", "id,n\na,1\nb,2\n")
    calm.ok()
    assert raft.rows("bronze.land_p") == calm.rows("bronze.land_p")
    with raft.open() as project, calm.open() as other:
        mine, its = project.table("bronze.land_p"), other.table("bronze.land_p")
        assert (mine.schema, mine.partition_by) == (its.schema, its.partition_by)
        low = [file.low.get("n") for file in mine.files.values()]
        assert low == [file.low.get("n") for file in its.files.values()]
    assert raft.ok()["bronze.land_p"].status == "unchanged"


def test_an_append_says_what_a_changed_declaration_leaves_behind(raft: Raft) -> None:
    raft.source("land", "p: {path: 'p*.csv', mode: append}")
    raft.write("land/p1.csv", "id,n\na,1\n")
    raft.ok()
    raft.source("land", "p: {path: 'p*.csv', mode: append, columns: {n: {drop: true}}}")
    raft.write("land/p2.csv", "id,n\nb,2\n")
    raft.ok()
    assert raft.rows("bronze.land_p") == [("a", "1"), ("b", None)]
    assert "`lagoa run --full -s bronze.land_p` loads them anew" in raft.notes()[0]
    raft.ok(full=True)
    assert raft.rows("bronze.land_p") == [("a",), ("b",)]


def test_an_append_refuses_a_narrower_type_until_it_is_rebuilt(raft: Raft) -> None:
    raft.source("land", "p: {path: 'p*.csv', mode: append}")
    raft.write("land/p1.csv", "id\n1\n")
    raft.ok()
    raft.source("land", "p: {path: 'p*.csv', mode: append, columns: {id: {type: bigint}}}")
    for _ in range(2):
        error = raft.fails()["bronze.land_p"]
        assert error.code == "LG-308"
        assert "--full" in (error.hint or "")
    raft.ok(full=True)
    assert raft.rows("bronze.land_p") == [(1,)]


def test_an_append_widens_a_declared_type_at_once(raft: Raft) -> None:
    raft.source("land", "p: {path: 'p*.csv', mode: append, columns: {id: {type: integer}}}")
    raft.write("land/p1.csv", "id\n1\n")
    raft.ok()
    raft.source("land", "p: {path: 'p*.csv', mode: append, columns: {id: {type: bigint}}}")
    raft.ok()
    with raft.open() as project:
        assert project.table("bronze.land_p").schema.field("id").type == pa.int64()
    assert raft.rows("bronze.land_p") == [(1,)]
    assert raft.ok()["bronze.land_p"].status == "unchanged"


@pytest.mark.parametrize("word", ["key", "partition_by"])
def test_a_key_or_a_partition_that_is_no_column_is_named(raft: Raft, word: str) -> None:
    raft.source("land", f"p: {{path: p.csv, mode: merge, key: id, {word}: idd}}".replace("key: id, key", "key"))
    raft.write("land/p.csv", "id\n1\n")
    error = raft.fails()["bronze.land_p"]
    assert isinstance(error, SourceError)
    assert f"no column `idd`, which `{word}:` names" in error.message
    assert error.hint == "did you mean `id`?"


def test_names_in_another_case_are_the_same_columns(raft: Raft) -> None:
    def reads(reading: Reading) -> Iterator[Batch]:
        yield batch(pa.table({"Id": [1, 1], "CPF": ["a", "b"], "N": [3, 9]}), cursor=1)

    columns = "cpf: {pii: cpf}, n: {checks: [{max: 5, on_fail: quarantine}]}"
    raft.script(f"mode: merge, key: id, partition_by: n, columns: {{{columns}}}", reads)
    raft.ok()
    with raft.open() as project:
        table = project.table("bronze.toy_s")
        assert not any("CPF" in file.low for file in table.files.values()), "a CPF in the log's statistics"
        assert table.rows + len(raft.refused("bronze.toy_s")) == 1


def test_what_is_dropped_never_lands_whatever_its_case(raft: Raft) -> None:
    def reads(reading: Reading) -> Iterator[Batch]:
        yield batch(pa.table({"Id": ["1", "x"], "Notes": ["secret-1", "secret-2"]}))

    raft.script("columns: {id: {type: bigint}, notes: {drop: true}}", reads)
    raft.ok()
    assert raft.rows("bronze.toy_s") == [(1,)]
    assert raft.refused("bronze.toy_s") == ["Id is not bigint"]
    found = [p for p in (raft.root / "lake").rglob("*") if p.is_file() and b"secret" in p.read_bytes()]
    assert not found


@pytest.mark.parametrize("kind", ["key: id", "time: day"])
def test_an_append_model_follows_an_incremental_one_that_only_grew(tmp_path: Path, kind: str) -> None:
    raft = Raft(tmp_path)
    raft.source("land", 'sales: {path: "*.parquet", mode: merge, key: id}')
    raft.parquet("land/1.parquet", id=[1, 2], day=[date(2024, 1, 1)] * 2)
    raft.model("silver.sales", "select id, day from bronze.land_sales", f"kind: incremental\n{kind}")
    raft.model("gold.seen", "select id from silver.sales", "kind: append")
    raft.ok()
    raft.parquet("land/2.parquet", id=[3, 4], day=[date(2024, 1, 2)] * 2)
    assert raft.ok()["gold.seen"].rows == 2
    raft.parquet("land/3.parquet", id=[3, 5], day=[date(2024, 1, 3)] * 2)
    error = raft.fails()["gold.seen"]
    assert (error.code, "rows of `silver.sales` were changed or removed" in error.message) == ("LG-501", True)
    assert "--full" in str(error.hint)


def test_a_replace_that_brings_the_same_good_and_bad_rows_is_no_news(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "lagoa.yml").write_text("name: till\n")
    (tmp_path / "sources/till.yml").write_text("type: sqlite\npath: till.db\nstreams: {sales: {table: sales}}\n")

    def sell(script: str) -> tuple[int, list[Any]]:
        with sqlite3.connect(tmp_path / "till.db") as file:
            file.executescript(script)
        with Project.open(tmp_path) as project:
            assert project.run().ok
            bad = project.query("select _reason from quarantine.bronze_till_sales order by 1").read_all()
            return project.table("bronze.till_sales").version, bad["_reason"].to_pylist()

    version, bad = sell("create table sales (id integer primary key, n int); insert into sales values (1, 1), (2, 'x')")
    assert bad == ["n is x, which is no whole number"]
    assert sell("select 1") == (version, bad)
    assert sell("update sales set n = 'y' where id = 2") == (version + 1, ["n is y, which is no whole number"])
    assert sell("insert into sales values (3, 3)")[0] == version + 2
    assert sell("delete from sales where id = 2") == (version + 3, [])
    assert sell("select 1") == (version + 3, [])


def test_a_record_unlike_all_that_were_read_before_it_changes_the_columns_and_nothing_is_doubled(raft: Raft) -> None:
    """A large file of lines is read by the columns of a sample, and once more when these turn out to be too few."""
    raft.source("land", "p: {path: 'p*.ndjson', mode: append, schema: freeze}")
    usual = [f'{{"id": {n}, "text": "{"x" * 970}"}}' for n in range(9000)]
    odd = [*usual[:2300], '{"id": 1.5, "late": "here"}', *usual[2300:]]
    raft.write("land/p1.ndjson", "\n".join(odd) + "\n")
    raft.ok()
    with raft.open() as project:
        asked = "select count(*) as n, count(distinct _source) as lines, sum(id) as ids, min(late) as late"
        found = project.query(f"{asked} from bronze.land_p").read_all().to_pylist()
    assert found == [{"n": 9001, "lines": 9001, "ids": 40495501.5, "late": "here"}]
    assert raft.notes() == []
    # what the sample does not show of a table's columns is looked for: a frozen table is not said to lose one
    raft.write("land/p2.ndjson", "\n".join(odd) + "\n")
    raft.ok()
    with raft.open() as project:
        assert project.table("bronze.land_p").rows == 18002


def test_what_is_found_out_while_a_file_is_read_is_told(raft: Raft) -> None:
    raft.source("land", "p: {path: p.csv}")
    raft.write("land/p.csv", "a\nção\n".encode("cp1252"))
    raft.ok()
    assert raft.notes() == ["read p.csv as cp1252"]
