"""The whole way from the folder of a dbt project to the files of a Lagoa project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lagoa.errors import CommandError
from lagoa.ports import Session
from lagoa.propose.asking import engine_session
from lagoa.propose.dbt.binding import Binding
from lagoa.propose.dbt.checks import Checks, Gates, Query
from lagoa.propose.dbt.files import merged, read_files
from lagoa.propose.dbt.layers import Names, names_of, plain_name
from lagoa.propose.dbt.manifest import read_manifest
from lagoa.propose.dbt.models import Draft, Drafts, as_dbt_shows, gated, spot, upstream, versions_of
from lagoa.propose.dbt.nouns import Dbt, Node
from lagoa.propose.dbt.render import Failed, Renderer, rendering
from lagoa.propose.dbt.seeds import seed_types, write_seeds, write_sources
from lagoa.propose.dbt.trials import Trials
from lagoa.propose.dbt.words import column_words, header, note_columns, note_leftovers, sorted_checks, table_words
from lagoa.propose.proposal import Proposal
from lagoa.spec.model import HISTORY
from lagoa.spec.names import TableName
from lagoa.sql.parse import parse
from lagoa.sql.transpile import Unreadable

_FOLDED = frozenset(("staging", "intermediate", "marts", "silver", "gold"))
"""Folders that say no more than the layer."""


def propose(
    root: Path,
    dialect: str | None = None,
    layers: Mapping[str, str] | None = None,
    variables: Mapping[str, Any] | None = None,
) -> Proposal:
    """Translate the dbt project in a folder; nothing is written yet.

    `layers` chooses silver or gold by folder or tag, `variables` win over those of the project. Raises CommandError
    when there is no dbt project, its dialect is not known or a choice fits nothing, MissingExtra without Jinja.
    """
    proposal = Proposal()
    dbt = read_manifest(read_files(root.resolve(), dialect, variables), proposal)
    if dbt.dialect is None:
        message = "nothing tells in which SQL the models are written: there is no profiles.yml and no manifest"
        raise CommandError("LG-601", message, hint="add --dialect, such as `--dialect snowflake`")
    dbt.nodes = dict(sorted(dbt.nodes.items()))  # the same project, whoever told of it
    dbt.sources = dict(sorted(dbt.sources.items()))
    names = names_of(dbt, layers or {}, proposal)
    _stand_in(dbt, names, proposal)
    with rendering(dbt, names.refs(), names.of_sources()) as renderer, engine_session() as session:
        Translation(dbt, names, proposal, renderer, session).write()
    for file, line, words in dbt.strays:
        proposal.note("untranslated", file, line, words)
    for name, file in dbt.disabled.items():
        proposal.note("decided", file, None, f"`{name}` is switched off and was left out")
    return proposal


def _stand_in(dbt: Dbt, names: Names, proposal: Proposal) -> None:
    """Let a seed say what is said of the source's table that it is."""
    for key in names.stood_in:
        source, seed = dbt.sources[key], dbt.nodes[dbt.sources[key].identifier]
        seed.said.description = seed.said.description or source.said.description
        seed.said.columns = {**source.said.columns, **seed.said.columns}
        seed.config = merged(source.config, seed.config)
        if source.config.get("freshness"):
            words = f"freshness of `{source.source}.{source.name}` is left out: it is a seed, whose rows grow old"
            proposal.note("decided", source.said.file, source.said.line, words)


class Translation:
    """One project on its way."""

    def __init__(self, dbt: Dbt, names: Names, proposal: Proposal, renderer: Renderer, session: Session) -> None:
        self.dbt, self.names, self.proposal, self.renderer, self.session = dbt, names, proposal, renderer, session

    def write(self) -> None:
        """Write every file of the new project into the proposal."""
        seeds = seed_types(self.dbt, self.names, self.session, self.proposal)
        maker = Drafts(self.dbt, self.names, self.renderer, self.proposal)
        drafts = self._drafts(maker, Binding(self.session, self.renderer, self.proposal, seeds))
        inputs = {table: list(draft.query.tables) for table, draft in drafts.items()}
        checks = Checks(self.dbt, self.names, self.renderer, self.proposal)
        self._tests(checks, drafts, inputs)
        queries = [q if q.guards else self._guarded(q, drafts) for q in checks.queries]
        write_seeds(self.dbt, self.names, checks.gates, seeds, self.proposal)
        write_sources(self.dbt, self.names, checks.gates, self.proposal)
        guards = {query.guards for query in queries if query.guards}
        for draft in drafts.values():
            maker.settle(draft, gated(checks.gates, guards, draft.table))
            table = versions_of(draft.table) if draft.node.sort == "snapshot" else draft.table
            self._model(draft, checks.gates.get(table, Gates()))
        for query in queries:
            if query.guards:
                self._check(query)
        Trials(self.dbt, self.names, inputs, self.proposal).write()
        self.proposal.files["lagoa.yml"] = f"name: {self.dbt.name}\n"

    def _drafts(self, maker: Drafts, binding: Binding) -> dict[TableName, Draft]:
        """Make all drafts: what a template asks of a table is answered when DuckDB has looked at that table's query."""
        drafts = maker.all()
        binding.look(drafts)
        while more := maker.again(binding.known):
            drafts |= more
            binding.look(drafts)
        drafts |= maker.rest()
        binding.look(drafts)
        binding.finish(drafts)
        return dict(sorted(drafts.items()))

    # ------------------------------------------------------------ checks
    def _tests(
        self, checks: Checks, drafts: Mapping[TableName, Draft], inputs: Mapping[TableName, list[TableName]]
    ) -> None:
        for node in self.dbt.nodes.values():
            if node.sort == "test":
                self._singular(checks, node)
                continue
            table = self.names.nodes[node.name]
            if node.name in self.dbt.disabled:
                continue
            if node.sort != "seed" and table not in drafts:
                for test in node.said.tests:
                    words = f"the test `{test.kind}` of `{node.name}`, which was not translated"
                    self.proposal.note("untranslated", test.file, test.line, words)
                continue
            held = versions_of(table) if node.sort == "snapshot" else table
            checks.take(held, [*node.said.tests, *node.said.constraints], inputs)
        for key, source in self.dbt.sources.items():
            checks.take(self.names.sources[key], source.said.tests, inputs)

    def _singular(self, checks: Checks, node: Node) -> None:
        name = node.name.removeprefix("test.")
        text = node.text
        try:
            rendered = self.renderer.text(node.text, node.file, node.line, name=name, config=node.config)
            text = rendered.text
            warns = str({**node.config, **rendered.config}.get("severity") or "").lower() == "warn"
            plain = plain_name(name)
            checks.add(Query(plain, text.rstrip().rstrip(";"), warns, node.file, node.line, f"the test {name}"))
            self.proposal.made[f"test {name}"] = f"checks/{plain}.sql"
            self.proposal.tests += 1
        except Failed as why:
            self._unchecked(node, why.line, str(why))
        except Unreadable as why:
            self._unchecked(node, spot(node, text, why.line), str(why))

    def _unchecked(self, node: Node, line: int | None, words: str) -> None:
        self.proposal.note("untranslated", node.file, line, f"the test `{node.name.removeprefix('test.')}`: {words}")
        self.proposal.copies[f"untranslated/{node.file}"] = self.dbt.root / node.file

    def _guarded(self, query: Query, drafts: Mapping[TableName, Draft]) -> Query:
        """Let a test of its own guard the table that is made last of those that it reads."""
        order = {draft.table: number for number, draft in enumerate(upstream(drafts), 1)}
        tables = parse(query.body, query.file).tables
        if not tables:
            self.proposal.note("untranslated", query.file, query.line, f"{query.about} reads no table")
            return query
        return replace(query, guards=max(tables, key=lambda table: order.get(table, 0)))

    def _check(self, query: Query) -> None:
        said = {"table": str(query.guards), **({"on_fail": "warn"} if query.warn else {})}
        self.proposal.files[f"checks/{query.name}.sql"] = header(said) + query.body.strip("\n") + "\n"

    # ------------------------------------------------------------ models
    def _model(self, draft: Draft, gates: Gates) -> None:
        node, config = draft.node, draft.config
        note_leftovers(self.dbt, self.proposal, draft.what, node.text, node.file, config)
        enforced = bool((config.get("contract") or {}).get("enforced"))
        note_columns(self.proposal, draft.what, node.said, enforced)
        said: dict[str, Any] = {} if draft.kind == "table" else {"kind": draft.kind}
        if draft.key:
            said["key"] = draft.key[0] if len(draft.key) == 1 else list(draft.key)
        if draft.time:
            said["time"] = draft.time
        said |= table_words(self.dbt, node.said, config)
        types = {n.lower(): c.data_type for n, c in node.said.columns.items() if c.data_type} if enforced else {}
        columns = column_words(node.said.columns, gates, types)
        said["columns"] = self._given(draft, columns)
        said["checks"] = sorted_checks(gates.table)
        text = header({key: value for key, value in said.items() if value}) + draft.query.text.strip("\n") + "\n"
        if draft.kind == "scd2":
            self._put(versions_of(draft.table), (), text)
            text = header({"kind": "view"}) + as_dbt_shows(draft)
        folders = [f for f in node.folders if f.lower() not in _FOLDED] if node.sort == "model" else []
        self._put(draft.table, folders, text)
        self.proposal.made[f"{node.sort} {node.name}"] = f"{draft.table} ({draft.kind})"

    def _put(self, table: TableName, folders: Sequence[str], text: str) -> None:
        self.proposal.files["/".join(["models", table.layer, *folders, f"{table.name}.sql"])] = text

    def _given(self, draft: Draft, columns: dict[str, Any]) -> dict[str, Any]:
        """Leave out, and note, columns that the query does not give."""
        if draft.columns is None:
            return columns
        given = {*draft.columns, *(HISTORY if draft.kind == "scd2" else ())}
        said = draft.node.said
        for name in [n for n in columns if n not in given]:
            lost = " and its checks were" if columns[name].get("checks") else " was"
            words = f"{draft.what} gives no column `{name}`: what is said of it{lost} left out"
            self.proposal.note("untranslated" if "checks" in lost else "decided", said.file, said.line, words)
        return {name: words for name, words in columns.items() if name in given}
