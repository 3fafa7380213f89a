"""Reads what dbt itself found out, its target/manifest.json, over what the files tell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lagoa.propose.dbt.files import ADAPTERS, macros_of, merged
from lagoa.propose.dbt.nouns import Column, Dbt, Node, Said, SourceTable, Test
from lagoa.propose.dbt.versions import version_name
from lagoa.propose.proposal import Proposal

MANIFEST = Path("target/manifest.json")
_OLDEST = 11
"""The version of the manifest's schema that dbt 1.7 wrote."""
_BUILT_IN = ("dbt", *(f"dbt_{name}" for name in ADAPTERS))
"""Packages that come with dbt: their macros are written anew here."""
_QUOTED = re.compile(r"[\"`]\w+[\"`]")
Json = Mapping[str, Any]
_TEST_CONFIG = {
    "severity": "ERROR",
    "where": None,
    "limit": None,
    "warn_if": "!= 0",
    "error_if": "!= 0",
    "fail_calc": "count(*)",
    "store_failures": None,
}
"""What dbt configures for a test when nobody says anything."""


def read_manifest(dbt: Dbt, proposal: Proposal) -> Dbt:
    """Return the project as its manifest tells it; as its files do when there is none, or it is older than they are."""
    path = dbt.root / MANIFEST
    if not path.is_file():
        return dbt
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = int(str(manifest["metadata"]["dbt_schema_version"]).rpartition("/v")[2].split(".")[0])
        why = f"it is of version {version}" if version < _OLDEST else _stale(dbt, manifest)
        told = None if why else _told(dbt, manifest)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why, told = f"it cannot be read ({type(error).__name__})", None
    if told is None:
        proposal.note("decided", MANIFEST.as_posix(), None, f"the manifest was not used: {why}; the files were read")
        return dbt
    return told


def _own(dbt: Dbt, manifest: Json, *sorts: str) -> Iterator[tuple[str, Json]]:
    for name, entry in manifest["nodes"].items():
        if entry["resource_type"] in sorts and entry["package_name"] == dbt.name:
            yield name, entry


def _stale(dbt: Dbt, manifest: Json) -> str | None:
    """Say which file is not as the manifest knows it."""
    if manifest["metadata"].get("project_name") not in (None, dbt.name):
        return "it is of another project"
    known = {entry["original_file_path"].replace("\\", "/") for _, entry in _own(dbt, manifest, "model", "seed")}
    for name, entry in _own(dbt, manifest, "model"):
        node = dbt.nodes.get(_name(entry))
        if node is None or node.text.strip() != str(entry["raw_code"]).strip():
            return f"{entry['original_file_path']} has changed since ({name})"
    for node in dbt.nodes.values():
        if node.sort in ("model", "seed") and node.file not in known:
            return f"{node.file} is new"
    return None


def _name(entry: Json) -> str:
    if entry["resource_type"] == "test":
        return f"test.{entry['name']}"
    version = entry.get("version")
    return str(entry["name"]) if version is None else version_name(str(entry["name"]), version)


def _told(dbt: Dbt, manifest: Json) -> Dbt:
    told = Dbt(dbt.root, dbt.name, dbt.dialect, dbt.target, dbt.variables)
    told.dialect = dbt.dialect or ADAPTERS.get(str(manifest["metadata"].get("adapter_type")))
    told.strays, told.disabled, told.owners = dbt.strays, dbt.disabled, dbt.owners
    told.chosen, told.versions = dbt.chosen, dbt.versions
    told.unit_tests, told.fixtures = dbt.unit_tests, dbt.fixtures
    packages = [m for m in dbt.macros if m.package == dbt.name]
    told.macros = [*packages, *_package_macros(dbt, manifest)]
    ids, names = {}, {}
    for unique_id, entry in _own(dbt, manifest, "model", "seed", "snapshot", "test"):
        if entry["resource_type"] == "test" and entry.get("test_metadata"):
            continue
        node = _node(dbt, entry)
        told.nodes[_name(entry)], ids[unique_id] = node, node.said
        names[_relation(entry)] = f"ref:{_name(entry)}"
    for unique_id, entry in manifest["sources"].items():
        if entry["package_name"] == dbt.name:
            table = _source(dbt, entry)
            told.sources[table.source, table.name], ids[unique_id] = table, table.said
            names[_relation(entry)] = f"source:{table.source}.{table.name}"
    for _, entry in _own(dbt, manifest, "test"):
        judged = _judged(dbt, entry) if entry.get("test_metadata") else None
        if judged in ids:
            ids[judged].tests.append(_test(entry))
    _lines(dbt, told)
    told.compiled_names = {relation: name for relation, name in names.items() if relation}
    return told


def _judged(dbt: Dbt, entry: Json) -> str | None:
    """Find the node that a test judges; dbt names it for what it makes itself, and not for a source's table."""
    if entry.get("attached_node"):
        return str(entry["attached_node"])
    model = str(entry["test_metadata"]["kwargs"].get("model", ""))
    found = re.search(r"source\(\s*['\"]([^'\"]+)['\"]\s*,\s*['\"]([^'\"]+)['\"]\s*\)", model)
    return f"source.{dbt.name}.{found[1]}.{found[2]}" if found else None


def _relation(entry: Json) -> str:
    return str(entry.get("relation_name") or "").replace('"', "").replace("`", "").lower()


def _package_macros(dbt: Dbt, manifest: Json) -> Iterator[Any]:
    for entry in manifest["macros"].values():
        if entry["package_name"] not in (dbt.name, *_BUILT_IN):
            yield from macros_of(entry["package_name"], entry["macro_sql"], entry["original_file_path"])


def _node(dbt: Dbt, entry: Json) -> Node:
    """Read a node: what was configured for it, merged by dbt; where it stands as the files tell."""
    there = dbt.nodes.get(_name(entry))
    config = {key: entry["config"][key] for key in entry.get("unrendered_config") or {} if key in entry["config"]}
    config = merged({}, config | {k: entry["config"][k] for k in ("tags", "meta", "group") if entry["config"].get(k)})
    node = Node(entry["resource_type"], entry["name"], entry["original_file_path"].replace("\\", "/"), config=config)
    node.name = _name(entry)
    node.compiled = entry.get("compiled_code")
    node.said = _said(entry, there.said if there else Said())
    if there is not None:
        node.text, node.line, node.folders = there.text, there.line, there.folders
    else:
        node.text, node.folders = str(entry.get("raw_code") or ""), tuple(entry["fqn"][1:-1])
    return node


def _said(entry: Json, there: Said) -> Said:
    columns = {
        str(column["name"]): Column(
            (column.get("description") or "").strip(),
            column.get("data_type"),
            tuple(column.get("tags") or ()),
            dict(column.get("meta") or {}),
        )
        for column in (entry.get("columns") or {}).values()
    }
    return Said((entry.get("description") or "").strip(), columns, [], there.constraints, {}, there.file, there.line)


def _source(dbt: Dbt, entry: Json) -> SourceTable:
    key = str(entry["source_name"]), str(entry["name"])
    there = dbt.sources.get(key)
    said = _said(entry, there.said if there else Said(file=entry["original_file_path"]))
    config = dict(there.config if there else entry.get("config") or {})
    about = (entry.get("source_description") or "").strip()
    return SourceTable(*key, str(entry["identifier"]), str(entry["schema"]), said, config, about)


def _test(entry: Json) -> Test:
    metadata = entry["test_metadata"]
    arguments = {k: v for k, v in metadata["kwargs"].items() if k not in ("model", "column_name")}
    kind = ".".join(filter(None, (metadata.get("namespace"), metadata["name"])))
    config = {k: v for k, v in entry["config"].items() if k in _TEST_CONFIG and v != _TEST_CONFIG[k]}
    column = metadata["kwargs"].get("column_name")
    if column and _QUOTED.fullmatch(column):
        column = column[1:-1]  # `quote: true` of the column
    return Test(kind, arguments, config, None, entry["original_file_path"].replace("\\", "/"), None, column)


def _lines(dbt: Dbt, told: Dbt) -> None:
    """Give each test the line, and the name of its own, that the files tell."""
    pairs = [(there.said, told.nodes[name].said) for name, there in dbt.nodes.items() if name in told.nodes]
    pairs += [(there.said, told.sources[key].said) for key, there in dbt.sources.items() if key in told.sources]
    for there, here in pairs:
        waiting = list(there.tests)
        for test in here.tests:
            same = [t for t in waiting if (t.kind, t.column) == (test.kind, test.column)]
            twin = next((t for t in same if t.arguments == test.arguments), same[0] if same else None)
            if twin is not None:
                waiting.remove(twin)
                test.line, test.name, test.file = twin.line, twin.name, twin.file
