"""Gives everything that dbt makes or reads its name here: seeds and sources bronze, staging silver, marts gold."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from lagoa.errors import CommandError, did_you_mean
from lagoa.project.tree import MODEL_LAYERS, NOTES
from lagoa.propose.dbt.nouns import Dbt, Node
from lagoa.propose.proposal import Proposal
from lagoa.spec.names import TableName, bronze, name_for

SEEDS = "seeds"
"""The source that reads the seeds' files."""
_SILVER = frozenset(
    ("staging", "stage", "stg", "intermediate", "int", "base", "silver", "clean", "cleansed", "prep", "preparation")
)
_GOLD = frozenset(("marts", "mart", "gold", "reporting", "reports", "analytics", "metrics", "core"))
_TO = re.compile(r"\s*(?:\{\{)?\s*(ref|source)\(\s*(.*?)\s*\)\s*(?:\}\})?\s*", re.DOTALL)
_VERSION = re.compile(r",\s*(?:v|version)\s*=\s*(['\"]?)(\w+)\1")
_SILVER_NAME = re.compile(r"(stg|int|base|prep|silver)_")


@dataclass(frozen=True)
class Names:
    """What is called what: `nodes` by dbt's name, `sources` by dbt's source and table."""

    nodes: dict[str, TableName]
    sources: dict[tuple[str, str], TableName]
    stood_in: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    """Sources whose table is a seed."""
    versions: dict[str, TableName] = field(default_factory=dict)
    """Versions of models: by `model.v1`, and the latest of them by `model`."""

    def of(self, written: str) -> TableName | None:
        """Return the table that `ref('x')` or `source('a', 'b')` names."""
        found = _TO.fullmatch(written)
        version = _VERSION.search(found[2]) if found else None
        words = re.findall(r"['\"]([^'\"]+)['\"]", _VERSION.sub("", found[2])) if found else []
        if not found or not words:
            return None
        if found[1] == "source":
            return self.sources.get((words[0], words[-1]))
        return (self.nodes | self.versions).get(f"{words[-1]}.v{version[2]}" if version else words[-1])

    def refs(self) -> dict[str, str]:
        """Return what `ref` finds."""
        return {name: str(table) for name, table in (self.nodes | self.versions).items()}

    def of_sources(self) -> dict[str, str]:
        """Return what `source` finds."""
        return {f"{source}.{name}": str(table) for (source, name), table in self.sources.items()}


def names_of(dbt: Dbt, chosen: Mapping[str, str], proposal: Proposal) -> Names:
    """Name every table; `chosen` gives layers by folder or tag. Raises CommandError LG-601 for what is no layer."""
    _known(dbt, chosen)
    nodes: dict[str, TableName] = {}
    for node in sorted(dbt.nodes.values(), key=lambda node: plain_name(node.name) != node.name):
        if node.sort != "test":
            plain = _plain(node.name, node.file, proposal, [table.name for table in nodes.values()])
            nodes[node.name] = bronze(SEEDS, plain) if node.sort == "seed" else TableName(layer_of(node, chosen), plain)
    sources, stood_in = {}, set()
    for key, table in dbt.sources.items():
        seed = dbt.nodes.get(table.identifier)
        if seed is not None and seed.sort == "seed":
            sources[key] = nodes[seed.name]
            stood_in.add(key)
            words = f"the source's table `{table.source}.{table.name}` is the seed of that name"
            proposal.note("decided", table.said.file, table.said.line, words)
        else:
            name = source_file(_plain(table.source, table.said.file, proposal))
            sources[key] = bronze(name, _plain(table.name, table.said.file, proposal))
    versions = {ref: nodes[name] for ref, name in dbt.versions.items() if name in nodes}
    for model, name in dbt.versions.items():
        if name in nodes and ".v" not in model:
            words = f"`{model}` has versions, each a model of its own; `ref('{model}')` is the latest, `{name}`"
            proposal.note("decided", dbt.nodes[name].said.file, dbt.nodes[name].said.line, words)
    return Names(nodes, sources, frozenset(stood_in), versions)


def source_file(source: str) -> str:
    """Name the source's file: `seeds` is taken."""
    return f"dbt_{SEEDS}" if source == SEEDS else source


def layer_of(node: Node, chosen: Mapping[str, str]) -> str:
    """Find a model's layer: what was chosen for a folder or tag, then tags, folders and the name; gold otherwise."""
    tags = node.config.get("tags") or []
    words = [*reversed(node.folders), *([tags] if isinstance(tags, str) else tags)]
    path = "/".join(node.folders)
    by_path = [layer for folder, layer in chosen.items() if path == folder or path.startswith(folder + "/")]
    if by_path:
        return by_path[-1]
    for word in words:
        if word in chosen:
            return chosen[word]
    for word in map(str.lower, words):
        if word in _SILVER or word in _GOLD:
            return "silver" if word in _SILVER else "gold"
    return "silver" if node.sort == "snapshot" or _SILVER_NAME.match(node.name.lower()) else "gold"


def _known(dbt: Dbt, chosen: Mapping[str, str]) -> None:
    folders = {"/".join(n.folders[:i]) for n in dbt.nodes.values() for i in range(1, len(n.folders) + 1)}
    words = folders | {part for n in dbt.nodes.values() for part in n.folders}
    words |= {tag for n in dbt.nodes.values() for tag in n.config.get("tags") or []}
    for folder, layer in chosen.items():
        if layer not in MODEL_LAYERS:
            hint = f"models are {' and '.join(MODEL_LAYERS)}"
            raise CommandError("LG-601", f"`{layer}` is not a layer of models", hint=hint)
        if folder not in words:
            message = f"the dbt project has no folder or tag `{folder}`"
            raise CommandError("LG-601", message, hint=did_you_mean(folder, words))


def is_reference(written: str) -> bool:
    """Say whether a text is `ref(…)` or `source(…)`."""
    return _TO.fullmatch(written) is not None


def plain_name(name: str) -> str:
    """Return a name that a table can have, and whose file is not taken for a note to people."""
    plain = name_for(name)
    return plain if not plain.startswith(("__", *NOTES)) else f"t_{plain}"


def _plain(name: str, file: str, proposal: Proposal, taken: Collection[str] = ()) -> str:
    plain = plain_name(name)
    if plain in taken:
        plain = next(other for other in (f"{plain}_{n}" for n in range(2, len(taken) + 3)) if other not in taken)
    if plain != name:
        proposal.note("decided", file, None, f"`{name}` is called `{plain}` here")
    return plain
