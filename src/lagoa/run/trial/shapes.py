"""Says what columns a table of a test has, so that a test need only name those that matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from lagoa.errors import LagoaError
from lagoa.kit.declared_types import arrow_types
from lagoa.lake.quarantine import SCHEMA
from lagoa.lake.store import Lake
from lagoa.ports import LOADED_AT, RUN, SOURCE, Engine
from lagoa.project.model import Model, Project
from lagoa.spec.names import QUARANTINE, TableName
from lagoa.sql.lineage import Origin, QueryLineage, lineage
from lagoa.transform.history import with_history
from lagoa.transform.sql_model import columns_of

Types = Mapping[str, pa.DataType]
_OWN: Types = {RUN: pa.string(), LOADED_AT: pa.timestamp("us", "UTC"), SOURCE: pa.string()}


@dataclass(frozen=True)
class Shape:
    """A table's columns with their types; when it is not `whole` there may be others."""

    types: Types
    whole: bool


class Shapes:
    """The columns of a project's tables: as declared, as models give them, as the lake has them.

    Without a lake only the project's files count, which are the same on every machine.
    """

    def __init__(self, project: Project, engine: Engine, lake: Lake | None) -> None:
        self._project, self._engine, self._lake = project, engine, lake
        self._found: dict[TableName, Shape] = {}
        self._lineage: dict[TableName, QueryLineage] = {}

    def of(self, name: TableName) -> Shape:
        """Give a table's columns."""
        for needed in self._before(name):
            if needed not in self._found:
                self._found[needed] = self._shape(needed)
        return self._found[name]

    def _before(self, name: TableName) -> list[TableName]:
        """List a table after all that it is made of."""
        models = self._project.models
        if name in self._found or name not in models:
            return [name]
        wanted = {name, *self._project.graph.upstream([name])}
        inputs = {i for n in wanted if n in models for i in models[n].inputs}
        return [*sorted(inputs - wanted), *(n for n in self._project.graph.order if n in wanted)]

    def read(self, name: TableName) -> Types:
        """Give a table's columns with those that its readers name, of which nothing else is known: they are text."""
        shape = self.of(name)
        if shape.whole:
            return shape.types
        named = {c.casefold() for c in shape.types}
        more: dict[str, pa.DataType] = {}
        for model in self._project.models.values():
            for column in self._named(self.followed(model), name) if name in model.inputs else ():
                if column.casefold() not in named:
                    named.add(column.casefold())
                    more[column] = pa.string()
        return {**shape.types, **more}

    def _shape(self, name: TableName) -> Shape:
        if name.layer == QUARANTINE:
            return Shape(_types(SCHEMA), whole=True)
        model = self._project.models.get(name)
        if model is None:
            return self._stream(name)
        if model.language == "sql":
            try:
                with self._engine.session() as session:
                    for needed in model.inputs:
                        session.bind(str(needed), empty(self.read(needed)))
                    given = columns_of(session, model)
                return Shape(_types(with_history(given) if model.header.kind == "scd2" else given), whole=True)
            except LagoaError:
                pass  # what is declared, or lies in the lake, must do
        held = self._in_lake(name)
        with self._engine.session() as session:
            said = {n: c.type for n, c in model.header.columns.items() if c.type}
            return Shape({**(held or {}), **arrow_types(session, said, model.file, model.text)}, held is not None)

    def _stream(self, name: TableName) -> Shape:
        held = self._in_lake(name)
        entry = self._project.graph.streams.get(name)
        said = {n: c.type for n, c in entry.spec.columns.items() if c.type and not c.drop} if entry else {}
        with self._engine.session() as session:
            types = arrow_types(session, said, str(name))
        return Shape({**(held or {}), **types, **_OWN}, held is not None)

    def _in_lake(self, name: TableName) -> Types | None:
        if self._lake is None:
            return None
        try:
            table = self._lake.open(name, trust=True)
        except LagoaError:
            return None
        return _types(table.schema) if table.exists else None

    # ------------------------------------------------------------ what readers name
    def followed(self, model: Model) -> QueryLineage | None:
        """Follow a SQL model's columns to its inputs; None for a Python model."""
        if model.language != "sql":
            return None
        if model.name not in self._lineage:
            known = {str(n): list(self._found[n].types) for n in model.inputs if n in self._found and self.of(n).whole}
            self._lineage[model.name] = lineage(model.body, known)
        return self._lineage[model.name]

    def named(self, model: Model, table: TableName) -> list[str] | None:
        """List the columns of a table that a model names; None when it may read any."""
        found = self.followed(model)
        if found is None or found.others is not None or any(column.unknown for column in found.columns):
            return None
        return self._named(found, table)

    def _named(self, found: QueryLineage | None, table: TableName) -> list[str]:
        origins = _origins(found) if found is not None else ()
        return list(dict.fromkeys(o.column for o in origins if o.table == str(table)))


def _origins(found: QueryLineage) -> Iterator[Origin]:
    for column in found.columns:
        if column.unknown is None:  # it may be a column of another table
            yield from column.values
        yield from column.rows
    yield from found.rows


def _types(schema: pa.Schema) -> dict[str, pa.DataType]:
    return {field.name: field.type for field in schema}


def empty(types: Types) -> pa.Table:
    """Make a table without rows."""
    return pa.schema(list(types.items())).empty_table()
