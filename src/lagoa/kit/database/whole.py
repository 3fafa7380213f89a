"""A whole schema of a database as streams: names, keys and descriptions come from the database's catalog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from lagoa.errors import SourceError
from lagoa.kit.stream_names import named_streams
from lagoa.spec.declared import Declared
from lagoa.spec.stream import Names


class WholeSchema(Declared):
    """What `streams: {"*": …}` takes: every table of a schema is a stream; those named beside it go first."""

    schema_: str | None = Field(None, alias="schema")
    """The schema: `public` in PostgreSQL, the connection's database in MySQL when none is given."""
    exclude: Names = ()
    """Tables that are left out, as the database calls them; `*` stands for any letters, `?` for one."""
    mode: Literal["replace", "merge"] = "replace"
    """`merge` updates tables that have a primary key by it; tables without one are replaced."""
    deletes: Literal["compare"] | None = None
    """`compare`: a `merge` removes the rows whose key is gone."""
    allow_empty: bool = False
    """Let a table that has lost all its rows be emptied; otherwise it is an error."""
    owner: str | None = None
    """Who answers for the streams."""
    tags: Names = ()
    """Words to select and search by."""


@dataclass
class Listed:
    """A table as the catalog lists it."""

    name: str
    comment: str | None
    key: list[str] = field(default_factory=list)


def listed(rows: Iterable[Mapping[str, Any]]) -> list[Listed]:
    """Gather rows `n` (table), `c` (comment) and `k` (a column of its primary key, or null), in order."""
    found: dict[str, Listed] = {}
    for row in rows:
        table = found.setdefault(row["n"], Listed(row["n"], row["c"] or None))
        if row["k"] is not None:
            table.key.append(row["k"])
    return list(found.values())


def streams_of(whole: WholeSchema, tables: Sequence[Listed], schema: str, quote: Any) -> dict[str, dict[str, Any]]:
    """Write the streams that a schema's tables are, by name, with keys as a user would write them.

    Raises SourceError LG-203 when there is none, LG-206 when two tables would have one name.
    """
    if not tables:
        hint = "correct `schema:`, or grant the user SELECT on its tables"
        raise SourceError("LG-203", f"the user sees no table in the schema {schema}", hint=hint)
    shown = named_streams(((table.name, table) for table in tables), whole.exclude, schema)
    return {name: _stream(whole, table, f"{quote(schema)}.{quote(table.name)}") for name, table in shown}


def _stream(whole: WholeSchema, table: Listed, written: str) -> dict[str, Any]:
    stream: dict[str, Any] = {"table": written, "mode": whole.mode if table.key else "replace", "key": table.key}
    if whole.deletes and stream["mode"] == "merge":
        stream["deletes"] = whole.deletes
    given = {"description": table.comment, "owner": whole.owner, "tags": list(whole.tags)}
    return {**stream, "allow_empty": whole.allow_empty, **{key: value for key, value in given.items() if value}}
