"""Selecting tables by words."""

from __future__ import annotations

import pytest

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
    ],
)
def test_words_choose_tables(words: str, chosen: str) -> None:
    assert " ".join(sorted(map(str, select(GRAPH, [words])))) == chosen


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
        ("a+b", "LG-601", "write name, +name, name+, 2+name or name+1"),
        (",", "LG-601", "name a table: silver.orders"),
        ("state:changed", "LG-110", None),
        ("result:failed", "LG-110", None),
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
