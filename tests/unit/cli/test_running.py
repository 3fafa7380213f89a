"""What `plan` and `run` say when something is not as it should be."""

from __future__ import annotations

from pathlib import Path

from deltalake import DeltaTable, write_deltalake

from lagoa.testing.mouth import Lagoa


def project(folder: Path, check: str = "not_null") -> Path:
    (folder / "models/silver").mkdir(parents=True)
    (folder / "lagoa.yml").write_text("name: p\n", encoding="utf-8")
    model = f"/*\ncolumns: {{n: {{checks: [{check}]}}}}\n*/\nselect range as n from range(3)\n"
    (folder / "models/silver/numbers.sql").write_text(model, encoding="utf-8")
    (folder / "models/silver/doubled.sql").write_text("select 2 * n as n from silver.numbers\n", encoding="utf-8")
    return folder


def append_a_row(folder: Path) -> None:
    table = DeltaTable(folder / "lake/silver/numbers")
    write_deltalake(table, table.to_pyarrow_table().slice(0, 1), mode="append")


def test_a_check_that_only_warns_is_told_although_all_is_published(lagoa: Lagoa, tmp_path: Path) -> None:
    folder = project(tmp_path, "{max: 0, on_fail: warn}")
    said = lagoa("-C", folder, "run")
    assert said.code == 0
    assert "warning: silver.numbers: check `n max` found 2 rows" in said.err
    assert "warning" not in lagoa("-C", folder, "run").err
    assert "warning" not in lagoa("-C", folder, "-q", "run", "--full").err


def test_a_table_that_somebody_else_wrote_comes_with_what_to_do(lagoa: Lagoa, tmp_path: Path) -> None:
    folder = project(tmp_path)
    assert lagoa("-C", folder, "run").code == 0
    append_a_row(folder)
    planned, ran, shown = (lagoa("-C", folder, *words) for words in (("plan",), ("run",), ("show", "silver.numbers")))
    assert (planned.code, ran.code, shown.code) == (0, 1, 1)
    for said in (planned, ran, shown):
        assert "error[LG-301]" in said.err
        assert "--accept" in said.err
    assert "lagoa show silver.numbers" in planned.err
    assert "lagoa show silver.numbers" in ran.err
    assert "blocked: LG-301 somebody else wrote" in ran.out
    assert "blocked: silver.numbers is blocked" in ran.out
    assert "silver.numbers  table: LG-301 somebody else wrote." in shown.out


def test_taking_a_table_as_it_is_says_so(lagoa: Lagoa, tmp_path: Path) -> None:
    folder = project(tmp_path)
    lagoa("-C", folder, "run")
    append_a_row(folder)
    said = lagoa("-C", folder, "run", "--accept", "-s", "silver.numbers")
    assert said.code == 0
    assert "silver.numbers: taken as it is, with 4 rows, as version 2" in said.err
    assert "taken" not in lagoa("-C", folder, "run", "--accept").err


def test_what_doctor_finds_is_named_from_the_project_s_folder(lagoa: Lagoa, tmp_path: Path) -> None:
    folder = project(tmp_path)
    lagoa("-C", folder, "run")
    append_a_row(folder)
    said = lagoa("-C", folder, "doctor")
    assert said.code == 1
    assert "lake/silver/numbers/_delta_log" in said.out
    assert str(folder) not in said.out
