"""What an incremental model must recompute: the keys that its inputs' changes touch, and the rows of those keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pyarrow as pa

from lagoa.errors import LagoaError, LakeError
from lagoa.kit.text import columns, quote
from lagoa.kit.types import sql_type
from lagoa.lake.changes import Changed, changed
from lagoa.lake.merge import SIDE
from lagoa.lake.schema import from_json
from lagoa.lake.state import State, chain
from lagoa.lake.store import Lake
from lagoa.lake.table import Table, bind
from lagoa.ports import FileSet, Session
from lagoa.project.model import Model, Project
from lagoa.spec.names import QUARANTINE, TableName
from lagoa.spec.spelling import spelled
from lagoa.sql.incremental.analysis import (
    CHANGED,
    KEYS,
    NEW,
    OLD,
    UNITED,
    Analysis,
    Question,
    Refused,
    analyse,
)
from lagoa.sql.parse import bare
from lagoa.transform.bind import Pins, tables_behind
from lagoa.transform.definition import views_of

VANISHED = "_vanished"
"""The column of staged rows that says: no row has this key any more."""
_MANY = 10_000
"""Fewer touched keys than this are always worth following."""
_REMOVED = "__del"


@dataclass(frozen=True)
class Followed:
    """A model that can be followed; `names` are the bare names by which its analysis calls its inputs."""

    analysis: Analysis
    names: Mapping[TableName, str]


def follow(session: Session, project: Project, model: Model, shapes: Mapping[TableName, pa.Schema]) -> Followed:
    """Analyse a model over inputs of these columns, in a session of its own; no row is read. Raises Refused."""
    if model.query is None:
        raise Refused("only SQL is followed")
    for check in project.deciding(model.name):
        if check[3] == "quarantine":
            raise Refused("a check that sets rows aside must see all rows")
        if check[1] == "foreign_key":
            raise Refused("a check that looks into another table must see all rows")
    names = {name: f"_i{number}" for number, name in enumerate(shapes)}
    for name, schema in shapes.items():
        if name.layer == QUARANTINE:
            raise Refused("it reads a quarantine")
        session.bind(str(name), FileSet(schema, []))
        session.bind(names[name], FileSet(schema, []))
    for view in views_between(project, model.inputs):
        session.bind(str(view.name), bare(view.body))
    question = Question(
        bare(model.body),
        model.header.key,
        {str(name).lower(): bound for name, bound in names.items()},
        {names[name]: {f.name: sql_type(f.type) for f in schema} for name, schema in shapes.items()},
        {name.lower(): body for name, body in views_of(project, model).items()},
    )
    return Followed(analyse(question, lambda sql: _describe(session, sql)), names)


def _describe(session: Session, sql: str) -> Mapping[str, str]:
    return {str(name).lower(): str(kind) for name, kind, *_ in session.rows(f"describe {sql}")}


def views_between(project: Project, names: Sequence[TableName]) -> Iterator[Model]:
    """Give the views that names stand for, each after those that it reads."""
    for name in names:
        model = project.models.get(name)
        if model is not None and model.header.kind == "view":
            yield from views_between(project, model.inputs)
            yield model


# ---------------------------------------------------------------- what changed
def news(lake: Lake, name: TableName, now: Table, since: int | None) -> Changed:
    """Find the exact changes of an input since the state that was consumed. Raises Refused when they are not known."""
    found = changed(lake, now, since)
    if found.kind == "everything":
        raise Refused(f"{name} was rebuilt, or no longer knows what changed since")
    if any(_columns(state.table) != _columns(now.state.table if now.state else "") for state in _since(now, since)):
        raise Refused(f"the columns of {name} changed")
    return found


def own_history(table: Table) -> None:
    """Refuse a table whose rows are not those of its last rebuild and what followed it. Raises Refused."""
    if not table.plain:
        raise Refused("its files alone do not tell its rows")
    for state in chain(table.path, table.state):
        if state.mode == "replace":
            return
        if state.mode != "merge":
            raise Refused("it was restored, accepted or changed by hand since it was built")
    raise Refused("it no longer knows how it was built")


def _since(now: Table, since: int | None) -> Iterator[State]:
    for state in chain(now.path, now.state):
        yield state
        if state.id == since:
            return


def _columns(text: str) -> pa.Schema | None:
    return from_json(text) if text else None


@dataclass(frozen=True)
class Follower:
    """Recomputes one model in a session where its inputs are bound at their pinned versions."""

    session: Session
    lake: Lake
    table: Table
    followed: Followed
    pins: Pins

    def touched(self, schema: pa.Schema) -> int:
        """Make the relation of the touched keys and return how many there are. Raises Refused.

        `schema` is what a full rebuild would give now.
        """
        own_history(self.table)
        if not _alike(schema, self.table.schema):
            raise Refused("its columns changed")
        moved = [name for name in self.followed.names if self._bound(name)]
        if not moved:
            return self._kept("select 1 where false", 0)
        sql = self.followed.analysis.touched([self.followed.names[name] for name in moved])
        for name in moved:
            if f"{self.followed.names[name]}{OLD}" in sql:
                self._bind_old(name)
        return self._kept(sql, len(moved))

    def _kept(self, sql: str, moved: int) -> int:
        self.session.run(f"create or replace temp table {KEYS} as {sql}")
        count = int(self.session.rows(f"select count(*) from {KEYS}")[0][0]) if moved else 0
        if count > _MANY and count * 2 > self.table.rows:
            raise Refused(f"{count:,} of its keys are touched, which is most of it")
        return count

    def _bound(self, name: TableName) -> bool:
        """Bind the versions and changes of an input; say whether it changed."""
        bare_name, now = self.followed.names[name], self.pins(name)
        taken = self.table.state.inputs.get(str(name)) if self.table.state else None
        found = news(self.lake, name, now, taken.state if taken else None)
        new, gone = quote(bare_name + NEW), quote(bare_name + _REMOVED)
        bind(self.session, bare_name + NEW, now)
        self.session.bind(bare_name + OLD, f"from {new}")
        shown = columns(now.schema.names)
        removed, came = [], []
        if found.sides is not None:
            self.session.bind(f"{bare_name}__sides", found.sides)
            sides = quote(f"{bare_name}__sides")
            removed.append(f"select {shown} from {sides} where {SIDE} = 'old'")
            came.append(f"select {shown} from {sides} where {SIDE} = 'new'")
        if found.added is not None:
            self.session.bind(f"{bare_name}__added", found.added)
            came.append(f"select {shown} from {quote(f'{bare_name}__added')}")
        nothing = f"select {shown} from {new} where false"
        self.session.bind(bare_name + _REMOVED, " union all ".join(removed) or nothing)
        self.session.bind(bare_name + CHANGED, " union all ".join([f"from {gone}", *came]))
        self.session.bind(bare_name + UNITED, f"select {shown} from {new} union all select {shown} from {gone}")
        return found.kind != "nothing"

    def _bind_old(self, name: TableName) -> None:
        taken = self.table.state.inputs[str(name)].state if self.table.state else None
        now = self.pins(name)
        version = next((s.version for s in chain(now.path, now.state) if s.id == taken), None)
        try:
            old = self.lake.at(name, version if version is not None else -1)
            if any(not (old.path / path).exists() for path in old.files):
                raise Refused(f"the version of {name} that was consumed is gone")
            bind(self.session, self.followed.names[name] + OLD, old)
        except LakeError as error:
            raise Refused(f"the version of {name} that was consumed is gone") from error

    def rows(self, schema: pa.Schema) -> str:
        """Return the query for the rows of the touched keys."""
        shown = ", ".join(f"{quote(n.lower())} as {quote(n)}" for n in schema.names)
        return f"select {shown} from ({self.followed.analysis.rows})"

    def keys(self, key: Sequence[str]) -> str:
        """Return the query for the touched keys, under the names of the table's columns."""
        return f"select {', '.join(f'k{i} as {quote(k)}' for i, k in enumerate(key))} from {KEYS}"


def _alike(a: pa.Schema, b: pa.Schema) -> bool:
    return [(f.name, f.type) for f in a] == [(f.name, f.type) for f in b]


def fits(found: pa.Schema, schema: pa.Schema, model: Model) -> None:
    """Refuse a key that the table holds in another way than the query gives it: two values could become one."""
    header = spelled(model.header, schema.names)
    for name in header.key:
        kind = schema.field(name).type
        if found.field(name).type != kind:
            raise Refused(f"the key {name} is declared as {sql_type(kind)}, which the query does not give")
        if name in header.partition_by and kind == pa.string():
            raise Refused(f"the key {name} is a partition of text, where an empty text is null")
    if VANISHED in schema.names:
        raise Refused(f"it has a column {VANISHED}")


# ---------------------------------------------------------------- for the plan
@dataclass(frozen=True)
class Prospect:
    """Says before a run how an incremental model will be brought up to date, from columns and states alone."""

    project: Project
    lake: Lake
    session: Callable[[], AbstractContextManager[Session]]

    def why_in_full(self, model: Model, table: Table, pins: Pins, news_of: Sequence[TableName]) -> str | None:
        """Say why the model will be rebuilt in full; None when only touched keys will be.

        `news_of` are the inputs that have changed, or will have when it runs.
        """
        try:
            own_history(table)
            shapes = {name: pins(name).schema for name in tables_behind(self.project, model.inputs)}
            with self.session() as session:
                followed = follow(session, self.project, model, shapes)
            for name in shapes:
                taken = table.state.inputs.get(str(name)) if table.state else None
                news(self.lake, name, pins(name), taken.state if taken else None)
            followed.analysis.touched([followed.names[name] for name in news_of])
        except Refused as refused:
            return str(refused)
        except LagoaError as error:
            return error.message
        return None
