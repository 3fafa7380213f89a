"""Reads SQL with sqlglot, which is imported here and nowhere else."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from lagoa.errors import Place, ProjectError
from lagoa.sql.parse import Query, Reference

DIALECT = "duckdb"
logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns on stderr of what we refuse by name

_ROW_MAKERS = frozenset(
    (
        "range",
        "generate_series",
        "generate_subscripts",
        "unnest",
        "flatten",
        "json_each",
        "json_tree",
        "repeat",
        "repeat_row",
    )
)
"""Table functions that make rows from their arguments; all others look outside the project's tables."""
_NOSY = frozenset(
    (
        "getenv",
        "getvariable",
        "current_setting",
        "query",
        "query_table",
        "json_execute_serialized_sql",
        "nextval",
        "currval",
        "which_secret",
        "write_log",
        "add_parquet_key",
        "in_search_path",
        "pragma_version",
    )
)
"""Scalar functions that read the machine, run text as SQL, or have an effect."""
_NOSY_BEGINNINGS = ("read_", "duckdb_", "pragma_")
_FILE_ENDINGS = (".csv", ".tsv", ".parquet", ".json", ".ndjson", ".jsonl", ".xlsx", ".gz")
_NOT_READING = (exp.Describe, exp.Summarize, exp.Show, exp.Command, exp.DDL, exp.DML, exp.Set, exp.Pragma)
Trouble = tuple[str, int, int]
_QUERIES = (exp.Query, exp.Values, exp.Pivot)


def read(text: str, file: str, first_line: int) -> Query:
    """Parse one query. Raises ProjectError LG-105."""
    try:
        statements = _statements(text)
    except ParseError as error:
        raise _unreadable(text, file, first_line, error) from None
    except (SqlglotError, RecursionError) as error:
        raise _untokenisable(text, file, first_line, error) from None
    where = _Positions(text, first_line)
    trouble = _trouble(statements, where)
    if trouble is not None or not statements:
        return Query(text, file, first_line, (), None, trouble)
    root = statements[0]
    references = tuple(sorted(_references(root, where), key=lambda r: (r.line, r.column)))
    return Query(text, file, first_line, references, _columns(root), _reaching_out(root, references, where))


def is_ordered(text: str) -> bool:
    """Say whether a query puts its own rows in an order; one that cannot be read has none."""
    try:
        return sqlglot.parse_one(text, dialect=DIALECT).args.get("order") is not None
    except SqlglotError:
        return False


def is_select(text: str) -> bool:
    """Say whether text is exactly one query that only reads."""
    try:
        statements = _statements(text)
    except (SqlglotError, RecursionError):
        return False
    return bool(statements) and _trouble(statements, _Positions(text, 1)) is None


def _statements(text: str) -> list[exp.Expr]:
    """Parse statements; a comment after the last semicolon is none."""
    return [s for s in sqlglot.parse(text, dialect=DIALECT) if s is not None and not isinstance(s, exp.Semicolon)]


def bare(text: str) -> str:
    """Return a query without the semicolons at its end, and what comments stand behind them."""
    tokens = sqlglot.tokenize(text, read=DIALECT)
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        text = text[: tokens.pop().start]
    return text


# ---------------------------------------------------------------- positions
class _Positions:
    """Turns offsets in a text into lines and columns of the user's file."""

    def __init__(self, text: str, first_line: int) -> None:
        self._text, self._first_line = text, first_line

    def at(self, offset: int) -> tuple[int, int]:
        before = self._text[:offset]
        return self._first_line + before.count("\n"), offset - before.rfind("\n")

    def statement(self, number: int) -> tuple[int, int]:
        """Find the first word of the n-th statement."""
        return self.at(self._words(number)[0].start)

    def first_word(self) -> str:
        return self._words(1)[0].text.lower()

    def _words(self, number: int) -> list[Token]:
        statements: list[list[Token]] = [[]]
        for token in sqlglot.tokenize(self._text, read=DIALECT):
            if token.token_type is not TokenType.SEMICOLON:
                statements[-1].append(token)
            elif statements[-1]:
                statements.append([])
        return statements[number - 1]

    def of(self, node: Any) -> tuple[int, int]:
        """Find a node by the first of its parts that knows where it stands."""
        if isinstance(node, exp.Table):
            return self._table(node)
        starts = [n.meta["start"] for n in node.walk() if "start" in n.meta]
        return self.at(min(starts, default=0))

    def _table(self, table: exp.Table) -> tuple[int, int]:
        parts = [p for p in (table.args.get("catalog"), table.args.get("db"), table.this) if p is not None]
        starts = [p.meta["start"] for p in parts if "start" in p.meta]
        return self.at(min(starts)) if starts else self.at(0)


# ---------------------------------------------------------------- errors
def _unreadable(text: str, file: str, first_line: int, error: ParseError) -> ProjectError:
    first = error.errors[0] if error.errors else {}
    line, end = first.get("line") or 1, first.get("col") or 1
    token = first.get("highlight") or ""
    lines = text.split("\n")
    shown = lines[line - 1] if line <= len(lines) else None
    column = max(1, end - len(token.split("\n")[-1]) + 1)
    return ProjectError(
        "LG-105",
        f"the SQL cannot be read near `{token}`" if token else "the SQL cannot be read",
        place=Place(file, first_line + line - 1, column, shown),
        hint=_JINJA if "{{" in text or "{%" in text else _words(str(first.get("description") or "")),
    )


_JINJA = "there is no Jinja here: name tables as layer.name, such as silver.orders"


def _words(description: str) -> str | None:
    """Say sqlglot's reason as a user would."""
    if description.startswith("Expecting"):
        return f"expected `{description.removeprefix('Expecting').strip()}` here"
    if description.startswith("Required keyword"):
        return "something is missing here, or one word too many stands before it"
    return None


def _untokenisable(text: str, file: str, first_line: int, error: Exception) -> ProjectError:
    if isinstance(error, RecursionError):
        return ProjectError("LG-105", "the SQL is nested too deeply to be read", place=Place(file, first_line))
    opener, offset = _unclosed(text)
    line, column = _Positions(text, first_line).at(offset)
    shown = text.split("\n")[line - first_line]
    message = f"the SQL opens {opener} that is never closed" if opener else "the SQL cannot be read"
    return ProjectError("LG-105", message, place=Place(file, line, column, shown))


_PAIRS = (("--", "\n", ""), ("/*", "*/", "a comment"), ("'", "'", "a text"), ('"', '"', "a quoted name"))


def _unclosed(text: str) -> tuple[str, int]:
    """Find the quote or comment that runs to the end of the text."""
    at = 0
    while at < len(text):
        for opening, closing, words in _PAIRS:
            if text.startswith(opening, at):
                end = text.find(closing, at + len(opening))
                if end < 0:
                    return words, at
                at = end + len(closing)
                break
        else:
            at += 1
    return "", 0


# ---------------------------------------------------------------- references
def _trouble(statements: list[exp.Expr], where: _Positions) -> Trouble | None:
    if not statements:
        return ("there is no query", *where.at(0))
    if len(statements) > 1:
        return ("there are several statements, where one query is expected", *where.statement(2))
    if not isinstance(statements[0], _QUERIES):
        return (f"`{where.first_word()}` is not a query", *where.statement(1))
    for node in statements[0].find_all(*_NOT_READING):
        return (f"`{node.key}` is not a query", *where.of(node))
    if isinstance(statements[0], exp.Select) and statements[0].args.get("into"):
        return ("`select … into` is not a query", *where.statement(1))
    return None


def _reaching_out(root: exp.Expr, references: tuple[Reference, ...], where: _Positions) -> Trouble | None:
    for reference in references:
        place = reference.line, reference.column
        if reference.is_function and reference.written not in _ROW_MAKERS:
            return (f"`{reference.written}(…)` reads outside the project's tables", *place)
        if not reference.is_function and _is_file(reference.written):
            return (f"'{reference.written}' is read as a file", *place)
    for call in root.find_all(exp.Func):
        name = _function(call)
        if name in _NOSY or (name.startswith(_NOSY_BEGINNINGS) and not isinstance(call.parent, exp.Table)):
            return (f"`{name}(…)` reaches outside the query", *where.of(call))
    return None


def _is_file(written: str) -> bool:
    return any(c in written for c in "/*:\\") or written.lower().endswith(_FILE_ENDINGS)


def _function(call: exp.Expr) -> str:
    """Name a function as DuckDB does: sqlglot has classes of its own for those that it knows."""
    if isinstance(call, exp.Anonymous) or not isinstance(call, exp.Func):
        return str(call.name).lower()
    kind: Any = type(call)  # mypy doubts that it hashes
    return _name_of(kind)


@cache
def _name_of(function: Any) -> str:
    # sqlglot works it out anew at each call, which took as long as parsing
    return str(function.sql_name()).lower()


def _references(root: exp.Expr, where: _Positions) -> list[Reference]:
    found = []
    for table in root.find_all(exp.Table):
        if isinstance(table.this, exp.Func):
            name = str(table.this.meta.get("name") or _function(table.this)).lower()
            found.append(Reference(name, *where.of(table), is_function=True))
            continue
        written = ".".join(part.name for part in table.parts)
        if len(table.parts) > 1 or not _is_cte(table, written):
            found.append(Reference(written, *where.of(table)))
    return found


def _is_cte(table: exp.Expr, name: str) -> bool:
    """Say whether a bare name is that of a CTE visible from where it stands."""
    above: Any = table.parent
    while above is not None:
        with_ = above.args.get("with_")
        if with_ is not None and any(cte.alias.lower() == name.lower() for cte in with_.expressions):
            return True
        above = above.parent
    return False


def _columns(root: exp.Expr) -> tuple[str, ...] | None:
    if not isinstance(root, exp.Query):
        return None
    if any(union.args.get("by_name") for union in root.find_all(exp.SetOperation)):
        return None
    names = []
    for projection in root.selects:
        # only a column or an alias names itself; some expressions become several columns
        if not isinstance(projection, (exp.Alias, exp.Column)) or projection.is_star:
            return None
        if projection.find(exp.Columns, exp.Unnest, exp.Explode):
            return None
        names.append(projection.output_name)
    return tuple(names) or None
