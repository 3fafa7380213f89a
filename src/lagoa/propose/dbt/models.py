"""Turns dbt's models and snapshots into models: rendered, in DuckDB's dialect, of a kind that gives the same rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lagoa.errors import ProjectError
from lagoa.propose.dbt.checks import Gates
from lagoa.propose.dbt.files import merged
from lagoa.propose.dbt.layers import Names
from lagoa.propose.dbt.nouns import Dbt, Node
from lagoa.propose.dbt.outside import Outside
from lagoa.propose.dbt.render import Failed, Rendered, Renderer
from lagoa.propose.proposal import Proposal
from lagoa.spec.model import Kind
from lagoa.spec.names import TableName
from lagoa.sql.parse import Query, parse
from lagoa.sql.transpile import Unreadable, refusal, tables_renamed, transpile

_COLUMN = re.compile(r'"?(\w+)"?')
_KINDS: Mapping[str, Kind] = {"table": "table", "view": "view", "ephemeral": "view", "materialized_view": "table"}


@dataclass
class Draft:
    """A model on its way: its query in DuckDB's dialect, its kind, and what it configures."""

    node: Node
    table: TableName
    query: Query
    config: dict[str, Any]
    kind: Kind = "table"
    key: tuple[str, ...] = ()
    time: str | None = None
    columns: tuple[str, ...] | None = field(default=None)
    """The columns that the query gives, in lower case; None when they are not known."""

    @property
    def what(self) -> str:
        """Name it in a note."""
        return f"the {self.node.sort} `{self.node.name}`"


class Drafts:
    """Makes drafts; what is decided or cannot be done is noted."""

    def __init__(self, dbt: Dbt, names: Names, renderer: Renderer, proposal: Proposal) -> None:
        self.dbt, self.names, self.renderer, self.proposal = dbt, names, renderer, proposal
        self.dialect = dbt.dialect or "duckdb"
        self.outside = Outside(dbt, names, proposal)
        self.waiting: dict[str, list[Node]] = {}
        """Models whose template asks for the columns of a table, by that table."""

    def all(self) -> dict[TableName, Draft]:
        """Make a draft of every model and snapshot that can be translated; some wait for columns that they ask for."""
        return self._drafts([node for node in self.dbt.nodes.values() if node.sort in ("model", "snapshot")], wait=True)

    def again(self, known: Collection[TableName]) -> dict[TableName, Draft]:
        """Make drafts of those that waited for the columns of tables which are known now."""
        ready = [table for table in self.waiting if table in {str(name) for name in known}]
        return self._drafts([node for table in ready for node in self.waiting.pop(table)], wait=True)

    def rest(self) -> dict[TableName, Draft]:
        """Take what dbt compiled for those that wait in vain, and refuse the others."""
        nodes = [node for several in self.waiting.values() for node in several]
        self.waiting = {}
        return self._drafts(nodes, wait=False)

    def _drafts(self, nodes: Iterable[Node], *, wait: bool) -> dict[TableName, Draft]:
        drafts = (self._draft(node, wait=wait) for node in nodes)
        return {draft.table: draft for draft in drafts if draft is not None}

    def _draft(self, node: Node, *, wait: bool) -> Draft | None:
        if node.is_python:
            self.refuse(node, 1, "it is Python: write it as models/<layer>/<name>.py")
            return None
        table = self.names.nodes[node.name]
        rendered = self._rendered(node, wait=wait)
        if rendered is None:
            return None
        config = merged(node.config, rendered.config)
        if config.get("enabled") is False:  # only rendering tells when a variable decides
            self.dbt.disabled[node.name] = node.file
            return None
        body = self._body(node, rendered.text)
        if body is None:
            return None
        draft = Draft(node, table, body, config)
        self._tell(draft, rendered)
        return draft

    def refuse(self, node: Node, line: int | None, words: str) -> None:
        """Note that a file could not be translated; it is kept beside the new project's files."""
        self.proposal.note("untranslated", node.file, line, f"the {node.sort} `{node.name}`: {words}")
        if node.sort != "seed":
            self.proposal.copies[f"untranslated/{node.file}"] = self.dbt.root / node.file

    # ------------------------------------------------------------ the query
    def _rendered(self, node: Node, *, wait: bool) -> Rendered | None:
        table = str(self.names.nodes[node.name])
        try:
            found = self.renderer.text(
                node.text, node.file, node.line, name=node.name, config=_plain(node.config), this=table
            )
        except Failed as failed:
            if failed.needs and wait:
                self.waiting.setdefault(failed.needs, []).append(node)
                return None
            if node.compiled is not None:
                words = f"the {node.sort} `{node.name}` is taken as dbt compiled it: {failed}"
                self.proposal.note("decided", node.file, failed.line, words)
                return self._compiled(node)
            self.refuse(node, failed.line or node.line, str(failed))
            return None
        return found

    def _compiled(self, node: Node) -> Rendered | None:
        known = {w: self._of_unique_id(name) for w, name in self.dbt.compiled_names.items()}
        try:
            text = tables_renamed(node.compiled or "", self.dialect, {w: t for w, t in known.items() if t})
        except Unreadable as why:
            self.refuse(node, None, str(why))
            return None
        return Rendered(text)

    def _of_unique_id(self, name: str) -> str:
        sort, _, rest = name.partition(":")
        if sort == "source":
            source, _, table = rest.partition(".")
            return str(self.names.sources.get((source, table), ""))
        return str(self.names.nodes.get(rest, ""))

    def _body(self, node: Node, text: str) -> Query | None:
        """Write the query in DuckDB's dialect, and find what it reads."""
        try:
            text = self.outside.named(node, text)
            changed = transpile(text, self.dialect)
            read = parse(changed.text, node.file)
        except Unreadable as why:
            self.refuse(node, spot(node, text, why.line), str(why))
            return None
        except ProjectError as error:
            self.refuse(node, node.line, f"{error}, as it was written for DuckDB")
            return None
        trouble = read.trouble[0] if read.trouble else None
        known = self.outside.known
        strange = [r.written for r in read.references if not r.is_function and r.table not in known]
        if trouble or strange:
            line = spot(node, text, read.trouble[1]) if read.trouble else node.line
            self.refuse(node, line, trouble or f"it reads `{strange[0]}` by its name in the database, not by ref")
            return None
        for change in changed.changes:
            line = spot(node, text, change.line)
            self.proposal.note("sql", node.file, line, f"`{change.before}` → `{change.after}`")
        for doubt in changed.doubts:
            words = f"the {node.sort} `{node.name}`: {doubt}; look at what was written"
            self.proposal.note("untranslated", node.file, node.line, words)
        return read

    # ------------------------------------------------------------ what it becomes
    def _tell(self, draft: Draft, rendered: Rendered) -> None:
        node = draft.node
        for name, value in sorted(rendered.used.items()):
            self.proposal.note("decided", node.file, _first(node, name), f"`var('{name}')` is {value!r} here")
        if re.search(r"\btarget\b", node.text) and "target." in node.text:
            words = f"what depends on `target` is as on `{self.dbt.target}`"
            self.proposal.note("decided", node.file, _first(node, "target."), words)
        for told in rendered.told:
            if told.startswith(("warning: ", "`env_var(")):
                self.proposal.note("decided", node.file, node.line, told)
        for name in rendered.strange:
            words = f"`{name}` of {draft.what} is configured with what is no plain value"
            self.proposal.note("untranslated", node.file, _first(node, name), words)

    def settle(self, draft: Draft, gated: bool) -> None:
        """Choose a draft's kind, now that its columns are known and whether checks guard it."""
        node = draft.node
        if node.sort == "snapshot":
            self._scd2(draft)
        elif (kind := str(draft.config.get("materialized") or "view")) == "incremental":
            self._incremental(draft)
        else:
            draft.kind = _KINDS.get(kind, "table")
            line = _first(node, "materialized")
            if kind == "ephemeral":
                self.proposal.note("decided", node.file, line, f"`{node.name}` was ephemeral and is a view")
            elif _KINDS.get(kind) != kind:
                self.proposal.note("decided", node.file, line, f"`{node.name}` was `{kind}` and is a table")
            if draft.kind == "view" and gated:
                draft.kind = "table"
                words = f"`{node.name}` was a view and is a table: its checks hold before its rows are seen"
                self.proposal.note("decided", node.file, line, words)

    def _incremental(self, draft: Draft) -> None:
        node, key = draft.node, _key(draft.config.get("unique_key"))
        why = _why_no_key(draft, key) or refusal(draft.query.text)
        line = _first(node, "is_incremental") or _first(node, "materialized")
        if why:
            words = f"`{node.name}` was incremental and is a table, in the form of a full refresh: {why}"
        else:
            draft.kind, draft.key = "incremental", key
            words = f"`{node.name}` is incremental by {', '.join(key)}, its query in the form of a full refresh"
        self.proposal.note("decided", node.file, line, words)

    def _scd2(self, draft: Draft) -> None:
        node, key = draft.node, _key(draft.config.get("unique_key"))
        why = _why_no_key(draft, key)
        if why:
            self.proposal.note("untranslated", node.file, node.line, f"the snapshot `{node.name}` is a table: {why}")
            return
        draft.kind, draft.key = "scd2", key
        if draft.config.get("strategy") == "timestamp":
            draft.time = str(draft.config.get("updated_at"))
        words = (
            f"the snapshot `{node.name}` is `kind: scd2` in `{versions_of(draft.table)}`, and a view that shows it "
            "with dbt's columns; its history begins with the first run, and a row that is deleted is closed"
        )
        self.proposal.note("decided", node.file, node.line, words)
        if isinstance(draft.config.get("check_cols"), list):
            words = f"the snapshot `{node.name}` compares all columns, not `check_cols` alone"
            self.proposal.note("decided", node.file, node.line, words)
        if draft.config.get("hard_deletes") == "new_record":
            words = f"`hard_deletes` of the snapshot `{node.name}`: a deleted row is closed, without `dbt_is_deleted`"
            self.proposal.note("untranslated", node.file, node.line, words)


def versions_of(table: TableName) -> TableName:
    """Name the table that holds the versions of a snapshot's rows."""
    return TableName(table.layer, f"{table.name}_versions")


def as_dbt_shows(draft: Draft) -> str:
    """Write the view that shows an `scd2` table with the columns that dbt gives a snapshot."""
    parts = [*draft.key, draft.time or "valid_from::timestamp"]
    hashed = " || '|' || ".join(f"coalesce({part}::varchar, '')" for part in parts)
    names = history_names(draft.config)
    current = draft.config.get("dbt_valid_to_current")
    valid_to = f"coalesce(valid_to::timestamp, {current})" if current else "valid_to::timestamp"
    return f"""\
select
    * exclude (valid_from, valid_to, is_current),
    md5({hashed}) as {names["dbt_scd_id"]},
    valid_from::timestamp as {names["dbt_updated_at"]},
    valid_from::timestamp as {names["dbt_valid_from"]},
    {valid_to} as {names["dbt_valid_to"]}
from {versions_of(draft.table)}
"""


def history_names(config: Mapping[str, Any]) -> dict[str, str]:
    """Return what dbt calls the columns that it adds to a snapshot."""
    own = config.get("snapshot_meta_column_names") or {}
    names = ("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to")
    return {name: str(own.get(name) or name) for name in names}  # a manifest names those that are not given null


def spot(node: Node, rendered: str, line: int) -> int:
    """Find the line of the file from which a line of the rendered text came; where it begins when it is not there."""
    lines = rendered.split("\n")
    wanted = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    found = (n for n, text in enumerate(node.text.split("\n"), node.line) if wanted and text.strip() == wanted)
    return next(found, node.line)


def _first(node: Node, word: str) -> int | None:
    lines = (n for n, text in enumerate(node.text.split("\n"), node.line) if word in text)
    return next(lines, node.line)


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if isinstance(value, (str, int, float, bool, list, dict))}


def _key(written: Any) -> tuple[str, ...]:
    return tuple(str(name) for name in ([written] if isinstance(written, str) else written or []))


def _why_no_key(draft: Draft, key: tuple[str, ...]) -> str | None:
    """Say why the columns of a key cannot be one."""
    if not key:
        return "it has no `unique_key`"
    strange = [name for name in key if not _COLUMN.fullmatch(name)]
    if strange:
        return f"`unique_key: {strange[0]}` is no column but an expression"
    absent = [name for name in key if draft.columns is not None and name.strip('"').lower() not in draft.columns]
    return f"the query gives no column `{absent[0]}`" if absent else None


def upstream(drafts: Mapping[TableName, Draft]) -> Iterator[Draft]:
    """Yield drafts, each after those that it reads; what reads itself comes as it is found."""
    seen: set[TableName] = set()

    def visit(table: TableName) -> Iterator[Draft]:
        if table in seen or table not in drafts:
            return
        seen.add(table)
        for name in drafts[table].query.tables:
            yield from visit(name)
        yield drafts[table]

    for table in drafts:
        yield from visit(table)


def gated(gates: Mapping[TableName, Gates], guarded: set[TableName], table: TableName) -> bool:
    """Say whether a check guards a table."""
    return bool(gates.get(table)) or table in guarded
