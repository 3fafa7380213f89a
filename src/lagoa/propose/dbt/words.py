"""Writes what is said of tables and columns as YAML, and notes what of it has no place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lagoa.propose.dbt.checks import Gates
from lagoa.propose.dbt.files import SETTINGS
from lagoa.propose.dbt.nouns import Column, Dbt, Said
from lagoa.propose.proposal import Proposal
from lagoa.propose.yaml_lines import as_yaml

_KNOWN = frozenset(
    (
        *("materialized", "unique_key", "strategy", "updated_at", "check_cols", "enabled", "name", "description"),
        *("tags", "meta", "group", "docs", "access", "event_time", "column_types", "delimiter", "quote_columns"),
        *("contract", "external_location", "freshness", "loaded_at_field", "severity", "persist_docs"),
        *("hard_deletes", "invalidate_hard_deletes", "snapshot_meta_column_names", "dbt_valid_to_current"),
    )
)
"""Configurations that are used, or that say nothing of rows."""
_RUNS_SQL = frozenset(("pre_hook", "post_hook", "sql_header"))


def header(value: Mapping[str, Any]) -> str:
    """Write the header of a model or check; it cannot hold the marks of a comment, nor of a reference."""
    text = as_yaml(value) if value else ""
    for mark in ("*/", "/*", "${"):
        text = text.replace(mark, f"{mark[0]} {mark[1]}")
    return f"/*\n{text}*/\n" if text else ""


def table_words(dbt: Dbt, said: Said, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return description, owner and tags of a table."""
    meta = config.get("meta") or {}
    owner = meta.get("owner") or dbt.owners.get(str(config.get("group")))
    tags = config.get("tags") or []
    tags = [tags] if isinstance(tags, str) else list(dict.fromkeys(tags))
    words = {"description": said.description, "owner": owner and str(owner), "tags": tags}
    return {key: value for key, value in words.items() if value}


def column_words(
    columns: Mapping[str, Column], gates: Gates, types: Mapping[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return what is said of columns, with their checks; `types` are those that are declared."""
    known = {name.lower(): column for name, column in columns.items()}
    checks = {name.lower(): entries for name, entries in gates.columns.items()}
    types = types or {}
    names = dict.fromkeys([*types, *known, *checks])
    made = {name: _column(known.get(name, Column()), types.get(name), checks.get(name, [])) for name in names}
    return {name: words for name, words in made.items() if words}


def _column(column: Column, kind: str | None, checks: list[Any]) -> dict[str, Any]:
    pii = column.meta.get("pii", column.meta.get("contains_pii"))
    pii = "personal" if pii in (True, "true", "True") else pii
    words = {
        "type": kind,
        "description": column.description,
        "pii": str(pii) if pii and pii != "false" else None,
        "tags": list(column.tags),
        "checks": sorted_checks(checks),
    }
    return {key: value for key, value in words.items() if value}


def sorted_checks(checks: list[Any]) -> list[Any]:
    """Return checks in one order, however they were told; each once."""
    once = {str(check): check for check in checks}
    return [once[key] for key in sorted(once, key=lambda key: (not isinstance(once[key], str), key))]


def note_leftovers(dbt: Dbt, proposal: Proposal, what: str, text: str, file: str, config: Mapping[str, Any]) -> None:
    """Note each configuration and each word of `meta` that is not carried over, where it is written."""
    for key, value in sorted(config.items()):
        if key in _KNOWN or value in (None, [], {}, "", False):
            continue
        place, line = _written(dbt, key, text, file)
        whose = _each(what) if place == SETTINGS else what  # said once, however many it is configured for
        if key in _RUNS_SQL:
            proposal.note("untranslated", place, line, f"`{key}` of {whose}: SQL that runs beside the model")
        else:
            proposal.note("decided", place, line, f"`{key}` of {whose} has no counterpart and was left out")
    meta = config.get("meta") or {}
    strange = sorted(set(meta) - {"owner", "pii", "contains_pii"})
    if strange:
        place, line = _written(dbt, "meta", text, file)
        words = ", ".join(f"`{key}`" for key in strange)
        proposal.note("decided", place, line, f"meta of {what}: {words} has no counterpart and was left out")


def _each(what: str) -> str:
    return f"each {what.removeprefix('the ').partition(' `')[0]} below it"


def note_columns(proposal: Proposal, what: str, said: Said, enforced: bool) -> None:
    """Note what is said of columns and is not carried over."""
    if any(column.data_type for column in said.columns.values()) and not enforced:
        words = f"the `data_type` of columns of {what} is dropped: without a contract it is a comment"
        proposal.note("decided", said.file, said.line, words)
    for name, column in said.columns.items():
        strange = sorted(set(column.meta) - {"pii", "contains_pii"})
        if strange:
            words = f"meta of column `{name}` of {what}: {', '.join(strange)} has no counterpart and was left out"
            proposal.note("decided", said.file, said.line, words)


def _written(dbt: Dbt, key: str, text: str, file: str) -> tuple[str, int | None]:
    """Find where a configuration is written: in the file itself, or in dbt_project.yml."""
    word = re.compile(rf"(?<![\w-])['\"]?\+?{re.escape(key).replace('_', '[_-]')}['\"]?\s*[=:]")
    for line in _matching(word, text):
        return file, line
    for line in _matching(word, (dbt.root / SETTINGS).read_text(encoding="utf-8", errors="replace")):
        return SETTINGS, line
    return file, None


def _matching(word: re.Pattern[str], text: str) -> Iterator[int]:
    for number, line in enumerate(text.split("\n"), 1):
        if word.search(line):
            yield number
