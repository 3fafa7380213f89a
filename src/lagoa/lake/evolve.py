"""Changes a table's columns: new ones are added, types are widened, and no value is ever lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa

from lagoa.errors import LakeError
from lagoa.kit.text import columns
from lagoa.lake.commit import Commit, prepare
from lagoa.lake.files import new_id, writing
from lagoa.lake.publish import Change, place_all
from lagoa.lake.schema import same_type, to_delta, twice_named, widens
from lagoa.lake.settle import Try, settle
from lagoa.lake.state import State
from lagoa.lake.store import Lake
from lagoa.lake.table import Table, bind
from lagoa.ports import OWN, Json, Session

_KEEP = object()


def add_columns(
    lake: Lake,
    table: Table,
    fields: pa.Schema,
    run: str = "",
    definition: Json = _KEEP,
    personal: frozenset[str] = frozenset(),
) -> Table:
    """Add columns, null in every row there is, by a commit of its own. No row changes, so no reader has news.

    They stand before Lagoa's own columns, with which a bronze table ends. `personal` are those of the new columns
    that hold personal data. Raises Conflict, LakeError.
    """
    own = [f for f in table.schema if f.name in OWN]
    become = pa.schema([*(f for f in table.schema if f not in own), *fields, *own])
    twice_named(become.names)

    def attempt(on: Table) -> Try:
        state = _state(on, become, "schema", run, definition, personal)
        commit = Commit(
            become,
            state=state.id,
            partition_by=on.partition_by,
            personal=state.personal,
            run=run,
            alter=True,
        )
        return state, prepare(on, commit)

    return _settled(lake, table, attempt)


def retype(
    lake: Lake,
    session: Session,
    table: Table,
    become: pa.Schema,
    scratch: Path,
    run: str = "",
    definition: Json = _KEEP,
) -> Table:
    """Rewrite a table with wider types (and, at the end, new columns) in one commit: same rows, so no
    news for readers.

    Raises LakeError LG-308 when a type does not hold every value of the one before, Conflict when a rival
    won.
    """
    lake.owned(table.name)
    _refuse_loss(table, become)
    bind(session, "retyped", table)
    staged = session.stage(
        f"select {columns(table.schema.names)} from retyped", scratch / "retyped", become, table.partition_by
    )
    personal = frozenset(table.state.personal) if table.state else frozenset()
    change = Change("replace", become, staged, partition_by=table.partition_by, personal=personal, run=run)
    with writing(table.name):
        ready = place_all(lake, table, change)

    def attempt(on: Table) -> Try | None:
        if on.version != table.version:
            return None
        state = _state(on, become, "retype", run, definition, frozenset())
        commit = Commit(
            become,
            ready.adds,
            replace=True,
            state=state.id,
            partition_by=on.partition_by,
            personal=state.personal,
            run=run,
        )
        return state, prepare(on, commit)

    return _settled(lake, table, attempt)


def _settled(lake: Lake, table: Table, attempt: Callable[[Table], Try | None]) -> Table:
    if table.mapped:
        raise LakeError("LG-304", f"{table.name} has mapped columns, which Lagoa reads but cannot write")
    if (doubt := table.doubt()) is not None:
        raise doubt
    with writing(table.name):
        return settle(lake, table, partial(attempt))


def _state(table: Table, become: pa.Schema, mode: str, run: str, definition: Json, personal: frozenset[str]) -> State:
    """Return the last state with new columns: what was consumed, and what readers consumed of it, stays."""
    old = table.state
    if old is None:
        raise LakeError("LG-303", f"{table.name} has no state of ours")
    return replace(
        old,
        id=new_id(table.selected),
        parent=table.selected,
        version=table.version + 1,
        mode="schema" if mode == "schema" else "retype",
        table=to_delta(become).to_json(),
        definition=old.definition if definition is _KEEP else definition,
        added=[],
        changes=[],
        sides=None,
        bad=[],
        personal=sorted({*old.personal, *personal}),
        run=run,
        at=time.time_ns() // 1_000_000,
    )


def _refuse_loss(table: Table, become: pa.Schema) -> None:
    twice_named(become.names)
    held = table.schema
    if lost := [n for n in held.names if n not in become.names]:
        raise LakeError("LG-308", f"{table.name} would lose its column `{lost[0]}`")
    for column in held:
        wanted = become.field(column.name).type
        if not same_type(column.type, wanted) and not widens(column.type, wanted):
            raise LakeError(
                "LG-308",
                f"`{column.name}` of {table.name} is {column.type}; {wanted} does not hold all of its values",
                hint=f"`lagoa run --full -s {table.name}` rebuilds it with the new type",
            )
