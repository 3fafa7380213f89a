"""Column lineage of a project, from streams to gold, and what flows along it: personal marks, words, owners."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lagoa.errors import LagoaError
from lagoa.lake.quarantine import SCHEMA
from lagoa.lake.table import Table
from lagoa.project.model import Model, Project
from lagoa.spec.model import HISTORY
from lagoa.spec.names import QUARANTINE, TableName
from lagoa.sql.lineage import ColumnLineage, Flow, Origin, QueryLineage, lineage

Opened = Callable[[TableName], Table]
"""Opens a table of the lake; may raise LagoaError."""
BY_TABLE = "a Python model: its lineage is by table"
RAW = "_raw"
"""The column of a quarantine that holds whole rows."""


@dataclass(frozen=True)
class Told:
    """What is known of a column; `inherited` names where it was declared, empty when that is here."""

    text: str
    inherited: tuple[Origin, ...] = ()


@dataclass(frozen=True)
class Step:
    """A column on the way; `how` it gets into the column at the other end of the step. No column: a whole table."""

    table: TableName
    column: str | None
    how: Flow | None
    note: str | None = None


def declared_of(project: Project, name: TableName) -> Any:
    """Return what is declared of a table: a stream's or a model's words; None when nothing is."""
    if name in project.models:
        return project.models[name].header
    stream = project.graph.streams.get(name)
    return stream.spec if stream else None


class ProjectLineage:
    """Follows columns through the models of a project; each model is read once, when it is first asked for."""

    def __init__(self, project: Project, opened: Opened, near: TableName | None = None) -> None:
        """With `near` only that model and views are followed: of other tables counts what the lake says of them."""
        self._project, self._opened, self._near = project, opened, near
        self._queries: dict[TableName, QueryLineage | None] = {}
        self._held: dict[TableName, tuple[list[str] | None, frozenset[str]]] = {}
        self._personal: dict[TableName, dict[str, Told]] = {}

    # ------------------------------------------------------------ columns
    def query(self, name: TableName) -> QueryLineage | None:
        """Give the lineage of a SQL model; None for everything else."""
        if name not in self._queries:
            for needed in self._before(name):
                self._queries.setdefault(needed, self._read(needed))
        return self._queries.get(name)

    def _before(self, name: TableName) -> list[TableName]:
        """List what must be read first, each after its inputs; a walk, since a project may be a thousand deep."""
        found: dict[TableName, None] = {}
        waiting = [(name, False)]
        while waiting:
            at, ready = waiting.pop()
            model = self._followed(at)
            if ready or model is None:
                found[at] = None
            elif at not in found:
                waiting.append((at, True))
                waiting += [(needed, False) for needed in model.inputs if needed not in found]
        return list(found)

    def _followed(self, name: TableName) -> Model | None:
        """Return the SQL model that is followed for a table."""
        model = self._project.models.get(name)
        return None if model is None or model.language != "sql" or self._is_leaf(name) else model

    def _is_leaf(self, name: TableName) -> bool:
        """Say whether nothing is followed beyond a table."""
        model = self._project.models.get(name)
        return model is None or (self._near is not None and name != self._near and model.header.kind != "view")

    def _read(self, name: TableName) -> QueryLineage | None:
        model = self._followed(name)
        if model is None:
            return None
        known = {str(needed): self.columns(needed) for needed in model.inputs}
        found = lineage(model.body, {table: columns for table, columns in known.items() if columns is not None})
        if model.header.kind == "scd2":
            found = _with_history(found, model.header.time)
        return _aligned(found, self._in_lake(name)[0] if model.header.kind != "view" else None)

    def columns(self, name: TableName) -> list[str] | None:
        """Name the columns that a table has, or will have when its model is run; None when that is not known."""
        if name.layer == QUARANTINE:
            return list(SCHEMA.names)
        found = self.query(name)
        if found is not None and found.others is None:
            return found.names
        model = self._project.models.get(name)
        return None if model is not None and model.header.kind == "view" else self._in_lake(name)[0]

    def _in_lake(self, name: TableName) -> tuple[list[str] | None, frozenset[str]]:
        """Read a table's columns, and those that its state calls personal."""
        if name not in self._held:
            try:
                table = self._opened(name)
                columns = list(table.schema.names) if table.exists else None
                personal = frozenset(table.state.personal) if table.state else frozenset[str]()
            except LagoaError:
                columns, personal = None, frozenset()
            self._held[name] = columns, personal
        return self._held[name]

    def column(self, name: TableName, column: str) -> ColumnLineage | None:
        """Give one column's step back; None when it is not made here: a stream's, a quarantine's, a foreign one."""
        model = self._project.models.get(name)
        if model is None:
            return None
        found = self.query(name)
        if found is None:
            return ColumnLineage(column, unknown=BY_TABLE)
        return found.find(column) or ColumnLineage(column, unknown="the query does not give it")

    # ------------------------------------------------------------ steps
    def inputs(self, name: TableName, column: str) -> list[Step]:
        """List the columns that give a column its values; of a Python model, the tables that it reads."""
        model = self._project.models.get(name)
        if model is not None and self.query(name) is None:
            return [Step(needed, None, None, BY_TABLE) for needed in model.inputs]
        found = self.column(name, column)
        if found is None:
            return []
        steps = [Step(TableName.parse(o.table), o.column, how, found.unknown) for o, how in found.values.items()]
        return steps or [Step(TableName.parse(t), None, "counted", "counts its rows") for t in found.rows_of]

    def readers(self, name: TableName, column: str) -> list[Step]:
        """List the columns to which a column gives values, and the tables whose rows it decides."""
        wanted = (str(name), column.lower())
        steps = []
        for reader, model in sorted(self._project.models.items()):
            if name not in model.inputs:
                continue
            query = self.query(reader)
            if query is None:
                steps.append(Step(reader, None, None, BY_TABLE))
                continue
            listed = self._listed(reader, query)
            steps += [
                Step(reader, c.name, how, c.unknown)
                for c in listed
                for origin, how in c.values.items()
                if _is(origin, wanted)
            ]
            if any(_is(o, wanted) for o in query.rows):
                steps.append(Step(reader, None, None, "decides its rows"))
                continue
            steps += [
                Step(reader, c.name, None, "decides its rows")
                for c in listed
                if any(_is(o, wanted) for o in c.rows) and not any(_is(o, wanted) for o in c.values)
            ]
        return steps

    def _listed(self, name: TableName, query: QueryLineage) -> Sequence[ColumnLineage]:
        """List a query's columns, also those behind a star that the lake knows by name."""
        if query.others is None:
            return query.columns
        known = {column.lower() for column in query.names}
        more = (query.find(column) for column in self.columns(name) or () if column.lower() not in known)
        return [*query.columns, *(column for column in more if column is not None)]

    # ------------------------------------------------------------ what flows
    def personal(self, name: TableName) -> Mapping[str, Told]:
        """Name the personal columns by their names in lower case, each with its kind and where that was declared."""
        for needed in [] if name in self._personal else self._ordered(name):
            if needed not in self._personal:
                self._personal[needed] = self._find_personal(needed)
        return self._personal[name]

    def _ordered(self, name: TableName) -> list[TableName]:
        """List a table after all that its marks come from."""
        found: dict[TableName, None] = {}
        waiting = [(name, False)]
        while waiting:
            at, ready = waiting.pop()
            needs = self._needs(at)
            if ready or not needs:
                found[at] = None
            elif at not in found:
                waiting.append((at, True))
                waiting += [(needed, False) for needed in needs if needed not in found]
        return list(found)

    def _needs(self, name: TableName) -> Sequence[TableName]:
        if name.layer == QUARANTINE:
            return (name.guarded,)
        return () if self._is_leaf(name) else self._project.models[name].inputs

    def _find_personal(self, name: TableName) -> dict[str, Told]:
        if name.layer == QUARANTINE:
            main = self._personal.get(name.guarded, {})
            return {**main, RAW: Told("personal")} if main else {}  # it may hold any column's text
        noun = declared_of(self._project, name)
        declared = {n.lower(): c for n, c in (noun.columns if noun else {}).items()}
        found = {} if self._is_leaf(name) else self._inherited(name, self._marks(name))
        found |= self.strangers(name, found, self._in_lake(name)[0] or ())
        model = self._project.models.get(name)
        if name != self._near and (model is None or model.header.kind != "view"):
            for held in self._in_lake(name)[1]:
                found.setdefault(held.lower(), Told("personal"))
        for column, said in declared.items():
            if said.pii:
                found[column] = Told(said.pii)
            elif "pii" in said.model_fields_set:
                found.pop(column, None)  # `pii: null` says that it is not personal here
        return found

    def strangers(self, name: TableName, marks: Mapping[str, Told], columns: Sequence[str]) -> dict[str, Told]:
        """Mark columns that a table has and its query does not name (the fields of an unnested struct).

        They are made of what the query names and the table does not have: on the safe side, as personal as that.
        """
        there = {c.lower() for c in columns}
        lost = [told for column, told in marks.items() if column not in there]
        query = self.query(name) if lost and not self._is_leaf(name) else None
        if query is None or query.others is not None:
            return {}
        named = {c.lower() for c in query.names}
        return dict.fromkeys(there - named, lost[0])

    def _marks(self, name: TableName) -> dict[TableName, Mapping[str, Told]]:
        return {needed: self._personal.get(needed, {}) for needed in self._needs(name)}

    def _inherited(self, name: TableName, marks: Mapping[TableName, Mapping[str, Told]]) -> dict[str, Told]:
        if not any(marks.values()):
            return {}  # nothing above is personal: no query need be read
        query = self.query(name)
        found: dict[str, Told] = {}
        if query is None or query.others is not None:
            # a Python model, or columns whose way is not known: on the safe side, by their names
            for needed, columns in marks.items():
                for name_there, told in columns.items():
                    found.setdefault(name_there, _from(told, Origin(str(needed), name_there)))
        for column in self._listed(name, query) if query is not None else ():
            found.pop(column.name.lower(), None)
            strongest = _strongest(column, marks)
            if strongest is not None:
                found[column.name.lower()] = strongest
        return found

    def description(self, name: TableName, column: str) -> Told | None:
        """Find what is said of a column, here or where it was copied from."""
        passed: list[Origin] = []
        at, wanted = name, column
        for _ in range(len(self._project.graph.nodes) + 1):
            noun = declared_of(self._project, at)
            said = next((c for n, c in (noun.columns if noun else {}).items() if n.lower() == wanted.lower()), None)
            if said is not None and (said.description or "description" in said.model_fields_set):
                return Told(said.description, tuple(passed[-1:])) if said.description else None
            found = self.column(at, wanted)
            if found is None or found.unknown or list(found.values.values()) != ["copied"]:
                return None  # a sentence about one column is not one about what was made of it
            origin = next(iter(found.values))
            passed.append(origin)
            at, wanted = TableName.parse(origin.table), origin.column
        return None

    def owners(self, name: TableName) -> tuple[Sequence[str], bool]:
        """Name who answers for a table; when nobody is declared, who answers for what gives it values, and True."""
        found: dict[str, None] = {}
        waiting, seen = [name], {name}
        while waiting:
            at = waiting.pop(0)
            node = self._project.graph.nodes.get(at)
            if node is not None and node.owner:
                found[node.owner] = None
                continue
            for needed in self._value_tables(at):
                if needed not in seen:
                    seen.add(needed)
                    waiting.append(needed)
        node = self._project.graph.nodes.get(name)
        return sorted(found), bool(found) and not (node is not None and node.owner)

    def _value_tables(self, name: TableName) -> list[TableName]:
        query = self.query(name)
        model = self._project.models.get(name)
        if query is None:
            return [needed.guarded for needed in model.inputs] if model is not None else []
        tables = {o.table for c in query.columns for o in c.values} | {t for c in query.columns for t in c.rows_of}
        tables |= {*query.others.tables, *(o.table for o in query.others.values)} if query.others else set()
        return sorted(TableName.parse(table).guarded for table in tables)


def personal_here(project: Project, opened: Opened, name: TableName, columns: Sequence[str]) -> frozenset[str]:
    """Name those of a model's columns that hold personal data, by what its inputs' states say.

    Each table's state knows what it inherited itself, so no query but the model's own and its views' is read, and
    none at all while no input holds anything personal.
    """
    near = ProjectLineage(project, opened, name)
    marks = near.personal(name)
    more = near.strangers(name, marks, columns) if marks else {}
    return frozenset(column for column in columns if column.lower() in marks or column.lower() in more)


def _with_history(found: QueryLineage, time: str | None) -> QueryLineage:
    """Add the columns of a history, whose times are those of the rows where the model says so."""
    begun = found.find(time) if time is not None else None
    times = [replace(begun, name=name) if begun else ColumnLineage(name) for name in HISTORY[:2]]
    return replace(found, columns=(*found.columns, *times, ColumnLineage(HISTORY[2])))


def _aligned(found: QueryLineage, held: Sequence[str] | None) -> QueryLineage:
    """Call columns without alias as the table of the lake calls them."""
    if held is None or found.others is not None or len(held) != len(found.columns):
        return found
    there = {name.lower() for name in held}
    columns = [
        c if c.name.lower() in there else replace(c, name=name) for c, name in zip(found.columns, held, strict=True)
    ]
    return replace(found, columns=tuple(columns))


def _is(origin: Origin, wanted: tuple[str, str]) -> bool:
    return (origin.table, origin.column.lower()) == wanted


def _strongest(column: ColumnLineage, marks: Mapping[TableName, Mapping[str, Told]]) -> Told | None:
    """Join the marks of what gives a column its values; how many there are of something personal is not personal."""
    kinds: dict[str, None] = {}
    origins: dict[Origin, None] = {}
    for origin, how in column.values.items():
        told = marks.get(TableName.parse(origin.table), {}).get(origin.column.lower())
        if told is not None and how != "counted":
            kinds[told.text] = None
            origins |= dict.fromkeys(told.inherited or (origin,))
    if not kinds and column.unknown and not column.values:
        for needed, columns in marks.items():
            if (told := columns.get(column.name.lower())) is not None:
                return _from(told, Origin(str(needed), column.name))
    return Told(", ".join(kinds), tuple(origins)) if kinds else None


def _from(told: Told, origin: Origin) -> Told:
    return told if told.inherited else Told(told.text, (origin,))
