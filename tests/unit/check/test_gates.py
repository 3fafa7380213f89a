"""Declared checks become gates that know what they judge."""

from __future__ import annotations

import pytest

from lagoa.check.gates import gates
from lagoa.errors import ProjectError
from lagoa.ports import Asked
from lagoa.spec.check import CheckSpec
from lagoa.spec.column import Column


def test_a_gate_knows_its_name_column_and_what_it_reads() -> None:
    columns = {"id": Column.model_validate({"checks": ["unique", {"min": 0, "on_fail": "warn", "name": "positive"}]})}
    unique, positive, count = gates(columns, [CheckSpec(kind="row_count", value=3)], [])
    assert [g.name for g in (unique, positive, count)] == ["id unique", "positive", "row_count"]
    assert [(g.judges_rows, g.local) for g in (unique, positive, count)] == [
        (True, False),
        (True, True),
        (False, False),
    ]
    assert positive.breaks(Asked('"id"', "t")) == 'coalesce("id" < 0, false)'


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(ProjectError, match="uniqe") as raised:
        gates({"id": Column.model_validate({"checks": ["uniqe"]})}, [], [])
    assert raised.value.hint == "did you mean `unique`?"
