"""Turns dbt's unit tests into tests of models: the same rows given and expected, under Lagoa's names."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from lagoa.propose.dbt.layers import Names
from lagoa.propose.dbt.nouns import Dbt, UnitTest
from lagoa.propose.dbt.versions import of_each_version
from lagoa.propose.proposal import Proposal
from lagoa.propose.yaml_lines import as_yaml
from lagoa.spec.names import TableName

Inputs = Mapping[TableName, Sequence[TableName]]


class Untold(Exception):
    """A unit test that has no counterpart, and why."""


class Trials:
    """Writes the unit tests of a project; `inputs` are the tables that each translated model reads."""

    def __init__(self, dbt: Dbt, names: Names, inputs: Inputs, proposal: Proposal) -> None:
        self.dbt, self.names, self.inputs, self.proposal = dbt, names, inputs, proposal

    def write(self) -> None:
        """Write a file of tests for each model that has any; what cannot be said is noted."""
        written: dict[str, dict[str, Any]] = {}
        taken: set[str] = set()
        for test in (each for declared in self.dbt.unit_tests for each in of_each_version(declared, self.dbt)):
            try:
                model, said = self._said(test)
            except Untold as why:
                words = f"the unit test `{test.name}` of `{test.model}`: {why}"
                self.proposal.note("untranslated", test.file, test.line, words)
                continue
            name = test.name if test.name not in taken else f"{test.model}_{test.name}"
            taken.add(name)
            file = f"tests/{model.name}.yml"
            written.setdefault(file, {})[name] = said
            self.proposal.made[f"unit test {test.name}"] = file
        self.proposal.files |= {file: as_yaml(tests) for file, tests in written.items()}

    def _said(self, test: UnitTest) -> tuple[TableName, dict[str, Any]]:
        model = self.names.nodes.get(test.model)
        if model is None or model not in self.inputs:
            raise Untold("its model was not translated")
        self._same_text(test.overrides)
        given = {}
        behind = self._behind(model)
        for entry in test.given:
            table = self._input(str(entry.get("input")))
            if table in behind:
                given[str(table)] = self._rows(entry)
            else:
                words = f"the unit test `{test.name}` gives rows of `{table}`, which `{model}` does not read"
                self.proposal.note("decided", test.file, test.line, words)
        expected = self._rows(test.expect)
        if expected:  # dbt compares the columns of the first row; what a later row leaves out is null
            expected = [{**dict.fromkeys(expected[0]), **row} for row in expected]
        said = {"description": test.description, "given": given, "expect": {str(model): expected}}
        return model, {key: value for key, value in said.items() if value}

    def _same_text(self, overrides: Mapping[str, Any]) -> None:
        """Refuse a test that changes what the model's query is: here it is rendered once, and before any test."""
        macros = dict(overrides.get("macros") or {})
        if str(macros.pop("is_incremental", False)).lower() == "true":
            raise Untold(
                "it tests what `is_incremental()` adds, which is not in the query; `then:` tests what comes later"
            )
        variables = overrides.get("vars") or {}
        changed = [name for name, value in variables.items() if self.dbt.variables.get(name) != value]
        for name in (*macros, *changed, *(overrides.get("env_vars") or {})):
            raise Untold(f"it overrides `{name}`, which is a part of the query here")

    def _input(self, written: str) -> TableName:
        table = self.names.of(written)
        if table is None:
            raise Untold(f"it gives rows of `{written}`, which is no table here")
        return table

    def _behind(self, model: TableName) -> set[TableName]:
        waiting, found = [*self.inputs[model]], set[TableName]()
        while waiting:
            table = waiting.pop()
            if table not in found:
                found.add(table)
                waiting += self.inputs.get(table, ())
        return found

    # ------------------------------------------------------------ rows
    def _rows(self, said: Mapping[str, Any]) -> list[dict[str, Any]]:
        form, rows = str(said.get("format") or "dict"), said.get("rows")
        if said.get("fixture"):
            rows = self._fixture(str(said["fixture"]), form)
        if form == "sql":
            raise Untold("its rows are SQL: write them out")
        if isinstance(rows, str):
            return [_read(row) for row in csv.DictReader(io.StringIO(rows.strip()), skipinitialspace=True)]
        if not isinstance(rows or [], list):
            raise Untold("its rows are no list")
        return [{str(name).lower(): value for name, value in row.items()} for row in rows or []]

    def _fixture(self, name: str, form: str) -> str:
        path = self.dbt.fixtures.get(name.removesuffix(f".{form}"))
        if path is None or path.suffix != f".{form}":
            raise Untold(f"there is no fixture `{name}.{form}`")
        return path.read_text(encoding="utf-8", errors="replace")


def _read(row: Mapping[str, str | None]) -> dict[str, Any]:
    """Read a line of CSV: a field without text is null, as dbt has it."""
    return {str(name).strip().lower(): (value or "").strip() or None for name, value in row.items()}
