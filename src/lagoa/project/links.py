"""Looks up every table that a file names: what nothing makes, what two files make, and what goes in circles."""

from __future__ import annotations

from collections.abc import Iterable

from lagoa.errors import ProjectError, closest
from lagoa.project.graph import Node, cycles
from lagoa.project.reading import Mention, Reading
from lagoa.spec.names import LAYERS, QUARANTINE, TableName

_HISTORY = "history"


def unique(reading: Reading, nodes: Iterable[Node]) -> list[Node]:
    """Keep the first of the nodes that make the same table; the others are errors (LG-107)."""
    first: dict[TableName, Node] = {}
    for node in nodes:
        rival = first.setdefault(node.name, node)
        if rival is not node:
            message = f"`{node.name}` is made twice: here and by {_file_and_line(rival)}"
            hint = "rename or remove one of them"
            reading.findings.append(ProjectError("LG-107", message, place=node.place, hint=hint))
    return list(first.values())


def _file_and_line(node: Node) -> str:
    return node.place.file + (f" (line {node.place.line})" if node.place.line else "")


def look_up(reading: Reading, nodes: Iterable[Node]) -> None:
    """Report every mention of a table that nothing makes (LG-103)."""
    kinds = {node.name: node.kind for node in nodes}
    # a model that is wrong in itself still makes its table: its readers are not wrong
    made = {*kinds, *(name for name, _ in reading.tree.models)}
    for mention in reading.mentions:
        table = mention.table
        if table is None or not _exists(table, made, kinds, reading):
            others = made - {mention.by} if mention.words.startswith(f"`{mention.by}`") else made
            reading.findings.append(_unknown(mention, others, kinds))


def _exists(table: TableName, made: set[TableName], kinds: dict[TableName, str], reading: Reading) -> bool:
    if table.layer == QUARANTINE:
        return _exists(table.guarded, made, kinds, reading) and kinds.get(table.guarded) != "view"
    if table in made:
        return True
    # the streams of a source whose file cannot be read are not known
    return table.layer == "bronze" and any(table.name.startswith(f"{s}_") for s in reading.broken_sources)


def _unknown(mention: Mention, made: set[TableName], kinds: dict[TableName, str]) -> ProjectError:
    table, written = mention.table, mention.written
    if table is not None and table.layer == _HISTORY:
        message = f"{mention.words} `{written}`, but history.* is for queries and not for models"
        return ProjectError("LG-103", message, place=mention.place)
    names = [str(name) for name in made]
    if table is not None and table.layer in (*LAYERS, QUARANTINE):
        if table.layer == QUARANTINE and kinds.get(table.guarded) == "view":
            message = f"{mention.words} `{written}`, but a view sets no rows aside: the tables that it reads do"
            return ProjectError("LG-103", message, place=mention.place)
        aside = [name for name in made if kinds.get(name) != "view"] if table.layer == QUARANTINE else []
        found = closest(written.lower(), [*(str(name.quarantine) for name in aside), *names])
        hint = f"did you mean `{found}`?" if found else _all(names)
        message = f"{mention.words} `{written}`, which nothing produces"
        return ProjectError("LG-103", message, place=mention.place, hint=hint)
    last = written.lower().rpartition(".")[2]
    meant = closest(last, sorted({name.name for name in made}))
    full = next((str(name) for name in sorted(made) if name.name == meant), None)
    hint = f"did you mean `{full}`?" if full else "write layer.name, such as silver.orders"
    reason = "which is not of the form layer.name" if table is None else "which nothing produces"
    message = f"{mention.words} `{written}`, {reason}"
    return ProjectError("LG-103", message, place=mention.place, hint=hint)


def _all(names: list[str]) -> str | None:
    return f"the tables are {', '.join(sorted(names))}" if 0 < len(names) <= 8 else None


def acyclic(reading: Reading, nodes: list[Node]) -> bool:
    """Report circles (LG-108), each with its whole path; say whether there is none."""
    by_name = {node.name: node for node in nodes}
    circles = cycles({node.name: [i for i in node.inputs if i in by_name] for node in nodes})
    for path in circles:
        place = by_name[path[0]].place
        edge = next((m.place for m in reading.mentions if m.by == path[0] and _means(m, path[1])), place)
        words = " reads ".join(f"`{name}`" for name in path)
        message = f"`{path[0]}` reads itself" if len(path) == 2 else f"the tables go in a circle: {words}"
        reading.findings.append(ProjectError("LG-108", message, place=edge))
    return not circles


def _means(mention: Mention, table: TableName) -> bool:
    return mention.table is not None and mention.table.guarded == table
