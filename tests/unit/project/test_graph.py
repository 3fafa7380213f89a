"""The graph: orders and circles."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lagoa.errors import Place
from lagoa.project.graph import Graph, Node, cycles
from lagoa.spec.names import TableName

NAMES = [TableName("silver", f"t{i}") for i in range(7)]
EDGES = st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=4, unique=True))


def _graph(inputs: dict[TableName, list[TableName]], checks: dict[TableName, list[TableName]]) -> Graph:
    return Graph([Node(n, "table", Place("x"), tuple(inputs.get(n, ())), tuple(checks.get(n, ()))) for n in NAMES], {})


@given(EDGES, EDGES)
def test_every_table_stands_after_its_inputs_and_checks_never_break_that(
    drawn: dict[TableName, list[TableName]], checks: dict[TableName, list[TableName]]
) -> None:
    inputs = {name: [i for i in needs if i < name] for name, needs in drawn.items()}
    graph = _graph(inputs, checks)
    position = {name: i for i, name in enumerate(graph.order)}
    assert sorted(graph.order) == NAMES
    assert all(position[i] < position[name] for name, needs in inputs.items() for i in needs)
    assert all(position[i] < position[name] for name in NAMES for i in graph.waits_for(name))


@given(EDGES)
def test_a_circle_is_found_if_there_is_one_and_its_path_is_real(edges: dict[TableName, list[TableName]]) -> None:
    found = cycles(edges)
    for path in found:
        assert path[0] == path[-1]
        assert all(b in edges[a] for a, b in pairwise(path))
    closed = {n: set(edges.get(n, ())) for n in NAMES}
    for _ in NAMES:
        for n in NAMES:
            closed[n] |= {far for near in list(closed[n]) for far in closed[near]}
    assert bool(found) == any(n in closed[n] for n in NAMES)


@given(EDGES)
def test_upstream_and_downstream_mirror_each_other(drawn: dict[TableName, list[TableName]]) -> None:
    graph = _graph({name: [i for i in needs if i < name] for name, needs in drawn.items()}, {})
    for a in NAMES:
        assert graph.upstream([a], 1) == set(graph.inputs(a))
        assert all((b in graph.upstream([a])) == (a in graph.downstream([b])) for b in NAMES)
