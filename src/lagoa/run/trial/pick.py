"""Picks rows of a model's inputs that belong together: those of a few rows of its table, or the first ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from lagoa.kit.text import columns, quote
from lagoa.lake.store import Lake
from lagoa.lake.table import bind
from lagoa.ports import OWN, Session
from lagoa.project.model import Model, Project
from lagoa.run.trial.shapes import Shapes
from lagoa.spec.names import TableName
from lagoa.sql.lineage import QueryLineage, equal
from lagoa.transform.bind import bind_tables

_SEEN = "_seen"
_MANY = 10
"""For each row that is picked of the model, at most so many of an input."""
_ALIKE = 3
"""Of rows of an input that join with the same row, at most so many."""

Edges = Mapping[tuple[TableName, TableName], list[tuple[str, str]]]


class Pick:
    """Rows of the lake, chosen in one session in which the inputs are bound by their names."""

    def __init__(self, project: Project, lake: Lake, session: Session, shapes: Shapes, model: Model) -> None:
        self._session, self._shapes, self._model = session, shapes, model
        self._out = lake.open(model.name) if lake.path(model.name).is_dir() else None
        bind_tables(session, project, model.inputs, lake.open)
        self._chosen: dict[TableName, str] = {}

    def rows(self, count: int) -> dict[TableName, pa.Table]:
        """Give rows of each input with the columns that the model reads; `count` rows of the model decide them."""
        edges = self._edges()
        followed = self._shapes.followed(self._model)
        first = self._seed(followed, count) if followed is not None else None
        waiting = list(self._model.inputs)
        if first is not None:
            waiting.remove(first)
        while waiting:
            near = next(((a, b) for a in self._chosen for b in waiting if (a, b) in edges), None)
            name = near[1] if near else waiting[0]
            waiting.remove(name)
            if near is None:
                self._choose(name, f"from {name}", count)
            else:
                self._choose(name, self._joined(name, self._chosen[near[0]], edges[near]), count * _MANY)
        return {name: self._read(name) for name in self._model.inputs}

    def _seed(self, found: QueryLineage, count: int) -> TableName | None:
        """Choose the rows of the input from which most columns of the model, or its key, are copied."""
        if self._out is None or not self._out.rows:
            return None
        copies: dict[TableName, list[tuple[str, str]]] = {}
        wanted = {k.lower() for k in self._model.header.key}
        for column in found.columns:
            if list(column.values.values()) == ["copied"] and not column.unknown:
                origin = next(iter(column.values))
                copies.setdefault(TableName.parse(origin.table), []).append((column.name, origin.column))
        if not copies:
            return None
        best = max(copies, key=lambda n: (sum(out.lower() in wanted for out, _ in copies[n]), len(copies[n])))
        pairs = [p for p in copies[best] if p[0].lower() in wanted] or copies[best]
        bind(self._session, _SEEN, self._out)
        shown = columns(self._out.schema.names)
        picked = f"(select {shown} from {_SEEN} order by all limit {count})"
        self._choose(best, self._joined(best, picked, pairs), count * _MANY)
        return best

    def _joined(self, name: TableName, others: str, pairs: Sequence[tuple[str, str]]) -> str:
        """Write the rows of a table that join with others, by pairs of columns: theirs, and its own."""
        same = " and ".join(f"t.{quote(b)} is not distinct from s.{quote(a)}" for a, b in pairs)
        alike, order = columns((b for _, b in pairs), "t."), columns(self._session.schema(f"from {name}").names, "t.")
        few = f"row_number() over (partition by {alike} order by {order}) <= {_ALIKE}"
        return f"from {name} t semi join {others} s on {same} qualify {few}"

    def _choose(self, name: TableName, rows: str, limit: int) -> None:
        kept = f"_picked_{len(self._chosen)}"
        self._session.run(f"create temp table {kept} as select * {rows} order by all limit {limit}")
        self._chosen[name] = kept

    def _edges(self) -> dict[tuple[TableName, TableName], list[tuple[str, str]]]:
        """Tell by which columns each pair of inputs is joined, both ways."""
        found: dict[tuple[TableName, TableName], list[tuple[str, str]]] = {}
        for a, b in equal(self._model.body) if self._model.language == "sql" else []:
            here, there = TableName.parse(a.table), TableName.parse(b.table)
            if here != there and {here, there} <= {*self._model.inputs}:
                found.setdefault((here, there), []).append((a.column, b.column))
                found.setdefault((there, here), []).append((b.column, a.column))
        return found

    def _read(self, name: TableName) -> pa.Table:
        kept = self._chosen[name]
        held = self._session.schema(f"from {kept}").names
        named = self._shapes.named(self._model, name)
        wanted = None if named is None else {c.lower() for c in named}
        shown = [c for c in held if (c.lower() in wanted if wanted is not None else c not in OWN)] or held[:1]
        return self._session.arrow(f"select {columns(shown)} from {kept} order by all").read_all()
