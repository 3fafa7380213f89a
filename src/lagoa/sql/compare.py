"""Compares two queries by today's parser: an upgrade of it never makes an old definition look new."""

from __future__ import annotations

from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from lagoa.sql.tree import DIALECT


def same(a: str, b: str) -> bool:
    """Compare two queries token by token: nothing that a parser could lose on the way is lost."""
    if not (_parses(a) and _parses(b)):
        return False
    return a == b or _normal(a) == _normal(b)


def _parses(text: str) -> bool:
    try:
        return any(sqlglot.parse(text, dialect=DIALECT))
    except (SqlglotError, RecursionError):
        return False


def _normal(text: str) -> list[str]:
    """Write a query as tokens without comments, layout and final semicolons; keywords in lower case."""
    tokens = [t for t in sqlglot.tokenize(text, read=DIALECT) if t.token_type is not TokenType.HINT]
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens.pop()
    return [_spelling(text, token, tokens[i + 1 : i + 2]) for i, token in enumerate(tokens)]


def _spelling(text: str, token: Token, following: list[Token]) -> str:
    written = text[token.start : token.end + 1]
    words = written.split()
    if not all(word.isidentifier() for word in words):
        return written  # a text, a quoted name, a number, a sign
    is_call = bool(following) and following[0].token_type is TokenType.L_PAREN
    # a bare word keeps its case: as an alias it is the name of a column
    return " ".join(words).lower() if is_call or token.token_type is not TokenType.VAR else written


_CLAUSES = {
    "with_": "with",
    "distinct": "distinct",
    "from_": "from",
    "joins": "join",
    "where": "where",
    "group": "group by",
    "having": "having",
    "qualify": "qualify",
    "windows": "window",
    "order": "order by",
    "limit": "limit",
    "offset": "offset",
    "sample": "sample",
}


def differences(a: str, b: str) -> list[str]:
    """Say in words which columns and clauses of query b differ from query a."""
    if same(a, b):
        return []
    try:
        old, new = sqlglot.parse_one(a, dialect=DIALECT), sqlglot.parse_one(b, dialect=DIALECT)
    except (SqlglotError, RecursionError):
        return ["the query"]
    if not (isinstance(old, exp.Select) and isinstance(new, exp.Select)):
        return ["the query"]
    clauses = [words for key, words in _CLAUSES.items() if _text(old.args.get(key)) != _text(new.args.get(key))]
    return [*_changed_columns(old, new), *clauses] or ["the query"]


def _text(part: Any) -> str:
    if isinstance(part, list):
        return ", ".join(_text(p) for p in part)
    return part.sql(dialect=DIALECT, comments=False) if isinstance(part, exp.Expr) else str(part or "")


def _changed_columns(old: exp.Select, new: exp.Select) -> list[str]:
    before = {p.alias_or_name or _text(p): _text(p) for p in old.selects}
    after = {p.alias_or_name or _text(p): _text(p) for p in new.selects}
    added = [f"column {name} added" for name in after if name not in before]
    removed = [f"column {name} removed" for name in before if name not in after]
    changed = [f"column {name} changed" for name in after if name in before and after[name] != before[name]]
    moved = [] if added or removed or list(before) == list(after) else ["columns in another order"]
    return [*added, *removed, *changed, *moved]
