"""The macros of dbt and dbt_utils that need no database, written anew: each gives SQL in the project's dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lagoa.propose.dbt.column_macros import COLUMN_MACROS, Written, slug
from lagoa.propose.dbt.relations import Unrenderable


class Returned(Exception):
    """A macro returned a value."""

    def __init__(self, value: Any) -> None:
        super().__init__("return")
        self.value = value


DUCKDB = "duckdb"
Macro = Callable[..., Any]
_PARTS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond")


def _part(part: str) -> str:
    plain = str(part).strip("'\" ").lower()
    if plain not in _PARTS:
        raise Unrenderable(f"`{part}` is no part of a date that is known here")
    return plain


# ---------------------------------------------------------------- dbt
def _simple(template: str) -> Macro:
    """Make a macro that fills a template with its arguments, in the order in which they are declared."""
    return lambda write, *arguments, **named: write(template, *arguments, *named.values())


def _in_duckdb(template: str, elsewhere: Macro) -> Macro:
    """Make a macro that dbt writes in its own way for DuckDB."""
    here = _simple(template)
    return lambda write, *arguments, **named: (here if write.dialect == DUCKDB else elsewhere)(
        write, *arguments, **named
    )


_LATER = {
    "duckdb": "({when} + interval ({number}) {part})",
    "bigquery": "datetime_add(cast({when} as datetime), interval {number} {part})",
    "postgres": "({when} + ((interval '1 {part}') * ({number})))",
}
_LATER_ELSEWHERE = "dateadd({part}, {number}, {when})"


def _dateadd(write: Written, datepart: str, interval: Any, from_date_or_timestamp: str) -> str:
    form = _LATER.get(write.dialect, _LATER_ELSEWHERE)
    return form.format(part=_part(datepart), number=interval, when=from_date_or_timestamp)


_WEEKS = (
    "(date_diff('day', {0}::timestamp, {1}::timestamp) // 7 + case"
    " when date_part('dow', ({0})::timestamp) <= date_part('dow', ({1})::timestamp)"
    " then case when {0} <= {1} then 0 else -1 end else case when {0} <= {1} then 1 else 0 end end)"
)
"""Weeks that begin on Sunday, as dbt counts them in DuckDB."""


def _datediff(write: Written, first_date: str, second_date: str, datepart: str) -> str:
    if write.dialect == DUCKDB and _part(datepart) == "week":
        return _WEEKS.format(first_date, second_date)
    return write(f"date_diff('{_part(datepart)}', {{0}}::timestamp, {{1}}::timestamp)", first_date, second_date)


def _date_trunc(write: Written, datepart: str, date: str) -> str:
    return write(f"date_trunc('{_part(datepart)}', {{0}})", date)


def _last_day(write: Written, date: str, datepart: str) -> str:
    part = _part(datepart)
    return write(f"(date_trunc('{part}', {{0}}) + interval 1 {part} - interval 1 day)::date", date)


_FLOAT = {"duckdb": "float", "bigquery": "float64"}
_SAFE_CAST = {"snowflake": "try_cast", "bigquery": "safe_cast"}


def _type(name: str) -> Macro:
    return lambda _write: name


def _concat(_write: Written, fields: Sequence[str]) -> str:
    return " || ".join(map(str, fields))


def _literal(_write: Written, value: str) -> str:
    return f"'{value}'"  # dbt escapes nothing either


def _listagg(
    write: Written, measure: str, delimiter_text: str = "','", order_by_clause: str = "", _limit: Any = None
) -> str:
    if order_by_clause and write.dialect != DUCKDB:
        raise Unrenderable("`listagg` with an order is not known here")
    return f"string_agg({measure}, {delimiter_text} {order_by_clause})"


def _counted(write: Written, number: str) -> str:
    """Write the numbers from 0 to one below a number, in any dialect."""
    if write.dialect == DUCKDB:
        return f"select unnest(range(0, {number})) as n"
    more = f"select n + 1 from steps where n + 1 < {number}"
    return f"with recursive steps as (select 0 as n union all {more}) select n from steps where n < {number}"


def _date_spine(write: Written, datepart: str, start_date: str, end_date: str) -> str:
    day = _dateadd(write, datepart, "n", start_date)
    rows = _counted(write, _datediff(write, start_date, end_date, datepart))
    return f"select {day} as date_{_part(datepart)} from ({rows}) as steps where {day} <= {end_date}"


def _generate_series(write: Written, upper_bound: Any) -> str:
    return f"select n + 1 as generated_number from ({_counted(write, str(upper_bound))}) as steps"


def _generate_doubles(write: Written, upper_bound: Any) -> str:
    """Write dbt_utils' own series, which adds up powers, and those are doubles in DuckDB."""
    number = "cast(n + 1 as double)" if write.dialect == DUCKDB else "n + 1"
    return f"select {number} as generated_number from ({_counted(write, str(upper_bound))}) as steps"


def _column_values(_write: Written, *_: Any, **__: Any) -> str:
    raise Unrenderable("`get_column_values` needs the rows: list the values, or run `dbt compile` and begin again")


def _intervals(write: Written, start_date: str, end_date: str, datepart: str) -> str:
    """Write how many there are between two dates; dbt asks the database for the number."""
    return _datediff(write, start_date, end_date, datepart)


_SERIES: Mapping[str, Macro] = {
    "date_spine": _date_spine,
    "generate_series": _generate_series,
    "get_intervals_between": _intervals,
}


DBT: Mapping[str, Macro] = {
    **_SERIES,
    "dateadd": _dateadd,
    "datediff": _datediff,
    "date_trunc": _date_trunc,
    "last_day": _last_day,
    "concat": _concat,
    "quote": Written.quoted,
    "listagg": _listagg,
    "string_literal": _literal,
    "escape_single_quotes": lambda _write, value: str(value).replace("'", "''"),
    "current_timestamp": _simple("current_timestamp"),
    "hash": _simple("md5({0}::varchar)"),
    "length": _simple("length({0})"),
    "position": _simple("position({0} in {1})"),
    "replace": _simple("replace({0}, {1}, {2})"),
    "right": _simple("right({0}, {1})"),
    "split_part": _in_duckdb("string_split({0}, {1})[{2}]", _simple("split_part({0}, {1}, {2})")),
    "safe_cast": lambda write, field, type: f"{_SAFE_CAST.get(write.dialect, 'cast')}({field} as {type})",
    "cast": lambda _write, field, type: f"cast({field} as {type})",
    "any_value": _in_duckdb("arbitrary({0})", _simple("any_value({0})")),
    "date": _simple("make_date({0}, {1}, {2})"),
    "bool_or": _simple("bool_or({0})"),
    "cast_bool_to_text": _simple("({0})::varchar"),
    "except": _simple("except"),
    "intersect": _simple("intersect"),
    "array_construct": lambda _write, inputs=(), _data_type="integer": f"[{', '.join(map(str, inputs))}]",
    "array_append": _simple("list_append({0}, {1})"),
    "array_concat": _simple("list_concat({0}, {1})"),
    "current_timestamp_backcompat": _simple("current_timestamp"),
    "current_timestamp_in_utc_backcompat": _simple("current_timestamp"),
    "type_float": lambda write: _FLOAT.get(write.dialect, "double precision"),
    **{
        f"type_{name}": _type(kind)
        for name, kind in {
            "string": "varchar",
            "int": "int",
            "bigint": "bigint",
            "numeric": "numeric(28, 6)",
            "timestamp": "timestamp",
            "boolean": "boolean",
        }.items()
    },
}
"""By name; the first argument of each is what writes."""


# ---------------------------------------------------------------- dbt_utils
def _surrogate_key(write: Written, field_list: Sequence[str], *more: str) -> str:
    fields = [field_list, *more] if isinstance(field_list, str) else field_list
    parts = [write("coalesce({0}::varchar, '_dbt_utils_surrogate_key_null_')", field) for field in fields]
    return write("md5({0})", " || '-' || ".join(parts))


def _pivot(write: Written, column: str, values: Sequence[str], alias: bool = True, agg: str = "sum", **how: Any) -> str:
    sign, then, other = how.get("cmp", "="), how.get("then_value", 1), how.get("else_value", 0)
    quoted, distinct = how.get("quote_identifiers", True), "distinct " if how.get("distinct") else ""
    found = []
    for value in values:
        name = f"{how.get('prefix', '')}{value}{how.get('suffix', '')}"
        named = f" as {write.quoted(name) if quoted else slug(write, name)}" if alias else ""
        text = str(value).replace("'", "''")
        case = f"case when {column} {sign} '{text}' then {then} else {other} end"
        found.append(f"{agg}({distinct}{case}){named}")
    return ",\n".join(found)


def _deduplicate(write: Written, relation: Any, partition_by: str, order_by: str) -> str:
    if write.dialect not in ("duckdb", "snowflake", "bigquery", "redshift"):
        raise Unrenderable(f"`deduplicate` is not known in {write.dialect}")
    order = f"row_number() over (partition by {partition_by} order by {order_by}) = 1"
    return f"select * from {relation} qualify {order}"


def _sum(sign: str) -> Macro:
    def macro(_write: Written, field_list: Sequence[str], *more: str) -> str:
        fields = [field_list, *more] if isinstance(field_list, str) else field_list
        return f" {sign} ".join(f"coalesce({field}, 0)" for field in fields)

    return macro


def _divide(_write: Written, numerator: str, denominator: str) -> str:
    return f"( {numerator} ) / nullif( ( {denominator} ), 0)"


def _group_by(_write: Written, n: int) -> str:
    return "group by " + ", ".join(str(number + 1) for number in range(int(n)))


DBT_UTILS: Mapping[str, Macro] = {
    "generate_surrogate_key": _surrogate_key,
    **COLUMN_MACROS,
    **_SERIES,
    "generate_series": _generate_doubles,
    "get_column_values": _column_values,
    "pivot": _pivot,
    "deduplicate": _deduplicate,
    "safe_add": _sum("+"),
    "safe_subtract": _sum("-"),
    "safe_divide": _divide,
    "group_by": _group_by,
    **{name: DBT[name] for name in ("dateadd", "datediff", "date_trunc", "last_day", "concat", "split_part")},
    "type_string": DBT["type_string"],
    "current_timestamp": DBT["current_timestamp"],
}
"""By name; the old `surrogate_key` is left out on purpose: it made other keys."""
