"""dbt's seeds become a source that reads the same files, and its sources become sources to be completed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lagoa.errors import StepError
from lagoa.kit.column_names import column_name
from lagoa.kit.text import literal, quote
from lagoa.kit.values import declared_type
from lagoa.ports import Session
from lagoa.propose.dbt.checks import Gates
from lagoa.propose.dbt.layers import SEEDS, Names, plain_name, source_file
from lagoa.propose.dbt.nouns import Dbt, Node, SourceTable
from lagoa.propose.dbt.words import column_words, note_columns, note_leftovers, sorted_checks, table_words
from lagoa.propose.proposal import Proposal
from lagoa.propose.yaml_lines import as_yaml
from lagoa.spec.names import TableName

_FILLED = "lower(trim({0})) not in ('', 'null')"
_NUMBER = r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?"
_SHAPES = {
    "date": r"\d{4}-\d{2}-\d{2}",
    "timestamp": r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?",
    "timestamptz": r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|[+-]\d{2}(:?\d{2})?)",
    "boolean": r"(?i)true|false",
}
_SIZED = re.compile(r"(?:character varying|varchar|nvarchar|char|string|text)\s*(\(\s*\w+\s*\))?", re.IGNORECASE)
_OTHER_NAMES = {"int64": "bigint", "float64": "double", "number": "decimal(38, 0)", "numeric": "decimal(28, 6)"}


# ---------------------------------------------------------------- seeds
Types = Mapping[TableName, Mapping[str, str]]


def seed_types(dbt: Dbt, names: Names, session: Session, proposal: Proposal) -> dict[TableName, dict[str, str]]:
    """Return the type of each column of each seed."""
    seeds = (node for node in dbt.nodes.values() if node.sort == "seed")
    return {names.nodes[node.name]: _types(node, dbt, session, proposal) for node in seeds}


def write_seeds(dbt: Dbt, names: Names, gates: Mapping[TableName, Gates], found: Types, proposal: Proposal) -> None:
    """Copy the seeds' files and write the source that reads them; `found` are the types of their columns."""
    streams = {}
    for node in dbt.nodes.values():
        if node.sort != "seed":
            continue
        table = names.nodes[node.name]
        stream = table.name.removeprefix(f"{SEEDS}_")
        proposal.copies[f"{SEEDS}/{stream}.csv"] = dbt.root / node.file
        proposal.made[f"seed {node.name}"] = str(table)
        note_leftovers(dbt, proposal, f"the seed `{node.name}`", "", node.file, node.config)
        note_columns(proposal, f"the seed `{node.name}`", node.said, enforced=False)
        gate = gates.get(table, Gates())
        entry: dict[str, Any] = {"delimiter": node.config.get("delimiter")}
        entry |= table_words(dbt, node.said, node.config)
        entry["columns"] = column_words(node.said.columns, gate, found[table])
        entry["checks"] = sorted_checks(gate.table)
        streams[stream] = {k: v for k, v in entry.items() if v and not (k == "delimiter" and v == ",")}
    if streams:
        words = "Files that dbt loaded as seeds."
        content = {"type": "files", "path": SEEDS, "description": words, "null_values": [""], "streams": streams}
        proposal.files[f"sources/{SEEDS}.yml"] = as_yaml(content)


def _types(node: Node, dbt: Dbt, session: Session, proposal: Proposal) -> dict[str, str]:
    """Return the type of each column as dbt would find it, so that models see what they saw."""
    delimiter = str(node.config.get("delimiter") or ",")
    read = f"read_csv({literal(str(dbt.root / node.file))}, all_varchar=true, header=true, delim={literal(delimiter)})"
    try:
        spelled = [str(name) for name, *_ in session.rows(f"describe select * from {read}")]
        looks = ", ".join(_looks(quote(name)) for name in spelled)
        (found,) = session.rows(f"select {looks} from {read}")
    except StepError as error:
        proposal.note("untranslated", node.file, None, f"the seed `{node.name}` cannot be read: {error}")
        return {}
    given = {str(k).lower(): str(v) for k, v in (node.config.get("column_types") or {}).items()}
    types = {}
    for name, kind in zip(spelled, found, strict=True):
        landed = column_name(name)
        if landed != name.lower():
            words = f"the seed's column `{name}` is called `{landed}` here"
            proposal.note("decided", node.file, 1, words)
        types[landed] = _declared(given.get(name.lower()), str(kind), node, name, proposal)
    return types


def _looks(column: str) -> str:
    """Return SQL for the type that all filled values of a column look like."""
    filled, value = _FILLED.format(column), f"trim({column})"
    number = f"try_cast({value} as double)"
    kinds = "".join(
        f" when bool_and(regexp_full_match({value}, {literal(shape)})) filter ({filled}) then {literal(kind)}"
        for kind, shape in _SHAPES.items()
    )
    return (
        f"case when count(*) filter ({filled}) = 0 then 'integer'"
        f" when bool_and(regexp_full_match({value}, {literal(_NUMBER)})) filter ({filled}) then"
        f" case when bool_or({number} <> trunc({number})) filter ({filled}) then 'double'"
        f" when max(abs({number})) filter ({filled}) > 2147483647 then 'bigint' else 'integer' end"
        f"{kinds} else 'text' end"
    )


def _declared(given: str | None, found: str, node: Node, column: str, proposal: Proposal) -> str:
    if given is None:
        if found == "timestamptz":
            words = f"times of `{column}` carry an offset and keep it; dbt made them UTC without one"
            proposal.note("decided", node.file, None, words)
        return found
    plain = "text" if _SIZED.fullmatch(given.strip()) else _OTHER_NAMES.get(given.strip().lower(), given)
    try:
        declared_type(plain)
    except ValueError:
        words = f"column_types: `{column}: {given}` is no type of a file's column; it is read as {found}"
        proposal.note("decided", node.file, None, words)
        return found
    return plain


# ---------------------------------------------------------------- sources
def write_sources(dbt: Dbt, names: Names, gates: Mapping[TableName, Gates], proposal: Proposal) -> None:
    """Write a file for each source; where its rows come from is for a person to say."""
    by_source: dict[str, list[SourceTable]] = {}
    for key, table in dbt.sources.items():
        proposal.made[f"source {table.source}.{table.name}"] = str(names.sources[key])
        if key not in names.stood_in:
            by_source.setdefault(table.source, []).append(table)
    for source, tables in by_source.items():
        first = names.sources[source, tables[0].name]
        stream = plain_name(tables[0].name)
        name = first.name.removesuffix(f"_{stream}") if first.name.endswith(f"_{stream}") else source_file(source)
        _source(dbt, name, tables, names, gates, proposal)


def _source(
    dbt: Dbt,
    name: str,
    tables: list[SourceTable],
    names: Names,
    gates: Mapping[TableName, Gates],
    proposal: Proposal,
) -> None:
    postgres = dbt.dialect == "postgres"
    streams: dict[str, Any] = {}
    for table in tables:
        landed = names.sources[table.source, table.name]
        gate = gates.get(landed, Gates())
        what = f"the source's table `{table.source}.{table.name}`"
        note_leftovers(dbt, proposal, what, "", table.said.file, table.config)
        note_columns(proposal, what, table.said, enforced=False)
        place = {"table": f"{table.schema}.{table.identifier}"} if postgres else _path(table)
        entry = {**place, **table_words(dbt, table.said, table.config)}
        entry["columns"] = column_words(table.said.columns, gate)
        entry["checks"] = sorted_checks([*gate.table, *_freshness(table, proposal)])
        streams[landed.name.removeprefix(f"{name}_")] = {k: v for k, v in entry.items() if v}
        if "path" not in place or not table.config.get("external_location"):
            there = f"{table.schema}.{table.identifier}"
            words = f"say in sources/{name}.yml where `{landed}` is read from (dbt found it in {there})"
            proposal.note("to complete", table.said.file, table.said.line, words)
    text = _POSTGRES.format(name=name) if postgres else _FILES.format(name=name)
    about = {"description": tables[0].about} if tables[0].about else {}
    proposal.files[f"sources/{name}.yml"] = text + as_yaml({**about, "streams": streams})


_POSTGRES = """\
# To be completed: dbt read these tables in its own database. Keep the address in .env as {name}_url.
type: postgres
connection: ${{secret:{name}_url}}
"""
_FILES = """\
# To be completed: dbt found these tables in its warehouse. Say where they come from: files, as below, or
#   type: postgres
#   connection: ${{secret:{name}_url}}
# with `table: schema.name` instead of `path` in each stream.
type: files
path: landing/{name}
"""


def _path(table: SourceTable) -> dict[str, Any]:
    location = table.config.get("external_location") or (table.config.get("meta") or {}).get("external_location")
    if location and re.fullmatch(r"[\w./{}* -]+", str(location)):
        table.config["external_location"] = location
        return {"path": str(location).replace("{name}", table.name).replace("{identifier}", table.identifier)}
    table.config.pop("external_location", None)
    return {"path": f"{table.identifier}.parquet"}


def _freshness(table: SourceTable, proposal: Proposal) -> Iterator[dict[str, Any]]:
    """Return the check that warns when rows are old: a stream is never held back by it, as it was not by dbt."""
    wanted, column = table.config.get("freshness"), table.config.get("loaded_at_field")
    if not isinstance(wanted, dict) or not (wanted.get("warn_after") or wanted.get("error_after")):
        return
    what = f"freshness of `{table.source}.{table.name}`"
    limit = wanted.get("warn_after") or wanted["error_after"]
    unit = {"minute": "m", "hour": "h", "day": "d"}.get(str(limit.get("period")))
    if not column or not re.fullmatch(r"\w+", str(column)) or unit is None or not limit.get("count"):
        words = f"{what}: it needs a column as `loaded_at_field`, a count and a period"
        proposal.note("untranslated", table.said.file, table.said.line, words)
        return
    age = {"column": str(column), "max_age": f"{limit['count']}{unit}"}
    yield {"freshness": age, "on_fail": "warn"}
    if wanted.get("error_after") or wanted.get("filter"):
        words = f"{what} warns after {age['max_age']}; `error_after` and `filter` have no counterpart"
        proposal.note("decided", table.said.file, table.said.line, words)
