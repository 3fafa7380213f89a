"""Reads dbt's files of properties: what they say of models, seeds, snapshots and sources, and what is homeless."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lagoa.project.yaml import Document, Where
from lagoa.propose.dbt.nouns import Column, Dbt, Node, Said, SourceTable, Test, UnitTest
from lagoa.propose.dbt.versions import latest_of, one_of, taken, version_name

_DOC = re.compile(r"\{\{\s*doc\(\s*(?:['\"][\w.]+['\"]\s*,\s*)?['\"]([\w.]+)['\"]\s*\)\s*\}\}")
_TEST_CONFIG = ("severity", "where", "limit", "warn_if", "error_if", "fail_calc", "store_failures", "enabled", "tags")
_HOMELESS = {
    "exposures": "an exposure: name it in the dashboard or the tool that shows it",
    "metrics": "a metric has no counterpart",
    "semantic_models": "a semantic model has no counterpart",
    "saved_queries": "a saved query has no counterpart",
    "functions": "a function of the database has no counterpart",
}
_READ = frozenset(
    (
        *("name", "description", "config", "columns", "tests", "data_tests", "docs", "meta", "tags", "group", "access"),
        *("relation", "versions", "freshness", "loaded_at_field", "identifier", "external", "data_type", "tables"),
        *("schema", "constraints", "quote", "v", "defined_in"),
    )
)
"""What is read of a model, a source's table or a column."""
Named = Mapping[str, Any]


class Properties:
    """Takes one document of properties after the other into a dbt project."""

    def __init__(self, dbt: Dbt, docs: Mapping[str, str], settle: Callable[[Any], Any]) -> None:
        self.dbt, self.docs, self.settle = dbt, docs, settle

    def take(self, document: Document) -> None:
        """Read a document; what has no place in a Lagoa project goes to the strays."""
        value = document.value if isinstance(document.value, dict) else {}
        for sort in ("models", "seeds", "snapshots"):
            for where, entry in _entries(value.get(sort), (sort,)):
                self._node(sort.rstrip("s"), entry, document, where)
        for where, entry in _entries(value.get("sources"), ("sources",)):
            self._source(entry, document, where)
        for _, entry in _entries(value.get("groups"), ("groups",)):
            owner = entry.get("owner") or {}
            self.dbt.owners[str(entry.get("name"))] = str(owner.get("name") or owner.get("email") or entry.get("name"))
        for where, entry in _entries(value.get("unit_tests"), ("unit_tests",)):
            self._unit_test(entry, document, where)
        for sort, words in _HOMELESS.items():
            for where, entry in _entries(value.get(sort), (sort,)):
                line = document.key(where).line
                self.dbt.strays.append((document.file, line, f"`{entry.get('name')}`: {words}"))

    # ------------------------------------------------------------ nodes
    def _node(self, sort: str, entry: Named, document: Document, where: Where) -> None:
        if sort == "model" and entry.get("versions"):
            self._versions(entry, document, where)
            return
        name = str(entry.get("name"))
        said = self._said(entry, document, where)
        node = self.dbt.nodes.get(name)
        if node is None and sort == "snapshot" and "relation" in entry:
            text = "select * from {{ " + str(entry["relation"]) + " }}"
            node = self.dbt.nodes[name] = Node("snapshot", name, document.file, text, said.line or 1)
        if node is None or node.sort != sort:
            if name not in self.dbt.disabled:
                words = f"`{name}` is described, but there is no {sort} of that name"
                self.dbt.strays.append((document.file, said.line, words))
            return
        node.said = said
        node.config.update(said.config)
        if (node.config.get("contract") or {}).get("enforced"):
            self._constraints(node.said, entry, document, where)

    def _versions(self, entry: Named, document: Document, where: Where) -> None:
        """Read what is said of a model with versions: of all of them, and of each."""
        model = str(entry.get("name"))
        whole = {key: value for key, value in entry.items() if key != "latest_version"}
        shared = self._said(whole, document, where)
        told: list[str] = []
        for at, version in _entries(entry.get("versions"), (*where, "versions")):
            name = version_name(model, version.get("v"))
            node = taken(self.dbt, str(version.get("defined_in") or name), name)
            if node is None:
                words = f"`{name}` is described, but there is no model of that name"
                self.dbt.strays.append((document.file, document.at(at).line, words))
                continue
            node.said = one_of(shared, self._said({"name": name, **version}, document, at), version)
            node.config.update(node.said.config)
            if (node.config.get("contract") or {}).get("enforced"):
                self._constraints(node.said, entry, document, where)
                self._constraints(node.said, version, document, at)
                lacking = [t for t in node.said.constraints if t.column not in (None, *node.said.columns)]
                node.said.constraints = [t for t in node.said.constraints if t not in lacking]
            told.append(str(version.get("v")))
            self.dbt.versions[f"{model}.v{version.get('v')}"] = name
        latest = str(entry.get("latest_version") or latest_of(told))
        if latest in told:
            self.dbt.versions[model] = version_name(model, latest)

    def _said(self, entry: Named, document: Document, where: Where) -> Said:
        line = document.key((*where, "v" if "v" in entry else "name")).line
        said = Said(self._described(entry, document.file, line), file=document.file, line=line)
        said.config = self._config(entry, ("tags", "meta", "group", "access", "docs"))
        self._unread(entry, document, where)
        for at, column in _entries(entry.get("columns"), (*where, "columns")):
            if "include" in column:  # which columns of the model a version has, too
                continue
            self._unread(column, document, at)
            name = str(column.get("name"))
            config = self._config(column, ("tags", "meta"))
            tags = config.get("tags") or []
            said.columns[name] = Column(
                self._described(column, document.file, document.key((*at, "name")).line),
                column.get("data_type"),
                tuple([tags] if isinstance(tags, str) else tags),
                dict(config.get("meta") or {}),
            )
            said.tests += self._tests(column, document, at, name)
        said.tests += self._tests(entry, document, where, None)
        return said

    def _unread(self, entry: Named, document: Document, where: Where) -> None:
        for key in sorted(entry.keys() - _READ):
            words = f"`{key}` of `{entry.get('name')}` has no counterpart"
            self.dbt.strays.append((document.file, document.key((*where, key)).line, words))

    def _config(self, entry: Named, beside: tuple[str, ...]) -> dict[str, Any]:
        """Return what is configured under `config:`, and what older projects write beside it."""
        config = {key: entry[key] for key in beside if key in entry}
        config |= entry.get("config") or {}
        settled: dict[str, Any] = self.settle(config)
        return settled

    def _described(self, entry: Named, file: str, line: int | None) -> str:
        text = str(entry.get("description") or "")
        text = str(self.settle(_DOC.sub(lambda found: self.docs.get(found[1], found[0]), text))).strip()
        if "{{" in text:
            self.dbt.strays.append((file, line, f"a description is left as it is written: {text}"))
        return text

    # ------------------------------------------------------------ tests
    def _constraints(self, said: Said, entry: Named, document: Document, where: Where) -> None:
        places: list[tuple[Where, Named, str | None]] = [(where, entry, None)]
        places += [(at, c, str(c.get("name"))) for at, c in _entries(entry.get("columns"), (*where, "columns"))]
        for place, owner, column in places:
            for at, constraint in _entries(owner.get("constraints"), (*place, "constraints")):
                line = document.at(at).line
                found = list(tests_of_constraint(constraint, document.file, line, column))
                said.constraints += found
                if not found:
                    words = f"the constraint `{constraint.get('type')}` of `{column or entry.get('name')}`"
                    self.dbt.strays.append((document.file, line, f"{words} is not known here"))

    def _tests(self, entry: Named, document: Document, where: Where, column: str | None) -> list[Test]:
        found = []
        for key in ("tests", "data_tests"):
            for number, test in enumerate(entry.get(key) or []):
                line = document.at((*where, key, number)).line
                found.append(test_of(self.settle(test), document.file, line, column))
        return found

    def _unit_test(self, entry: Named, document: Document, where: Where) -> None:
        line = document.key((*where, "name")).line
        if (entry.get("config") or {}).get("enabled") is False:
            self.dbt.disabled[str(entry.get("name"))] = document.file
            return
        test = UnitTest(
            str(entry.get("name")),
            str(entry.get("model")),
            tuple(given for _, given in _entries(entry.get("given"), (*where, "given"))),
            entry.get("expect") or {},
            entry.get("overrides") or {},
            entry.get("versions") or {},
            self._described(entry, document.file, line),
            document.file,
            line,
        )
        self.dbt.unit_tests.append(test)

    # ------------------------------------------------------------ sources
    def _source(self, entry: Named, document: Document, where: Where) -> None:
        source = str(entry.get("name"))
        self._unread({k: v for k, v in entry.items() if k not in ("database", "overrides")}, document, where)
        shared = self._config(entry, ("meta", "tags", "freshness", "loaded_at_field"))
        for at, table in _entries(entry.get("tables"), (*where, "tables")):
            said = self._said(table, document, at)
            own = self._config(table, ("meta", "tags", "freshness", "loaded_at_field", "external"))
            config = {**shared, **own, "meta": {**(shared.get("meta") or {}), **(own.get("meta") or {})}}
            name = str(table.get("name"))
            self.dbt.sources[source, name] = SourceTable(
                source,
                name,
                self.settle(str(table.get("identifier") or name)),
                self.settle(str(entry.get("schema") or source)),
                said,
                config,
                self._described(entry, document.file, document.key((*where, "name")).line),
            )


def _entries(value: Any, where: Where) -> Iterator[tuple[Where, Named]]:
    for number, entry in enumerate(value if isinstance(value, list) else []):
        if isinstance(entry, dict):
            yield (*where, number), entry


def tests_of_constraint(constraint: Named, file: str, line: int | None, column: str | None) -> Iterator[Test]:
    """Say a constraint as tests: of a column, or of the columns that it names."""
    columns = [str(name) for name in constraint.get("columns") or ([column] if column else [])]
    kind = str(constraint.get("type"))
    if kind in ("not_null", "primary_key"):
        yield from (Test("not_null", {}, {}, None, file, line, name) for name in columns)
    if kind in ("unique", "primary_key") and len(columns) == 1:
        yield Test("unique", {}, {}, None, file, line, columns[0])
    elif kind in ("unique", "primary_key") and columns:
        together = {"combination_of_columns": columns}
        yield Test("dbt_utils.unique_combination_of_columns", together, {}, None, file, line)
    elif kind == "check" and constraint.get("expression"):
        yield Test("dbt_utils.expression_is_true", {"expression": constraint["expression"]}, {}, None, file, line)
    elif kind == "foreign_key" and len(constraint.get("to_columns") or []) == len(columns) == 1:
        arguments = {"to": constraint.get("to"), "field": constraint["to_columns"][0]}
        yield Test("relationships", arguments, {}, None, file, line, columns[0])


def test_of(written: Any, file: str, line: int | None, column: str | None) -> Test:
    """Read a test as it is declared: a word, or a mapping in one of dbt's spellings."""
    if not isinstance(written, dict):
        return Test(str(written), {}, {}, None, file, line, column)
    if "test_name" in written:
        kind, arguments = str(written["test_name"]), {k: v for k, v in written.items() if k != "test_name"}
    else:
        kind = str(next((k for k in written if k not in ("name", "config", "description")), ""))
        beside = {k: v for k, v in written.items() if k != kind}
        arguments = {**beside, **(written.get(kind) or {})}
    arguments |= arguments.pop("arguments", None) or {}
    config = dict(arguments.pop("config", None) or {})
    config |= {key: arguments.pop(key) for key in _TEST_CONFIG if key in arguments}
    name = arguments.pop("name", None)
    arguments.pop("description", None)
    arguments.pop("meta", None)
    column = arguments.pop("column_name", column)
    return Test(kind, arguments, config, name, file, line, column)
