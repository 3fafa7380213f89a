"""Personal data keeps no statistics in any table that it reaches, whatever a model calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lagoa.testing.raft import Raft

PERSON = "529.982.247-25"


@pytest.fixture
def raft(tmp_path: Path) -> Raft:
    """A stream with a personal column, a view and models that pass it on under other names."""
    raft = Raft(tmp_path)
    raft.source("land", "p: {path: 'p*.csv', columns: {id: {type: bigint}, cpf: {pii: cpf}}}")
    raft.write("land/p1.csv", f"id,cpf,city\n1,{PERSON},Recife\n2,{PERSON},Olinda\n")
    raft.model("silver.v", "select id, cpf as doc, city from bronze.land_p", "kind: view")
    raft.model("silver.people", "select * replace (upper(doc) as doc) from silver.v")
    raft.model("gold.people", "select doc as person, city, count(doc) over () as n from silver.people")
    raft.write(
        "models/gold/made.py",
        '"""Made.\n---\ninputs: {p: gold.people}\n"""\n\n\ndef model(p):\n    return p.project("person, city")\n',
    )
    return raft


def _logged(raft: Raft, table: str) -> str:
    folder = raft.root / "lake" / table.replace(".", "/") / "_delta_log"
    return "".join(path.read_text("utf-8") for path in sorted(folder.glob("*.json")))


@pytest.mark.parametrize("table", ["bronze.land_p", "silver.people", "gold.people", "gold.made"])
def test_the_log_holds_no_value_of_a_personal_column_nor_of_what_is_made_of_it(raft: Raft, table: str) -> None:
    raft.ok()
    log = _logged(raft, table)
    assert PERSON not in log
    assert "Recife" in log  # the others keep theirs


def test_a_column_that_is_said_not_to_be_personal_keeps_its_statistics(raft: Raft) -> None:
    raft.model("gold.people", "select left(doc, 3) as area, city from silver.people", "columns: {area: {pii: null}}")
    raft.write("models/gold/made.py", '"""Made.\n---\ninputs: {p: gold.people}\n"""\n\n\ndef model(p):\n    return p\n')
    raft.ok()
    assert '\\"area\\":\\"529\\"' in _logged(raft, "gold.people")
    assert '\\"area\\":\\"529\\"' in _logged(raft, "gold.made")


def test_nothing_is_built_again_for_what_is_inherited(raft: Raft) -> None:
    raft.ok()
    assert {result.status for result in raft.ok().values()} <= {"unchanged", "view"}


def _findings(raft: Raft) -> list[tuple[str, str]]:
    with raft.open() as project:
        return [(str(f.table), f.what.partition(" is personal")[0]) for f in project.doctor() if f.code == "LG-311"]


def test_a_column_that_became_personal_later_is_something_to_do_until_it_is_written_anew(raft: Raft) -> None:
    raft.source("land", "p: {path: 'p*.csv', mode: append, columns: {id: {type: bigint}}}")
    raft.ok()
    assert _findings(raft) == []
    raft.source("land", "p: {path: 'p*.csv', mode: append, columns: {id: {type: bigint}, cpf: {pii: cpf}}}")
    named = [
        ("bronze.land_p", "`cpf`"),
        ("gold.made", "`person`"),
        ("gold.people", "`person`"),
        ("silver.people", "`doc`"),
    ]
    assert _findings(raft) == named
    raft.ok()
    assert _findings(raft) == named  # what was read before it was declared lies as it lay
    raft.ok(full=True)
    assert _findings(raft) == []


def test_the_finding_names_where_it_was_declared_and_the_command_that_cures(raft: Raft) -> None:
    raft.model("gold.city", "select city as town from bronze.land_p")
    raft.ok()
    raft.source(
        "land", "p: {path: 'p*.csv', mode: append, columns: {id: {type: bigint}, cpf: {pii: cpf}, city: {pii: place}}}"
    )
    with raft.open() as project:
        (found,) = project.doctor(["gold.city"])
    assert found.what == (
        "`town` is personal (place), as bronze.land_p.city is, and its least and greatest values stand in the log; "
        "`lagoa run --full -s gold.city` writes it without"
    )
    raft.ok("gold.city", full=True)
    with raft.open() as project:
        assert project.doctor(["gold.city"]) == []
