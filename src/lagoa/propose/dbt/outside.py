"""Finds what models read by its name in the database, without `ref` or `source`, and gives it its name here."""

from __future__ import annotations

import re

from lagoa.propose.dbt.layers import Names, plain_name, source_file
from lagoa.propose.dbt.nouns import Dbt, Node, Said, SourceTable
from lagoa.propose.proposal import Proposal
from lagoa.spec.names import TableName, bronze
from lagoa.sql.transpile import tables_in, tables_replaced

_OF_THE_DATABASE = ("information_schema", "pg_catalog", "sys")
_TABLE = re.compile(r"[\w -]+")


class Outside:
    """Names tables that are written as `schema.table`: a model, a declared source, or a source that is declared now."""

    def __init__(self, dbt: Dbt, names: Names, proposal: Proposal) -> None:
        self.dbt, self.names, self.proposal = dbt, names, proposal
        self.dialect = dbt.dialect or "duckdb"
        self.known = {*names.nodes.values(), *names.sources.values()}

    def named(self, node: Node, text: str) -> str:
        """Return a query in which every such table has its name here. Raises Unreadable."""
        found = {}
        for parts in tables_in(text, self.dialect):
            written = ".".join(parts)
            if len(parts) > 1 and self._is_outside(parts):
                table, what = self._table(node, parts)
                found[written.lower()] = str(table)
                words = f"the {node.sort} `{node.name}` reads `{written}` by its name in the database: it is {what}"
                self.proposal.note("decided", node.file, self._line(node, parts), words)
        return tables_replaced(text, self.dialect, found) if found else text

    def _is_outside(self, parts: tuple[str, ...]) -> bool:
        schema = parts[-2].lower()
        if TableName(schema, parts[-1]) in self.known or schema in _OF_THE_DATABASE:
            return False
        return all(_TABLE.fullmatch(part) for part in parts[-2:])

    def _table(self, node: Node, parts: tuple[str, ...]) -> tuple[TableName, str]:
        schema, name = parts[-2].lower(), parts[-1].lower()
        for other in self.dbt.nodes.values():
            if other is not node and other.sort != "test" and _stands_in(other, schema, name):
                return self.names.nodes[other.name], f"the {other.sort} `{other.name}`"
        for key, source in self.dbt.sources.items():
            if (source.schema.lower(), source.identifier.lower()) == (schema, name):
                return self.names.sources[key], f"the source's table `{'.'.join(key)}`"
        return self._declared(node, parts), f"a table of the source `{plain_name(parts[-2])}`"

    def _declared(self, node: Node, parts: tuple[str, ...]) -> TableName:
        schema, name = parts[-2:]
        source = plain_name(schema)
        said = Said(file=node.file, line=self._line(node, parts))
        self.dbt.sources[source, name] = SourceTable(source, name, name, schema, said)
        table = self.names.sources[source, name] = bronze(source_file(source), plain_name(name))
        self.known.add(table)
        return table

    def _line(self, node: Node, parts: tuple[str, ...]) -> int:
        lines = enumerate(node.text.split("\n"), node.line)
        return next((n for n, line in lines if parts[-1].lower() in line.lower()), node.line)


def _stands_in(node: Node, schema: str, name: str) -> bool:
    """Say whether dbt puts a node into that schema, under that name; a target may give the schema a prefix."""
    own = str(node.config.get("schema") or _written(node, "schema") or "").lower()
    called = str(node.config.get("alias") or _written(node, "alias") or node.name).lower()
    return bool(own) and called == name and (schema == own or schema.endswith(f"_{own}"))


def _written(node: Node, key: str) -> str | None:
    """Find what a model configures in its own file; it is not rendered yet."""
    found = re.search(rf"config\([^)]*\b{key}\s*=\s*['\"]([^'\"]+)['\"]", node.text)
    return found[1] if found else None
