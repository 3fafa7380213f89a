"""Reads a model's query into one tree over bare inputs: views and CTEs inlined, every name resolved."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify

from lagoa.sql.incremental.allowed import judge
from lagoa.sql.incremental.analysis import Describe, Question, Refused
from lagoa.sql.tree import DIALECT

_OURS = re.compile(r"__|_i\d")
_SIDE = "__side"


def text(node: exp.Expr, copy: bool = True) -> str:
    """Write a node as SQL; without `copy` the writer may change it."""
    return node.sql(dialect=DIALECT, comments=False, copy=copy)


def quote(name: str) -> str:
    """Quote a name."""
    return text(exp.to_identifier(name, quoted=True))


def read(question: Question, describe: Describe) -> exp.Query:
    """Return the query's tree; each place where an input is read is a table called `name@number`. Raises Refused."""
    query = _inlined_views(_parsed(question.query), question)
    _unhygienic(query)
    _shared_columns(query)
    _semi_joins(query)
    _group_by_all(query)
    try:
        tree: exp.Expr = qualify(
            query, schema=dict(question.columns), dialect=DIALECT, quote_identifiers=True, identify=True
        )
    except SqlglotError as error:
        raise Refused("its names could not be resolved: " + str(error).split("\n")[0]) from error
    judge(tree)
    tree = _inlined_ctes(tree)
    for order in list(tree.find_all(exp.Order)):
        if isinstance(order.parent, exp.Query):
            order.pop()  # without LIMIT it decides nothing about the rows
    while isinstance(tree, exp.Subquery):
        tree = tree.this
    if not isinstance(tree, exp.Query):
        raise Refused("it is not one query")
    _told_apart(tree)
    for number, table in enumerate(list(tree.find_all(exp.Table))):
        if table.name not in question.columns or table.args.get("db"):
            raise Refused(f"{text(table)} is not one of its inputs")
        table.set("this", exp.to_identifier(f"{table.name}@{number}", quoted=True))
    _of_one_type(tree, describe)
    _same_columns(question, tree, describe)
    return tree


def at(node: exp.Expr, version: str) -> str:
    """Write a node as SQL over one version of every input; '' for the bare names."""
    node = node.copy()
    for table in node.find_all(exp.Table):
        if "@" in table.name:
            table.set("this", exp.to_identifier(table.name.split("@")[0] + version, quoted=True))
    return text(node, copy=False)


def _parsed(query: str) -> exp.Query:
    try:
        tree = sqlglot.parse_one(query, dialect=DIALECT)
    except SqlglotError as error:
        raise Refused("it could not be read") from error
    if not isinstance(tree, exp.Query):
        raise Refused("it is not one query")
    judge(tree, resolved=False)
    return tree


def _inlined_views(tree: exp.Query, question: Question) -> exp.Query:
    for table in list(tree.find_all(exp.Table)):
        if not table.args.get("db"):
            continue  # a CTE, or else qualify does not know it
        name, alias = f"{table.db}.{table.name}".lower(), exp.to_identifier(table.alias_or_name, quoted=True)
        if name in question.views:
            body = _inlined_views(_parsed(question.views[name]), question)
            table.replace(exp.Subquery(this=body, alias=exp.TableAlias(this=alias)))
        elif name in question.tables:
            new = exp.Table(this=exp.to_identifier(question.tables[name]), alias=exp.TableAlias(this=alias))
            table.replace(new)
        else:
            raise Refused(f"{name} is not one of its inputs")
    return tree


def _unhygienic(tree: exp.Query) -> None:
    """Refuse names that ours could be mixed up with."""
    for alias in tree.find_all(exp.TableAlias):
        if _OURS.match(alias.name):
            raise Refused(f"the alias {alias.name} is one that Lagoa uses itself")
    for column in tree.find_all(exp.Column):
        if column.args.get("db"):
            raise Refused(f"{text(column)} names its table with its layer; give the table an alias")


def _shared_columns(tree: exp.Query) -> None:
    """Refuse what the parser reads otherwise than DuckDB about the tables that a join has on its left."""
    for select in tree.find_all(exp.Select):
        filled, comma, shared = False, False, set[str]()
        for join in select.args.get("joins") or []:
            fills, using = join.side.upper() in ("RIGHT", "FULL"), join.args.get("using") or []
            if join.method:
                raise Refused("an ASOF, POSITIONAL or NATURAL join is not followed")
            if filled and using:
                # its column on the left is itself of two tables: the parser would take the first
                raise Refused("a JOIN with USING after a RIGHT or FULL one is not followed")
            if comma and (fills or using):
                # what stands before a comma is not on its left, for the parser it is
                raise Refused("a JOIN that is RIGHT or FULL, or has USING, after a comma is not followed")
            filled, comma = filled or fills, comma or not (join.kind or join.side or join.args.get("on") or using)
            shared |= {name.name.lower() for name in using}
        for clause in ("having", "qualify"):
            _outputs_or_columns(select, clause, shared)


def _outputs_or_columns(select: exp.Select, clause: str, shared: set[str]) -> None:
    """Refuse names that the parser takes for outputs, and DuckDB for the columns of that name."""
    named = [c for c in select.args[clause].find_all(exp.Column) if not c.table] if select.args.get(clause) else []
    doubtful = {c.name.lower() for c in named if c.name.lower() in shared or c.find_ancestor(exp.Filter)}
    for name in doubtful & _renamed(select):
        raise Refused(f"{clause.upper()} names {name}, which an output is called, too; write its table before it")


def _renamed(select: exp.Select) -> set[str]:
    """Name the outputs that are not plainly the column of their name."""
    return {s.alias.lower() for s in select.selects if isinstance(s, exp.Alias)}


def _semi_joins(tree: exp.Query) -> None:
    """Write SEMI and ANTI joins as EXISTS, which they mean."""
    for select in list(tree.find_all(exp.Select)):
        joins = select.args.get("joins") or []
        halves = [j for j in joins if j.kind.upper() in ("SEMI", "ANTI")]
        if not halves:
            continue
        if any(j.side.upper() in ("RIGHT", "FULL") for j in joins) or any(not j.args.get("on") for j in halves):
            raise Refused("a SEMI or ANTI join beside a RIGHT or FULL one, or without ON")
        for join in halves:
            inner = exp.select(exp.Literal.number(1)).from_(join.this.copy()).where(join.args["on"].copy())
            exists: exp.Expr = exp.Exists(this=inner)
            select.where(exp.Not(this=exists) if join.kind.upper() == "ANTI" else exists, copy=False)
        select.set("joins", [j for j in joins if all(j is not half for half in halves)])


def _group_by_all(tree: exp.Query) -> None:
    """Write GROUP BY ALL as the positions of the columns without aggregate, which it means."""
    for select in tree.find_all(exp.Select):
        group = select.args.get("group")
        if not group or not group.args.get("all") or group.expressions:
            continue
        if any(s.is_star or s.find(exp.Query, exp.Columns) for s in select.selects):
            continue
        plain = {i: s for i, s in enumerate(select.selects, 1) if not s.find(exp.AggFunc)}
        constants = {s.alias.lower() for s in select.selects if not s.find(exp.Column)}
        columns = [c for s in plain.values() for c in s.find_all(exp.Column)]
        if any(c.table or c.name.lower() not in constants for c in columns):  # DuckDB makes no groups of constants
            select.set("group", exp.Group(expressions=[exp.Literal.number(i) for i in plain]))


def _inlined_ctes(tree: exp.Expr) -> exp.Expr:
    while withs := list(tree.find_all(exp.With)):
        deepest = max(withs, key=lambda n: n.depth)
        host, ctes = deepest.parent, list(deepest.expressions)
        if host is None:
            raise Refused("a WITH without query")
        host.set("with_", None)
        for number, cte in enumerate(ctes):
            for root in [*ctes[number + 1 :], host]:
                _substituted(root, cte.alias, cte.this)
    return tree


def _substituted(root: exp.Expr, name: str, body: exp.Expr) -> None:
    for table in list(root.find_all(exp.Table)):
        if table.name == name and not table.args.get("db"):
            alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name, quoted=True))
            table.replace(exp.Subquery(this=body.copy(), alias=alias))


def _told_apart(tree: exp.Query) -> None:
    """Let each query have a column once by its name, by which it is found from now on. Raises Refused."""
    for below in tree.find_all(exp.SetOperation):
        names: set[str] = set()
        right = below.right.unnest()
        for number, column in enumerate(right.selects if isinstance(right, exp.Select) else ()):
            name = column.alias_or_name.lower()
            if name in names:  # below the first query of a union names say nothing, and `select a, 'a'` gives one twice
                column.replace(exp.alias_(column.unalias().copy(), f"__c{number}", quoted=True))
            names.add(name)
    for query in tree.find_all(exp.Select):
        called = [name.lower() for name in query.named_selects]
        if len(set(called)) != len(called) and not isinstance(query.parent, exp.Exists):
            raise Refused("two of the columns of a query have one name")


def _of_one_type(tree: exp.Query, describe: Describe) -> None:
    """Let each side of a set operation give the types of the whole: what is computed of its values depends on them."""
    for below in reversed(list(tree.find_all(exp.SetOperation))):
        whole = list(describe(at(below, "")).values())
        for side in (below.left, below.right):
            if whole != list(describe(at(side, "")).values()):
                columns = zip(side.named_selects, whole, strict=True)
                cast = [_cast(exp.column(name, table=_SIDE, quoted=True), kind) for name, kind in columns]
                alias = exp.TableAlias(this=exp.to_identifier(_SIDE, quoted=True))
                side.replace(exp.select(*cast).from_(exp.Subquery(this=side.unnest().copy(), alias=alias)))


def _cast(column: exp.Column, kind: str) -> exp.Expr:
    return exp.alias_(exp.cast(column, kind, dialect=DIALECT), column.name, quoted=True)


def _same_columns(question: Question, tree: exp.Query, describe: Describe) -> None:
    """Refuse a tree that does not give what the query gives: then names were resolved in another way."""
    if dict(describe(at(tree, ""))) != dict(describe(question.query)):
        raise Refused("a column has no name (give it one with `as`), or the query is read in another way by DuckDB")
