"""Turns dbt's tests into checks: beside a column, for a table, or as a query of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lagoa.errors import ProjectError
from lagoa.propose.dbt.landed import compares_rows, without_landed
from lagoa.propose.dbt.layers import Names, is_reference
from lagoa.propose.dbt.nouns import Dbt, Test
from lagoa.propose.dbt.render import Failed, Renderer
from lagoa.propose.proposal import Proposal
from lagoa.spec.names import TableName
from lagoa.sql.parse import parse
from lagoa.sql.transpile import Unreadable, expression, transpile

_SECONDS = {"second": "s", "minute": "m", "hour": "h", "day": "d"}
_SIMPLE_COLUMN = re.compile(r"\w+")


@dataclass
class Gates:
    """The checks of one table, as they will stand in its header."""

    columns: dict[str, list[Any]] = field(default_factory=dict)
    table: list[Any] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Say whether there is any."""
        return bool(self.columns or self.table)


@dataclass(frozen=True)
class Query:
    """A check that is a query: the rows that it returns break it."""

    name: str
    body: str
    warn: bool
    file: str
    line: int | None
    about: str
    guards: TableName | None = None


class Untranslatable(Exception):
    """A test that has no counterpart, and why."""


class Checks:
    """Collects the checks of all tables; what cannot be said is noted."""

    def __init__(self, dbt: Dbt, names: Names, renderer: Renderer, proposal: Proposal) -> None:
        self.dbt, self.names, self.renderer, self.proposal = dbt, names, renderer, proposal
        self.gates: dict[TableName, Gates] = {}
        self.queries: list[Query] = []
        self.dialect = dbt.dialect or "duckdb"
        self.theirs = {m.name if m.package == dbt.name else f"{m.package}.{m.name}" for m in dbt.macros}

    def take(self, table: TableName, tests: list[Test], inputs: Mapping[TableName, list[TableName]]) -> None:
        """Take the tests of a table; `inputs` are the tables that each model reads."""
        for test in tests:
            if test.config.get("enabled") is False:
                continue
            try:
                self._take(table, test, inputs)
                self.proposal.tests += 1
            except (Untranslatable, Unreadable, Failed, KeyError) as why:
                words = f"needs {why}" if isinstance(why, KeyError) else str(why)
                about = f"{test.column} {test.kind}" if test.column else test.kind
                self.proposal.note("untranslated", test.file, test.line, f"the test `{about}` of `{table}`: {words}")

    def _take(self, table: TableName, test: Test, inputs: Mapping[TableName, list[TableName]]) -> None:
        for key in ("warn_if", "error_if", "limit", "fail_calc", "store_failures"):
            if test.config.get(key) not in (None, False):
                words = f"the test `{test.kind}` of `{table}`: `{key}` has no counterpart"
                self.proposal.note("decided", test.file, test.line, words)
        kind = test.kind.removeprefix("dbt.")
        own = f"test_{kind}" if "." not in kind else f"{kind.replace('.', '.test_')}"
        is_theirs = own in self.theirs
        simple, written = _SIMPLE.get(kind), _WRITTEN.get(kind.removeprefix("dbt_utils."))
        if is_theirs and "." not in kind:  # a test of the project's own hides the one of that name
            self._query(table, test, self._rendered(own, table, test))
        elif simple is not None:
            said = simple(self, table, test)
            if self._turns_round(table, said, inputs):
                self._query(table, test, self._related(table, test), _table_of(said))
            elif said is not None:
                self._put(table, test, said)
        elif written is not None:
            self._query(table, test, written(self, table, test))
        elif is_theirs:
            self._query(table, test, self._rendered(own, table, test))
        else:
            raise Untranslatable("nothing is known of it")

    # ------------------------------------------------------------ where they go
    def _put(self, table: TableName, test: Test, said: dict[str, Any]) -> None:
        more: dict[str, Any] = {"on_fail": "warn"} if _warns(test) else {}
        if test.name:
            more["name"] = test.name
        if where := test.config.get("where"):
            more["where"] = expression(self.renderer.text(str(where)).text, self.dialect)
        ((kind, value),) = said.items()
        entry = kind if value is True and not more else {**said, **more}
        gates = self.gates.setdefault(table, Gates())
        column = _column(test)
        if column is None or kind == "freshness":
            gates.table.append(entry)
        else:
            gates.columns.setdefault(column, []).append(entry)

    def _query(self, table: TableName, test: Test, body: str, guards: TableName | None = None) -> None:
        if where := test.config.get("where"):
            body = body.replace(f"from {table}", f"from (select * from {table} where {where}) as t", 1)
        parts = [table.name, test.kind.rpartition(".")[2], test.column or ""]
        name = test.name or re.sub(r"\W+", "_", "_".join(p for p in parts if p)).lower()
        about = f"{test.column} {test.kind}" if test.column else test.kind
        self.add(Query(name, body, _warns(test), test.file, test.line, f"`{about}` of `{table}`", guards or table))

    def add(self, query: Query) -> None:
        """Take a check that is a query in the project's dialect. Raises Unreadable."""
        changed = transpile(query.body, self.dialect)
        for change in changed.changes:
            line = query.line if query.guards else (query.line or 1) + change.line - 1
            self.proposal.note("sql", query.file, line, f"`{change.before}` → `{change.after}`")
        taken = {q.name for q in self.queries}
        name = next(n for n in (query.name, *(f"{query.name}_{i}" for i in range(2, 999))) if n not in taken)
        text = without_landed(changed.text) if compares_rows(changed.text) else changed.text
        try:
            found = parse(text, query.file)
        except ProjectError as error:
            raise Unreadable(str(error), 1) from None
        if found.trouble:
            raise Unreadable(*found.trouble[:2])
        self.queries.append(Query(name, text, query.warn, query.file, query.line, query.about, query.guards))

    def _turns_round(
        self, table: TableName, said: dict[str, Any] | None, inputs: Mapping[TableName, list[TableName]]
    ) -> bool:
        """Say whether a foreign key points at a table that is made from this one, and so must be checked after it."""
        other = _table_of(said)
        if other is None or other == table:
            return False
        waiting, behind = [other], set[TableName]()
        while waiting:
            name = waiting.pop()
            waiting += [i for i in inputs.get(name, []) if i not in behind]
            behind.add(name)
        return table in behind

    # ------------------------------------------------------------ what they say
    def relation(self, written: str) -> TableName:
        """Find the table that `ref('x')` or `source('a', 'b')` names. Raises Untranslatable."""
        table = self.names.of(written)
        if table is None:
            raise Untranslatable(f"`{written}` is no table here")
        return table

    def _related(self, table: TableName, test: Test) -> str:
        other = self.relation(str(test.arguments["to"]))
        column = test.column
        known = f"select {test.arguments['field']} from {other} where {test.arguments['field']} is not null"
        return f"select * from {table}\nwhere {column} is not null and {column} not in ({known})"

    def _rendered(self, macro: str, table: TableName, test: Test) -> str:
        model: Any = {"relation": str(table)}
        if where := test.config.get("where"):
            model = f"(select * from {table} where {where}) as dbt_subquery"
            test.config.pop("where")
        arguments = {k: self._argument(v) for k, v in test.arguments.items()}
        if test.column:
            arguments["column_name"] = test.column
        rendered = self.renderer.macro(macro, {"model": model, **arguments})
        test.config = {**rendered.config, **test.config}  # a test may say its severity where it is written
        return rendered.text

    def _argument(self, value: Any) -> Any:
        if isinstance(value, str) and is_reference(value):
            return {"relation": str(self.relation(value))}
        return value


def _warns(test: Test) -> bool:
    return str(test.config.get("severity") or "").lower() == "warn"


def _column(test: Test) -> str | None:
    if test.column is None:
        return None
    plain = test.column.strip('"`')
    if not _SIMPLE_COLUMN.fullmatch(plain):
        raise Untranslatable(f"`{test.column}` is no column but an expression")
    return plain


def _table_of(said: dict[str, Any] | None) -> TableName | None:
    written = (said or {}).get("foreign_key")
    return TableName.parse(written.rpartition(".")[0]) if written else None


# ---------------------------------------------------------------- checks beside a column or a table
Said = dict[str, Any]


def _needs_column(test: Test) -> None:
    if test.column is None:
        raise Untranslatable("it names no column")


def _unique(_checks: Checks, _table: TableName, test: Test) -> Said:
    _needs_column(test)
    return {"unique": True}


def _not_null(_checks: Checks, _table: TableName, test: Test) -> Said:
    _needs_column(test)
    return {"not_null": True}


def _accepted(_checks: Checks, _table: TableName, test: Test) -> Said:
    _needs_column(test)
    return {"in": list(test.arguments["values"])}


def _relationship(checks: Checks, _table: TableName, test: Test) -> Said:
    _needs_column(test)
    return {"foreign_key": f"{checks.relation(str(test.arguments['to']))}.{str(test.arguments['field']).lower()}"}


def _together(checks: Checks, table: TableName, test: Test) -> Said:
    columns = [str(c) for c in test.arguments["combination_of_columns"]]
    if not all(_SIMPLE_COLUMN.fullmatch(c) for c in columns):
        raise Untranslatable("it combines expressions")
    words = f"the test `{test.kind}` of `{table}`: rows with a null in these columns pass here"
    checks.proposal.note("decided", test.file, test.line, words)
    return {"unique": columns}


def _range(checks: Checks, table: TableName, test: Test) -> Said | None:
    _needs_column(test)
    bounds = {word: test.arguments.get(f"{word}_value") for word in ("min", "max")}
    if test.arguments.get("inclusive", True) is False or any(isinstance(b, str) for b in bounds.values()):
        tests = {"min": "<" if test.arguments.get("inclusive", True) else "<=", "max": ">"}
        tests["max"] += "" if tests["min"] == "<" else "="
        broken = " or ".join(f"{test.column} {tests[w]} {b}" for w, b in bounds.items() if b is not None)
        checks._query(table, test, f"select * from {table} where {broken}")
        return None
    found = [{word: bound} for word, bound in bounds.items() if bound is not None]
    for said in found[1:]:
        checks._put(table, test, said)
    return found[0] if found else None


def _recency(_checks: Checks, _table: TableName, test: Test) -> Said:
    unit = _SECONDS.get(str(test.arguments["datepart"]))
    if unit is None or test.arguments.get("group_by_columns"):
        raise Untranslatable("only seconds, minutes, hours and days of the whole table are known")
    age = f"{test.arguments['interval']}{unit}"
    return {"freshness": {"column": str(test.arguments["field"]), "max_age": age}}


Simple = Callable[[Checks, TableName, Test], Said | None]
_SIMPLE: Mapping[str, Simple] = {
    "unique": _unique,
    "not_null": _not_null,
    "accepted_values": _accepted,
    "relationships": _relationship,
    "dbt_utils.unique_combination_of_columns": _together,
    "dbt_utils.accepted_range": _range,
    "dbt_utils.recency": _recency,
}


# ---------------------------------------------------------------- checks that are queries
def _true(checks: Checks, table: TableName, test: Test) -> str:
    said = str(test.arguments["expression"])
    condition = f"{test.column} {said}" if test.column else said
    return f"select * from {table} where not ({checks.renderer.text(condition).text})"


def _not_empty(_checks: Checks, table: TableName, test: Test) -> str:
    value = f"trim({test.column})" if test.arguments.get("trim_whitespace", True) else test.column
    return f"select * from {table} where {value} = ''"


def _not_accepted(_checks: Checks, table: TableName, test: Test) -> str:
    quoted = test.arguments.get("quote", True)
    values = ["'" + str(v).replace("'", "''") + "'" if quoted else str(v) for v in test.arguments["values"]]
    return f"select * from {table} where {test.column} in ({', '.join(values)})"


def _one(_checks: Checks, table: TableName, test: Test) -> str:
    return f"select count({test.column}) as filled from {table} having count({test.column}) = 0"


def _not_constant(_checks: Checks, table: TableName, test: Test) -> str:
    return f"select count(distinct {test.column}) as known from {table} having count(distinct {test.column}) = 1"


def _same_count(checks: Checks, table: TableName, test: Test) -> str:
    other = checks.relation(str(test.arguments["compare_model"]))
    return f"select count(*) as counted from {table} having count(*) <> (select count(*) from {other})"


def _equality(checks: Checks, table: TableName, test: Test) -> str:
    other = checks.relation(str(test.arguments["compare_model"]))
    if test.arguments.get("precision") is not None:
        raise Untranslatable("`precision` is not known here")
    without = ", ".join(map(str, test.arguments.get("exclude_columns") or ()))
    columns = ", ".join(map(str, test.arguments.get("compare_columns") or ())) or "*"
    columns += f" exclude ({without})" if without else ""
    mine, its = f"select {columns} from {table}", f"select {columns} from {other}"
    return f"({mine} except {its})\nunion all\n({its} except {mine})"


def _fewer(checks: Checks, table: TableName, test: Test) -> str:
    other = checks.relation(str(test.arguments["compare_model"]))
    return f"select count(*) as counted from {table} having count(*) >= (select count(*) from {other})"


def _relationship_where(checks: Checks, table: TableName, test: Test) -> str:
    other, field = checks.relation(str(test.arguments["to"])), test.arguments["field"]
    mine, its = (test.arguments.get(f"{side}_condition", "1 = 1") for side in ("from", "to"))
    known = f"select {field} from {other} where {field} is not null and ({its})"
    return f"select * from {table}\nwhere {test.column} is not null and ({mine}) and {test.column} not in ({known})"


def _proportion(_checks: Checks, table: TableName, test: Test) -> str:
    share = f"count({test.column}) * 1.0 / nullif(count(*), 0)"
    least, most = test.arguments["at_least"], test.arguments.get("at_most", 1.0)
    return f"select {share} as share from {table} having {share} < {least} or {share} > {most}"


_WRITTEN: Mapping[str, Callable[[Checks, TableName, Test], str]] = {
    "expression_is_true": _true,
    "not_empty_string": _not_empty,
    "not_accepted_values": _not_accepted,
    "at_least_one": _one,
    "not_constant": _not_constant,
    "equal_rowcount": _same_count,
    "equality": _equality,
    "fewer_rows_than": _fewer,
    "relationships_where": _relationship_where,
    "not_null_proportion": _proportion,
}
