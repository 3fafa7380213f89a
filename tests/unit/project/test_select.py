"""Selecting tables by words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lagoa.errors import CommandError, LagoaError, Place
from lagoa.project.graph import Graph, Node
from lagoa.project.select import select
from lagoa.spec.names import TableName


def _node(name: str, *inputs: str, kind: str = "table", source: str | None = None, **rest: object) -> Node:
    return Node(
        name=TableName.parse(name),
        kind=kind,
        place=Place(f"models/{name.replace('.', '/')}.sql"),
        inputs=tuple(TableName.parse(i) for i in inputs),
        source=source,
        owner="ana" if rest.get("owned") else None,
        tags=("daily",) if rest.get("daily") else (),
    )


GRAPH = Graph(
    [
        _node("bronze.erp_orders", kind="stream", source="erp"),
        _node("bronze.erp_items", kind="stream", source="erp", daily=True),
        _node("bronze.crm_people", kind="stream", source="crm"),
        _node("silver.orders", "bronze.erp_orders", "bronze.erp_items", daily=True),
        _node("silver.people", "bronze.crm_people", kind="view", owned=True),
        _node("gold.revenue", "silver.orders", "silver.people"),
        _node("gold.top", "gold.revenue", daily=True),
    ],
    {},
)


def _facts(method: str, value: str) -> set[TableName]:
    known = {
        "state:new": "silver.orders gold.top",
        "state:changed": "silver.people",
        "state:stale": "",
        "result:error": "",
        "result:fail": "gold.revenue bronze.gone",
    }
    return set(map(TableName.parse, known[f"{method}:{value}"].split()))


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ("silver.orders", "silver.orders"),
        ("revenue", "gold.revenue"),
        ("gold.*", "gold.revenue gold.top"),
        ("*orders", "bronze.erp_orders silver.orders"),
        ("+silver.orders", "bronze.erp_items bronze.erp_orders silver.orders"),
        ("silver.people+", "gold.revenue gold.top silver.people"),
        ("silver.people+1", "gold.revenue silver.people"),
        ("1+gold.revenue", "gold.revenue silver.orders silver.people"),
        ("2+gold.top", "gold.revenue gold.top silver.orders silver.people"),
        ("+silver.people+", "bronze.crm_people gold.revenue gold.top silver.people"),
        ("layer:GOLD", "gold.revenue gold.top"),
        ("tag:daily", "bronze.erp_items gold.top silver.orders"),
        ("source:erp", "bronze.erp_items bronze.erp_orders"),
        ("layer:gold", "gold.revenue gold.top"),
        ("kind:view", "silver.people"),
        ("owner:ana", "silver.people"),
        ("path:models/gold", "gold.revenue gold.top"),
        ("path:models/silver/orders.sql", "silver.orders"),
        ("tag:daily,layer:gold", "gold.top"),
        ("silver.people gold.top", "gold.top silver.people"),
        ("source:crm+,layer:silver", "silver.people"),
        ("layer:silver,+gold.top", "silver.orders silver.people"),
        ("Silver.Orders", "silver.orders"),
        ("@silver.people", "bronze.crm_people bronze.erp_items bronze.erp_orders gold.* silver.orders silver.people"),
        ("@gold.top,layer:gold", "gold.*"),
        ("2+tag:daily,source:erp", "bronze.erp_items bronze.erp_orders"),
        ("state:new", "gold.top silver.orders"),
        ("state:changed+1", "gold.revenue silver.people"),
        ("state:new,tag:daily,layer:gold", "gold.top"),
        ("state:stale", ""),
        ("result:fail+", "gold.revenue gold.top"),
        ("result:error result:fail", "gold.revenue"),
    ],
)
def test_words_choose_tables(words: str, chosen: str) -> None:
    expected = " ".join(sorted(set(chosen.replace("gold.*", "gold.revenue gold.top").split())))
    assert " ".join(sorted(map(str, select(GRAPH, [words], facts=_facts)))) == expected


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_word_is_a_mistake_and_does_not_choose_everything(empty: str) -> None:
    with pytest.raises(CommandError, match="a selector is empty"):
        select(GRAPH, [empty])
    with pytest.raises(CommandError, match="a selector is empty"):
        select(GRAPH, ["gold.*"], [empty])


def test_no_words_choose_everything() -> None:
    assert select(GRAPH, []) == set(GRAPH.nodes)


def test_excluded_tables_are_left_out() -> None:
    assert sorted(map(str, select(GRAPH, ["layer:silver"], ["silver.orders"]))) == ["silver.people"]
    assert select(GRAPH, [], ["bronze.*", "silver.*", "gold.*"]) == set()


@pytest.mark.parametrize(
    ("word", "code", "hint"),
    [
        ("silver.ordres", "LG-601", "did you mean `silver.orders`?"),
        ("tag:dayly", "LG-601", "did you mean `daily`?"),
        ("tags:daily", "LG-601", "did you mean `tag`?"),
        ("ordrs", "LG-601", "did you mean `orders`?"),
        ("layer:platinum", "LG-601", "there are bronze, gold, silver"),
        ("stat:new", "LG-601", "did you mean `state`?"),
        ("size:big", "LG-601", "select by tag:, path:, layer:, source:, owner:, kind:, state:, result:"),
        ("a+b", "LG-601", "write name, +name, name+, 2+name, name+1 or @name"),
        ("@gold.top+", "LG-601", "write name, +name, name+, 2+name, name+1 or @name"),
        (
            "gold.top, tag:daily",
            "LG-601",
            "a comma means and, with a word on both sides and no blanks: tag:daily,layer:gold",
        ),
        ("state:chnged", "LG-601", "did you mean `changed`?"),
        ("state:*", "LG-601", "write state:new, state:changed, state:stale"),
        ("result:failed", "LG-601", "did you mean `fail`?"),
    ],
)
def test_a_word_that_chooses_nothing_is_told(word: str, code: str, hint: str | None) -> None:
    with pytest.raises(LagoaError) as caught:
        select(GRAPH, [word])
    assert (caught.value.code, caught.value.hint) == (code, hint)
    assert caught.value.exit == 2


def test_words_that_exclude_each_other_choose_nothing_without_error() -> None:
    assert select(GRAPH, ["source:erp,layer:gold"]) == set()


def test_a_word_of_an_exclusion_is_checked_too() -> None:
    with pytest.raises(CommandError, match="selects nothing"):
        select(GRAPH, [], ["nothing.here"])


def test_what_lies_beyond_the_files_cannot_be_asked_without_the_lake() -> None:
    with pytest.raises(CommandError, match="nobody looks into the lake"):
        select(GRAPH, ["state:new"])


# ---------------------------------------------------------------- the algebra, against brute force
NAMES = [TableName(layer, f"t{i}") for i in range(3) for layer in ("bronze", "silver", "gold")]
STEPS = [None, 0, 1, 2, 3]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Draw a graph without circles, with tags; later names read earlier ones."""
    nodes = []
    for i, name in enumerate(NAMES):
        inputs = draw(st.sets(st.sampled_from(NAMES[:i]), max_size=3)) if i else set()
        tags = ("a", *draw(st.sets(st.sampled_from("bc"))))
        nodes.append(Node(name, "table", Place(f"{name}.sql"), tuple(sorted(inputs)), tags=tags))
    return Graph(nodes, {})


@dataclass(frozen=True)
class Word:
    """One word as it is meant; a depth of None is no plus, of 99 a plus without number."""

    what: str
    up: int | None = None
    down: int | None = None
    around: bool = False

    def __str__(self) -> str:
        if self.around:
            return f"@{self.what}"
        up = "" if self.up is None else f"{'' if self.up == 99 else self.up}+"
        down = "" if self.down is None else f"+{'' if self.down == 99 else self.down}"
        return f"{up}{self.what}{down}"


DEPTHS = st.sampled_from([None, 0, 1, 2, 99])
WHAT = st.sampled_from([*map(str, NAMES), "tag:a", "layer:gold", "bronze.*", "*t1", "state:new", "result:fail"])
WORDS = st.builds(Word, WHAT, DEPTHS, DEPTHS) | st.builds(Word, WHAT, around=st.just(True))
UNIONS = st.lists(st.lists(WORDS, min_size=1, max_size=3), max_size=3)
SETS = st.sets(st.sampled_from(NAMES))


def _means(graph: Graph, what: str, table: TableName, facts: Mapping[str, set[TableName]]) -> bool:
    if what in facts:
        return table in facts[what]
    return {
        "tag:a": "a" in graph.nodes[table].tags,
        "layer:gold": table.layer == "gold",
        "bronze.*": table.layer == "bronze",
        "*t1": table.name == "t1",
    }.get(what, str(table) == what)


class Oracle:
    """Says of each table by itself whether it is meant, from the distances between all pairs of tables."""

    def __init__(self, graph: Graph, facts: Mapping[str, set[TableName]]) -> None:
        self.graph, self.facts = graph, facts
        edges = {(a, b): 1 for a in NAMES for b in graph.nodes[a].inputs}
        self.up = {**edges, **{(a, a): 0 for a in NAMES}}
        for middle, a, b in product(NAMES, NAMES, NAMES):  # Floyd and Warshall
            if (a, middle) in self.up and (middle, b) in self.up:
                self.up[a, b] = min(self.up.get((a, b), 98), self.up[a, middle] + self.up[middle, b])

    def word(self, word: Word, table: TableName) -> bool:
        """Say whether one word means a table."""
        starts = [n for n in NAMES if _means(self.graph, word.what, n, self.facts)]
        if word.around:
            return any((d, table) in self.up and (d, n) in self.up for n in starts for d in NAMES)
        near_up, near_down = word.up or 0, word.down or 0
        return any(self.up.get((n, table), 100) <= near_up or self.up.get((table, n), 100) <= near_down for n in starts)

    def union(self, union: list[list[Word]], table: TableName) -> bool:
        """Say whether any of the intersections means a table."""
        return any(all(self.word(word, table) for word in words) for words in union)


@given(graphs(), UNIONS, UNIONS, SETS, SETS)
def test_every_table_is_chosen_or_not_as_it_is_when_asked_by_itself(
    graph: Graph, chosen: list[list[Word]], left_out: list[list[Word]], new: set[TableName], failed: set[TableName]
) -> None:
    facts = {"state:new": new, "result:fail": failed}
    oracle = Oracle(graph, facts)
    said, excluded = (" ".join(",".join(map(str, words)) for words in union) for union in (chosen, left_out))
    found = select(
        graph, [said] * bool(said), [excluded] * bool(excluded), lambda method, value: facts[f"{method}:{value}"]
    )
    wanted = {n for n in NAMES if (not chosen or oracle.union(chosen, n)) and not oracle.union(left_out, n)}
    assert found == wanted, f"{said} without {excluded}"
