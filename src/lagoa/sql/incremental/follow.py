"""Puts the analysis together: what each occurrence of an input touches, and the query for touched keys alone."""

from __future__ import annotations

from sqlglot import exp

from lagoa.sql.incremental.analysis import KEYS, NEW, Analysis, Describe, Leaf, Occurrence, Question, Refused, exact
from lagoa.sql.incremental.delta import Delta
from lagoa.sql.incremental.ranges import ranged
from lagoa.sql.incremental.reading import at, quote, read, text
from lagoa.sql.incremental.restrict import Restriction
from lagoa.sql.incremental.sameness import judge_rows
from lagoa.sql.incremental.scope import Scopes


def follow(question: Question, describe: Describe) -> Analysis:
    """Analyse a query. Raises Refused."""
    tree = read(question, describe)
    key = _key(question, tree, describe)
    scopes = Scopes(question.columns, describe)
    judge_rows(tree, scopes)
    found = [_occurrence(tree, scopes, key, t) for t in tree.find_all(exp.Table)]
    leaves: list[Leaf] = []
    rows = _restricted(tree, scopes, key, leaves)
    span = ranged(tree, scopes, question.time) if question.time is not None else None
    return Analysis(sorted(found, key=lambda o: o.input), rows, leaves, _columns(tree), span)


def _columns(tree: exp.Query) -> dict[str, frozenset[str]]:
    """Name the columns that are read of each input; an alias that stands for two sources tells of both."""
    by_alias: dict[str, set[str]] = {}
    for column in tree.find_all(exp.Column):
        by_alias.setdefault(column.table, set()).add(column.name.lower())
    found: dict[str, frozenset[str]] = {}
    for table in tree.find_all(exp.Table):
        name = table.name.partition("@")[0]
        found[name] = found.get(name, frozenset()) | by_alias.get(table.alias_or_name, set())
    return found


def _key(question: Question, tree: exp.Query, describe: Describe) -> list[str]:
    """Find the key among the output columns, by the names that the tree gives them."""
    names = {n.lower(): n for n in tree.named_selects}
    kinds = describe(at(tree, ""))
    if not question.key:
        raise Refused("it has no key")
    for name in question.key:
        if name.lower() not in names:
            raise Refused(f"the key {name} is not one of its columns")
        if not exact(kinds[name.lower()]):
            raise Refused(f"the key {name} is of type {kinds[name.lower()]}, whose equal values may differ")
    return [names[n.lower()] for n in question.key]


def _occurrence(tree: exp.Query, scopes: Scopes, key: list[str], table: exp.Table) -> Occurrence:
    name, _, number = table.name.partition("@")
    shown = ", ".join(f"{quote(k)} AS k{i}" for i, k in enumerate(key))
    try:
        return Occurrence(name, f"SELECT {shown} FROM ({Delta(scopes, int(number)).of(tree, key)})", None)
    except Refused as refused:
        return Occurrence(name, None, str(refused))


def _restricted(tree: exp.Query, scopes: Scopes, key: list[str], leaves: list[Leaf]) -> str:
    """Write the query for the touched keys; what only a part of the key restricts gives rows of others, too."""
    restricted, restriction = tree.copy(), Restriction(scopes, KEYS, leaves)
    by = restriction.query(restricted, [(k, f"k{i}") for i, k in enumerate(key)])
    if not by:
        raise Refused("its key is computed over groups: the query for a few keys would cost as much as for all")
    rows = at(restricted, NEW)
    if by == len(key):
        return rows
    touched = restriction.exists([(f"__r.{quote(k)}", f"k{i}") for i, k in enumerate(key)])
    return f"SELECT __r.* FROM ({rows}) AS __r WHERE {text(touched)}"
