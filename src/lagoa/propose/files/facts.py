"""Asks an engine what the values of a column look like, over its different values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lagoa.kit.text import literal, quote
from lagoa.ports import Session

NULLS = (
    *("", "null", "none", "na", "n/a", "#n/a", "nan", "\\n", "-", "--", "..", "...", "#nulo#", "#nulo", "#ne#", "#ne"),
    *("00000000", "0000-00-00", "00/00/0000"),
)
"""Texts that may stand for a missing value, in lower case."""
_CLOCK = r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
SHAPES = {
    "integer": r"-?(0|[1-9]\d{0,17})",
    "digits": r"\d+",
    "number": r"[+-]?(\d+(\.\d+)?|\.\d+)([eE][+-]?\d+)?",
    "point": r"[+-]?(\d+(\.\d+)?|\.\d+)",
    "whole": r"-?(0|[1-9]\d{0,14})[.,]0",
    "comma": r"[+-]?(\d+(,\d+)?|,\d+)",
    "point_groups": r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?",
    "comma_groups": r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?",
    "point_thousands": r"[+-]?(\d+|[1-9]\d{0,2}\.\d{3})",
    "comma_thousands": r"[+-]?(\d+|[1-9]\d{0,2},\d{3})",
    "marked": r"[-+(]?\s*((R\$|US\$|U\$|[$€£])[\s\x{a0}]*)?[-+]?\d[\d.,\s\x{a0}\x{202f}]*(\s*[-+%DC]|\))?",
    "bare": r"[+-]?[\d.,]+",
    "boolean": r"(?i)true|false|t|f|yes|no|y|n|sim|não|nao|s|verdadeiro|falso",
    "day": r"\d{4}[-/]\d{2}[-/]\d{2}([ T]00:00(:00(\.0+)?)?)?",
    "moment": rf"\d{{4}}[-/]\d{{2}}[-/]\d{{2}}([ T]{_CLOCK})?",
    "instant": rf"\d{{4}}[-/]\d{{2}}[-/]\d{{2}}[ T]{_CLOCK} ?(Z|[+-]\d{{2}}(:?\d{{2}})?)",
    "local_day": r"\d{1,2}[/.\-]\d{1,2}[/.\-](\d{4}|\d{2})",
    "local_moment": rf"\d{{1,2}}[/.\-]\d{{1,2}}[/.\-]\d{{4}} {_CLOCK}",
    "packed_day": r"(19|20)\d{6}",
    "email": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "phone": r"(\+\d{1,3} ?)?\(\d{1,4}\) ?[\d .\-]{6,}(x\d+)?|\+\d[\d .\-]{8,}",
    "ip": r"(\d{1,3}\.){3}\d{1,3}",
    "like_cpf": r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}",
    "like_cnpj": r"[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}/?[0-9A-Z]{4}-?\d{2}",
    "masked": r"\*{3}\.?\d{3}\.?\d{3}-?\*{2}",
    "company": r"(?i)(.*[^\w])?(s[./]? ?a|ltda|limitada|eireli|epp|inc|corp|llc|gmbh|banco|bco|bank|cia|companhia|"
    r"coop\w*|fundo|caixa|associa\w+|sociedade|prefeitura|minist[eé]rio|secretaria)([^\w].*)?",
    "names": r"[^\W\d_][^\W\d_.'’\-]*([ '’.\-]+[^\W\d_][^\W\d_.'’\-]*)+",
}
"""What all values of a column may look like, as regular expressions over text without outer blanks."""


@dataclass(frozen=True)
class Facts:
    """What a column's values look like. Shares are of its different values, from 0 to 1."""

    rows: int
    filled: int
    """Rows whose value is neither null nor a text that may stand for it."""
    different: int
    shares: Mapping[str, float] = field(default_factory=dict)
    nulls: tuple[str, ...] = ()
    """The texts among its values that may stand for a missing one, as they are written."""
    blanks: float = 0.0
    """Which share of the different values has blanks around it."""
    zeros: bool = False
    """Some value begins with a zero that a number would lose."""
    shortest: int = 0
    longest: int = 0
    average: float = 0.0
    after_point: int = 0
    """How many digits follow the last `.`, at most."""
    after_comma: int = 0
    """How many digits follow the last `,`, at most."""
    groups: bool = False
    """Some value has two separators, so that one of them stands between thousands."""

    def all(self, shape: str) -> bool:
        """Say whether every value has a shape."""
        return self.filled > 0 and self.shares.get(shape, 0.0) == 1.0

    def most(self, shape: str, share: float = 0.8) -> bool:
        """Say whether nearly every value has a shape."""
        return self.filled > 0 and self.shares.get(shape, 0.0) >= share


_FIRST = 1000
"""How many values decide which shapes are worth a look at all values."""
VALUES = "_values"
"""The temporary table of a column's different values: `v` as written, `x` without outer blanks, `n` rows."""


def look_at(session: Session, table: str, column: str) -> Facts:
    """Return what the texts of a column look like; VALUES holds its different values afterwards."""
    lost = ", ".join(map(literal, NULLS))
    session.run(
        f"create or replace temp table {VALUES} as select v, x, n, lower(x) in ({lost}) as lost from "
        f"(select v, trim(v, ' \t\u00a0') as x, n from "
        f"(select {quote(column)}::varchar as v, count(*) as n from {table} group by all))"
    )
    good = f"from {VALUES} where v is not null and not lost"
    tests = {name: f"regexp_full_match(x, {literal(shape)})" for name, shape in SHAPES.items()}
    shares = _shares(session, tests, f"(select x {good} limit {_FIRST})")
    if shares["like_cpf"] + shares["like_cnpj"] > 0.9:
        held = _shares(session, {"cpf": _IS_CPF, "cnpj": _IS_CNPJ}, f"(select x, {_BARE} as b {good} limit {_FIRST})")
        shares |= held
    likely = {name: test for name, test in tests.items() if shares[name] > 0.5}
    ((filled, different, blanks, zeros, short, long, average, point, comma, groups),) = session.rows(
        "select coalesce(sum(n), 0)::bigint, count(*), coalesce(avg((v <> x)::int), 0), "
        "coalesce(bool_or(x[1] = '0' and regexp_matches(x, '^0\\d')), false), coalesce(min(length(x)), 0), "
        "coalesce(max(length(x)), 0), coalesce(avg(length(x)), 0), "
        "coalesce(max(length(regexp_extract(x, '[.](\\d+)$', 1))), 0), "
        "coalesce(max(length(regexp_extract(x, ',(\\d+)$', 1))), 0), "
        f"coalesce(bool_or(regexp_matches(x, '[.,].*[.,]')), false) {good}"
    )
    if different > _FIRST and likely:
        shares |= _shares(session, likely, f"(select x {good})")
    rows = session.rows(f"select coalesce(sum(n), 0)::bigint from {VALUES}")[0][0]
    nulls = tuple(v for (v,) in session.rows(f"select v from {VALUES} where lost and v is not null order by v"))
    return Facts(rows, filled, different, shares, nulls, blanks, zeros, short, long, average, point, comma, groups)


def _shares(session: Session, tests: Mapping[str, str], values: str) -> dict[str, float]:
    """Return which share of some values passes each test."""
    (found,) = session.rows(f"select {', '.join(f'avg(({t})::int)' for t in tests.values())} from {values}")
    return {name: float(share or 0) for name, share in zip(tests, found, strict=True)}


def _digit(place: int) -> str:
    return f"(ord(b[{place}]) - 48)"


def _checked(weights: Sequence[int]) -> str:
    """Return SQL for the check digit of what stands before it, by modulus 11."""
    total = " + ".join(f"{_digit(place)} * {weight}" for place, weight in enumerate(weights, 1))
    return f"(11 - ({total}) % 11) * (({total}) % 11 > 1)::int"


_BARE = "regexp_replace(x, '[./\\-]', '', 'g')"
_TWELVE = (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
_IS_CPF = (
    f"length(b) = 11 and b <> repeat(b[1], 11) and {_digit(10)} = {_checked(range(10, 1, -1))} "
    f"and {_digit(11)} = {_checked(range(11, 1, -1))}"
)
"""A CPF's check digits hold; eleven equal digits are none."""
_IS_CNPJ = (
    f"length(b) = 14 and b <> repeat(b[1], 14) and {_digit(13)} = {_checked(_TWELVE)} "
    f"and {_digit(14)} = {_checked((6, *_TWELVE))}"
)
"""A CNPJ's check digits hold; since 2026 its first twelve places may be letters."""
