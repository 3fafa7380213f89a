"""Lets DuckDB look at every query whose inputs' columns are known, so that its own are, and notes what it refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress

import pyarrow as pa

from lagoa.errors import StepError
from lagoa.kit.text import literal, quote
from lagoa.kit.types import sql_type
from lagoa.ports import FileSet, Session
from lagoa.propose.dbt.landed import LANDED, compares_rows, shows_landed, without_landed
from lagoa.propose.dbt.models import Draft, history_names, spot, upstream
from lagoa.propose.dbt.render import Renderer
from lagoa.propose.dbt.seeds import Types
from lagoa.propose.proposal import Proposal
from lagoa.spec.names import TableName
from lagoa.sql.parse import bare, parse
from lagoa.sql.transpile import strange_functions


class Binding:
    """Knows the columns of seeds, and of each query that DuckDB took; templates may ask for them."""

    def __init__(self, session: Session, renderer: Renderer, proposal: Proposal, seeds: Types) -> None:
        self.session, self.renderer, self.proposal = session, renderer, proposal
        self.known: set[TableName] = set()
        self._seen: set[TableName] = set()
        functions = session.rows("select distinct function_name from duckdb_functions()")
        self._functions = {str(name) for (name,) in functions}
        for table, types in seeds.items():
            if types:
                nulls = ", ".join(f"null::{kind} as {quote(name)}" for name, kind in types.items())
                schema = session.schema(f"select {nulls}")
                self._learn(table, schema, pa.schema([*schema, *LANDED]))

    def look(self, drafts: Mapping[TableName, Draft]) -> None:
        """Look at the queries that were not looked at and read known tables alone."""
        for draft in upstream(drafts):
            if draft.table in self._seen or not set(draft.query.tables) <= self.known:
                continue
            self._seen.add(draft.table)
            self._strange(draft)
            try:
                schema = self._schema(draft)
            except StepError as error:
                words = f"{draft.what}: DuckDB refuses it as it was written: {str(error).splitlines()[0]}"
                self.proposal.note("untranslated", draft.node.file, draft.node.line, words)
                continue
            draft.columns = tuple(name.lower() for name in schema.names)
            if draft.node.sort == "snapshot":
                key, *times = history_names(draft.config).values()
                added = [pa.field(key, pa.string()), *(pa.field(name, pa.timestamp("us")) for name in times)]
                schema = pa.schema([*schema, *added])
            self._learn(draft.table, schema, schema)

    def finish(self, drafts: Mapping[TableName, Draft]) -> None:
        """Let DuckDB's parser read the other queries: they read what is not known."""
        for draft in drafts.values():
            if draft.table not in self._seen:
                self._strange(draft)
                given = draft.query.columns
                if given is None or compares_rows(draft.query.text):
                    _rewrite(draft, without_landed(draft.query.text))
                draft.columns = None if given is None else tuple(name.lower() for name in given)
                self._readable(draft)

    def _schema(self, draft: Draft) -> pa.Schema:
        """Return the columns that a query gives, and let its stars give no more than in dbt. Raises StepError."""
        schema = self.session.schema(bare(draft.query.text))
        shows = shows_landed(schema.names)
        shorter = without_landed(draft.query.text)
        if shorter != draft.query.text and (shows or compares_rows(shorter)):
            with suppress(StepError):  # a star of another table beside it
                schema = self.session.schema(bare(shorter))
                _rewrite(draft, shorter)
        if shows_landed(schema.names):
            names = ", ".join(f"`{field.name}`" for field in LANDED if field.name in schema.names)
            words = f"{draft.what} also holds {names} of the bronze rows that it reads by a star"
            self.proposal.note("decided", draft.node.file, draft.node.line, words)
        return schema

    def _learn(self, table: TableName, schema: pa.Schema, bound: pa.Schema) -> None:
        self.session.bind(str(table), FileSet(bound, []))
        self.renderer.learn(str(table), {field.name: sql_type(field.type) for field in schema})
        self.known.add(table)

    def _strange(self, draft: Draft) -> None:
        text, node = draft.query.text, draft.node
        for function, line in strange_functions(text, self._functions):
            words = f"{draft.what}: DuckDB has no function `{function}`"
            self.proposal.note("untranslated", node.file, spot(node, text, line), words)

    def _readable(self, draft: Draft) -> None:
        ((answer,),) = self.session.rows(f"select json_serialize_sql({literal(bare(draft.query.text))})")
        found = json.loads(answer)
        if found.get("error") and found.get("error_type") == "parser":
            words = f"{draft.what}: DuckDB cannot read it as it was written: {found['error_message']}"
            self.proposal.note("untranslated", draft.node.file, draft.node.line, words)


def _rewrite(draft: Draft, text: str) -> None:
    if text != draft.query.text:
        draft.query = parse(text, draft.node.file)
