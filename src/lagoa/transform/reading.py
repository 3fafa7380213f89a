"""Reads what a model gives for stretches of time, and of its inputs only the files and rows that reach into them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from lagoa.kit.text import quote
from lagoa.lake.table import Table, bind
from lagoa.ports import Session
from lagoa.sql.incremental.analysis import NEW, Ranged, Reach
from lagoa.transform.bind import Pins
from lagoa.transform.incremental import Followed
from lagoa.transform.partitions import Stretches


@dataclass(frozen=True)
class Reading:
    """Reads a model's query in a session over its inputs at their pinned versions, under names of its own."""

    session: Session
    followed: Followed
    ranged: Ranged
    pins: Pins

    def rows(self, schema: pa.Schema, time: str, found: Stretches) -> str:
        """Return the query for the rows of the stretches, having bound what it reads."""
        shown = ", ".join(f"{quote(n.lower())} as {quote(n)}" for n in schema.names)
        kind, body = schema.field(time).type, self.ranged.rows
        inputs = {bare: self.pins(name) for name, bare in self.followed.names.items()}
        for bare, table in inputs.items():
            if f'"{bare}{NEW}"' in body:
                bind(self.session, bare + NEW, table)
        parts = []
        for number, part in enumerate(found.apart()):
            query = body
            for reach in self.ranged.reaches:
                relation = f"{reach.relation}_{number}"
                self._bind(relation, reach, inputs[reach.input], part.until(reach.days))
                query = query.replace(quote(reach.relation), quote(relation))
            parts.append(f"(select {shown} from ({query}) where {part.where(time.lower(), kind)})")
        return " union all ".join(parts)

    def _bind(self, relation: str, reach: Reach, table: Table, part: Stretches) -> None:
        column = next(n for n in table.schema.names if n.lower() == reach.column.lower())
        whole = f"{relation}_files"
        if table.plain:
            self.session.bind(whole, table.fileset(part.among(table.files, column)))
        else:
            bind(self.session, whole, table)
        where = part.where(column, table.schema.field(column).type)
        self.session.bind(relation, f"select * from {quote(whole)} where {where}")
