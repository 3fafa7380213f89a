"""The constructs that are known to be followed exactly; every other one is refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from lagoa.sql.incremental.analysis import Refused

_SHAPES: Mapping[type[exp.Expr], frozenset[str]] = {
    kind: frozenset(arguments.split())
    for kind, arguments in {
        exp.Select: "expressions from_ joins where group having qualify distinct order with_",
        exp.Union: "this expression distinct with_ order",
        exp.Except: "this expression distinct with_ order",
        exp.Intersect: "this expression distinct with_ order",
        exp.Subquery: "this alias",
        exp.With: "expressions",
        exp.CTE: "this alias materialized",
        exp.TableAlias: "this",
        exp.Table: "this alias db",
        exp.From: "this",
        exp.Join: "this on side kind using",
        exp.Where: "this",
        exp.Group: "expressions",
        exp.Having: "this",
        exp.Qualify: "this",
        exp.Order: "expressions",
        exp.Ordered: "this desc nulls_first",
        exp.Distinct: "expressions",
        exp.Window: "this partition_by order spec over",
        exp.WindowSpec: "kind start start_side end end_side",
        exp.Filter: "this expression",
        exp.In: "this expressions query",
        exp.Exists: "this",
        exp.Column: "this table db",
        exp.Count: "this big_int",
        exp.Interval: "this unit",
        exp.Cast: "this to safe",
        exp.TryCast: "this to safe requires_string",
    }.items()
}
"""Nodes of which only these arguments may be given."""

_PLAIN = (
    exp.Alias, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Var, exp.DataType, exp.DataTypeParam,
    exp.EQ, exp.NEQ, exp.GT, exp.LT, exp.GTE, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is, exp.Not, exp.And,
    exp.Or, exp.Between, exp.Like, exp.ILike, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg,
    exp.DPipe, exp.Case, exp.If, exp.IgnoreNulls, exp.RespectNulls,
)  # fmt: skip
_FUNCTIONS = (
    exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Upper, exp.Lower, exp.Trim, exp.Length, exp.Concat,
    exp.Substring, exp.Replace, exp.Left, exp.Right, exp.Pad, exp.SplitPart, exp.StartsWith, exp.Contains, exp.Abs,
    exp.Round, exp.Floor, exp.Ceil, exp.Sign, exp.Sqrt, exp.Ln, exp.Pow, exp.MD5, exp.Extract, exp.Year, exp.Quarter,
    exp.Month, exp.Week, exp.Day, exp.Hour, exp.DayOfWeek, exp.DateTrunc, exp.TimestampTrunc, exp.DateDiff,
    exp.TimeToStr, exp.StrToTime, exp.DateFromParts, exp.LastDay, exp.RegexpLike, exp.Reverse, exp.TsOrDsToDate,
)  # fmt: skip
AGGREGATES = (
    exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.CountIf, exp.LogicalAnd, exp.LogicalOr, exp.Median,
)  # fmt: skip
"""Aggregates whose value depends on the rows of the group alone, never on their order."""
RANKS = (exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist)
"""Window functions that give tied rows one value."""
BY_ORDER = (exp.RowNumber, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue)
"""Window functions that choose among tied rows."""
_PERMITTED = (*_PLAIN, *_FUNCTIONS, *AGGREGATES, *RANKS, *BY_ORDER)
_OUT_OF_WINDOW = (*RANKS, *BY_ORDER)

_REASONS: Mapping[type[exp.Expr], str] = {
    exp.Limit: "LIMIT picks rows by their order",
    exp.Offset: "OFFSET picks rows by their order",
    exp.Fetch: "FETCH picks rows by their order",
    exp.TableSample: "a sample differs each time",
    exp.Lateral: "a LATERAL join is not followed",
    exp.Unnest: "UNNEST is not followed",
    exp.Explode: "UNNEST is not followed",
    exp.Pivot: "the columns of a PIVOT depend on the data",
    exp.Values: "VALUES is not followed",
    exp.Any: "a comparison with ANY is not followed",
    exp.All: "a comparison with ALL is not followed",
    exp.Rand: "random() differs each time",
    exp.Uuid: "uuid() differs each time",
    exp.Rollup: "ROLLUP is not followed",
    exp.Cube: "CUBE is not followed",
    exp.GroupingSets: "GROUPING SETS are not followed",
    exp.CurrentDate: "current_date changes by itself",
    exp.CurrentTimestamp: "current_timestamp changes by itself",
    exp.CurrentTime: "current_time changes by itself",
}

_ARGUMENTS: Mapping[tuple[type[exp.Expr], str], str] = {
    (exp.Distinct, "on"): "DISTINCT ON picks rows by their order",
    (exp.With, "recursive"): "a recursive query is not followed",
    (exp.Join, "method"): "an ASOF, POSITIONAL or NATURAL join is not followed",
    (exp.Group, "all"): "GROUP BY ALL beside a `*` or a subquery, or of constants alone, is not followed",
    (exp.TableAlias, "columns"): "an alias that names columns is not followed",
    (exp.Select, "windows"): "a named WINDOW is not followed",
}

_SUMMED = re.compile(r"BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(\d+,\d+\)")


def summed(kind: str) -> bool:
    """Say whether the sum of a DuckDB type's values is the same in any order."""
    return _SUMMED.fullmatch(kind) is not None


def judge(tree: exp.Expr, resolved: bool = True) -> None:
    """Refuse a tree with a construct that is not known; `resolved` says that its names are."""
    for node in tree.walk():
        if (reason := _REASONS.get(type(node))) is not None:
            raise Refused(reason)
    if not resolved:
        return
    for node in tree.walk():
        _judge(node)


def _judge(node: exp.Expr) -> None:
    kind = type(node)
    if kind in _SHAPES:
        strange = sorted(name for name, value in node.args.items() if given(value) and name not in _SHAPES[kind])
        if strange:
            words = f"{kind.__name__.upper()} with {strange[0].strip('_')} is not followed"
            raise Refused(_ARGUMENTS.get((kind, strange[0]), words))
    elif kind is exp.Star:
        if not isinstance(node.parent, exp.Count):
            raise Refused("a `*` could not be resolved")
    elif isinstance(node, exp.Anonymous):
        raise Refused(f"the function {node.name.lower()}() is not known to give the same answer twice")
    elif kind not in _PERMITTED:
        name = node.sql_names()[0].lower() + "()" if isinstance(node, exp.Func) else kind.__name__.upper()
        raise Refused(f"{name} is not known to be followed exactly")
    if kind is exp.Join:
        _judge_join(node)
    if isinstance(node, _OUT_OF_WINDOW) and not _in_window(node):
        raise Refused(f"{kind.__name__.upper()} outside a window")


def given(value: Any) -> bool:
    """Say whether an argument of a node says anything."""
    return value not in (None, False, [], "")


def _judge_join(join: exp.Expr) -> None:
    if given(join.args.get("using")):
        raise Refused("a JOIN with USING could not be resolved")
    if str(join.args.get("kind") or "").upper() not in ("", "INNER", "OUTER", "CROSS"):
        raise Refused(f"a {join.args['kind']} join is not followed")
    if str(join.args.get("side") or "").upper() not in ("", "LEFT", "RIGHT", "FULL"):
        raise Refused(f"a {join.args['side']} join is not followed")


def _in_window(node: exp.Expr) -> bool:
    parent = node.parent
    while isinstance(parent, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
        parent = parent.parent
    return isinstance(parent, exp.Window)
