"""Finds tables by words: in their names, columns, descriptions, tags, owners and files, whatever the accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lagoa.catalog.lineage import ProjectLineage, declared_of
from lagoa.errors import LagoaError, closest
from lagoa.lake.store import Lake
from lagoa.project.model import Project
from lagoa.spec.names import LAYERS, QUARANTINE, TableName

_WEIGHTS = {"name": 10, "column": 6, "tag": 5, "description": 4, "column description": 3, "owner": 3, "file": 2}
"""What a word is worth where it is found; it is worth less inside another word."""
_WHOLE, _BEGINNING, _INSIDE = 1.0, 0.7, 0.4


@dataclass(frozen=True)
class Field:
    """A text that is searched; `where` is a key of the weights, `column` the one that it is of."""

    where: str
    text: str
    column: str | None = None


@dataclass(frozen=True)
class Match:
    """A field in which words were found, and where: spans of letters, in order."""

    field: Field
    spans: Sequence[tuple[int, int]]

    def to_json(self) -> dict[str, Any]:
        """Give the match as `show --search --json` prints it."""
        field = self.field
        return {"where": field.where, "column": field.column, "text": field.text, "spans": list(map(list, self.spans))}


@dataclass(frozen=True)
class Hit:
    """A table in which every word was found, with what was found, the weightiest first."""

    table: TableName
    kind: str
    score: float
    matches: Sequence[Match]

    def to_json(self) -> dict[str, Any]:
        """Give the hit as `show --search --json` prints it."""
        found = [match.to_json() for match in self.matches]
        return {"table": str(self.table), "kind": self.kind, "score": round(self.score, 1), "matches": found}


@dataclass(frozen=True)
class Found:
    """The hits, the best first; `meant` is the nearest word of the project when there are none."""

    hits: Sequence[Hit]
    meant: str | None = None


def search(project: Project, lake: Lake, words: Iterable[str]) -> Found:
    """Find the tables in which every word stands somewhere; gold comes before silver where they are equal."""
    wanted = list(dict.fromkeys(fold(word)[0] for text in words for word in text.split()))
    names = {*project.graph.nodes, *(n for n in lake.names() if n.layer != QUARANTINE)}
    lineage = ProjectLineage(project, lake.open)
    shelves = {name: list(_fields(project, lake, lineage, name)) for name in names}
    hits = [hit for name, fields in shelves.items() if (hit := _hit(project, name, fields, wanted)) is not None]
    hits.sort(key=lambda h: (-h.score, -LAYERS.index(h.table.layer), h.table.name))
    if hits or len(wanted) != 1:
        return Found(hits)
    vocabulary = {part for fields in shelves.values() for f in fields for part in _parts(fold(f.text)[0])}
    return Found((), closest(wanted[0], vocabulary))


def fold(text: str) -> tuple[str, list[int]]:
    """Write a text in small letters without accents, and say of each letter which of the text's it comes from."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        plain = [c for c in unicodedata.normalize("NFKD", letter).casefold() if not unicodedata.combining(c)]
        letters += plain
        places += [place] * len(plain)
    return "".join(letters), places


def _parts(folded: str) -> list[str]:
    return re.findall(r"[^\W_]+", folded)


# ---------------------------------------------------------------- what is searched
def _fields(project: Project, lake: Lake, lineage: ProjectLineage, name: TableName) -> Iterator[Field]:
    node, noun = project.graph.nodes.get(name), declared_of(project, name)
    yield Field("name", str(name))
    columns = _columns(project, lake, lineage, name)
    there = {column.lower() for column in columns}
    if noun is not None:
        if noun.description:
            yield Field("description", noun.description)
        for column, said in noun.columns.items():
            # a dictionary also speaks of columns that no file has
            if said.description and (column.lower() in there or not there):
                yield Field("column description", said.description, column)
    for column in columns:
        yield Field("column", column, column)
    if node is not None:
        yield from (Field("tag", tag) for tag in node.tags)
        yield from [Field("owner", node.owner)] if node.owner else []
        yield Field("file", node.place.file)


def _columns(project: Project, lake: Lake, lineage: ProjectLineage, name: TableName) -> Sequence[str]:
    """Name a table's columns as cheaply as can be: as the lake holds them, as the query says, by lineage at last."""
    model, noun = project.models.get(name), declared_of(project, name)
    if model is None or model.header.kind != "view":
        try:
            table = lake.open(name)
            if table.exists:
                return list(table.schema.names)
        except LagoaError:
            pass  # what is wrong with it is not asked here
    if model is not None and model.query is not None and model.query.columns is not None:
        return model.query.columns
    return lineage.columns(name) or (list(noun.columns) if noun is not None else [])


# ---------------------------------------------------------------- matching
def _hit(project: Project, name: TableName, fields: Sequence[Field], wanted: Sequence[str]) -> Hit | None:
    best = dict.fromkeys(wanted, 0.0)
    matches: list[tuple[float, Match]] = []
    for field in fields:
        folded, places = fold(field.text)
        worth = {word: _WEIGHTS[field.where] * _likeness(folded, word) for word in wanted if word in folded}
        if worth:
            best |= {word: max(best[word], value) for word, value in worth.items()}
            matches.append((sum(worth.values()), Match(field, _spans(folded, places, worth))))
    if not matches or not all(best.values()):
        return None
    matches.sort(key=lambda m: -m[0])
    node = project.graph.nodes.get(name)
    return Hit(name, node.kind if node else "left over", sum(best.values()), [match for _, match in matches])


def _likeness(folded: str, word: str) -> float:
    parts = _parts(folded)
    if word in parts or word == folded:
        return _WHOLE
    return _BEGINNING if any(part.startswith(word) for part in parts) else _INSIDE


def _spans(folded: str, places: Sequence[int], words: Iterable[str]) -> list[tuple[int, int]]:
    """Mark every place where a word stands, in the letters of the text itself; marks that touch become one."""
    marked = sorted(
        (places[m.start()], places[m.end() - 1] + 1) for w in words for m in re.finditer(re.escape(w), folded)
    )
    spans: list[tuple[int, int]] = []
    for begin, end in marked:
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((begin, end))
    return spans
