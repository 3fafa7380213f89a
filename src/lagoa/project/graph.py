"""The tables of a project and what each reads: in which order they are made, and what depends on what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush

from lagoa.errors import Place
from lagoa.spec.names import TableName
from lagoa.spec.stream import Stream


@dataclass(frozen=True)
class StreamTable:
    """A stream and the bronze table in which it lands."""

    name: TableName
    source: str
    stream: str
    spec: Stream
    place: Place


@dataclass(frozen=True)
class Node:
    """What the graph knows of one table: enough to order and to select it."""

    name: TableName
    kind: str
    """`stream`, or the model's kind: table, view, append."""
    place: Place
    inputs: tuple[TableName, ...] = ()
    """The tables that it is made of; a quarantine table counts as its main table."""
    checked_against: tuple[TableName, ...] = ()
    """Other tables that its checks read; they are made before it where no cycle forbids it."""
    source: str | None = None
    owner: str | None = None
    tags: tuple[str, ...] = ()


class Graph:
    """The tables by name. `order` has every table after its inputs, otherwise by name."""

    def __init__(self, nodes: Iterable[Node], streams: Mapping[TableName, StreamTable]) -> None:
        self.nodes: Mapping[TableName, Node] = {node.name: node for node in nodes}
        self.streams = streams

    @property
    def tables(self) -> list[TableName]:
        """All tables and views, in order."""
        return list(self.order)

    def inputs(self, name: TableName) -> tuple[TableName, ...]:
        """The tables that one is made of."""
        return self.nodes[name].inputs

    def upstream(self, names: Iterable[TableName], depth: int | None = None) -> set[TableName]:
        """Everything that tables are made of, through at most `depth` steps; with those of them that others need."""
        return _reach(names, self._inputs, depth)

    def downstream(self, names: Iterable[TableName], depth: int | None = None) -> set[TableName]:
        """Everything that is made of tables, through at most `depth` steps; with those of them that need others."""
        return _reach(names, self._readers, depth)

    def waits_for(self, name: TableName) -> tuple[TableName, ...]:
        """What must be settled before a table: its inputs, and what its checks read."""
        position = self._positions
        node = self.nodes[name]
        soft = (n for n in node.checked_against if n in position and position[n] < position[name])
        return tuple(dict.fromkeys((*node.inputs, *soft)))

    @cached_property
    def order(self) -> tuple[TableName, ...]:
        """The tables, each after its inputs. Raises ValueError on a cycle, which load refuses."""
        hard = {name: set(node.inputs) & self.nodes.keys() for name, node in self.nodes.items()}
        wanted = {name: set(needs) for name, needs in hard.items()}
        for name, node in sorted(self.nodes.items()):
            for needed in node.checked_against:
                if needed in wanted and needed != name and name not in _reach([needed], wanted, None):
                    wanted[name].add(needed)
        return _sorted(wanted)

    @cached_property
    def _positions(self) -> dict[TableName, int]:
        return {name: i for i, name in enumerate(self.order)}

    @cached_property
    def _inputs(self) -> dict[TableName, tuple[TableName, ...]]:
        return {name: node.inputs for name, node in self.nodes.items()}

    @cached_property
    def _readers(self) -> dict[TableName, list[TableName]]:
        readers: dict[TableName, list[TableName]] = {name: [] for name in self.nodes}
        for name, node in self.nodes.items():
            for needed in node.inputs:
                readers.setdefault(needed, []).append(name)
        return readers


def _reach(
    starts: Iterable[TableName], edges: Mapping[TableName, Iterable[TableName]], depth: int | None
) -> set[TableName]:
    found: set[TableName] = set()
    edge = set(starts)
    while edge and depth != 0:
        edge = {n for name in edge for n in edges.get(name, ())} - found
        found |= edge
        depth = None if depth is None else depth - 1
    return found


def _sorted(needs: Mapping[TableName, set[TableName]]) -> tuple[TableName, ...]:
    """Order names after what they need; among the free ones the alphabet decides, so that plans read alike."""
    lacking = {name: len(wanted) for name, wanted in needs.items()}
    readers: dict[TableName, list[TableName]] = {name: [] for name in needs}
    for name, wanted in needs.items():
        for needed in wanted:
            readers[needed].append(name)
    free = [name for name, count in lacking.items() if count == 0]
    heapify(free)
    order = []
    while free:
        name = heappop(free)
        order.append(name)
        for reader in readers[name]:
            lacking[reader] -= 1
            if lacking[reader] == 0:
                heappush(free, reader)
    if len(order) < len(needs):
        raise ValueError("the tables read each other in a circle")
    return tuple(order)


def cycles(edges: Mapping[TableName, Sequence[TableName]]) -> list[list[TableName]]:
    """Find circles, each as the path from a table back to itself; one for each group of tables in a knot."""
    with suppress(ValueError):
        _sorted({name: set(needs) & edges.keys() for name, needs in edges.items()})
        return []  # as nearly always: one walk instead of one from each table
    found: list[list[TableName]] = []
    knotted: set[TableName] = set()
    for start in sorted(edges):
        path = [] if start in knotted else _circle(start, edges)
        if path:
            found.append(path)
            knotted.add(start)
            behind = _reach([start], edges, None)
            knotted |= {name for name in behind if start in _reach([name], edges, None)}
    return found


def _circle(start: TableName, edges: Mapping[TableName, Sequence[TableName]]) -> list[TableName]:
    """Find the shortest way from a table back to itself, by breadth; empty when there is none."""
    came: dict[TableName, TableName] = {}
    waiting = [start]
    for name in waiting:
        for needed in edges.get(name, ()):
            if needed == start:
                path = [start, name]
                while path[-1] != start:
                    path.append(came[path[-1]])
                return path[::-1] if name != start else [start, start]
            if needed not in came:
                came[needed] = name
                waiting.append(needed)
    return []
