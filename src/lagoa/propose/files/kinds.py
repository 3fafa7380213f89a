"""Proposes a column's type from its values: only one that every value seen has, by the source's own reading."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lagoa.kit.text import listed
from lagoa.kit.values import FALSE, TRUE, Spelling
from lagoa.ports import Session
from lagoa.propose.files.facts import VALUES, Facts

_CODES = re.compile(
    r"(?:^|_)(cep|zip|zipcode|postal|postalcode|postcode|phone|telefone|fone|tel|celular|mobile|fax|whatsapp|cpf|cnpj|"
    r"cnpj_basico|rg|ie|ddd|extension|ramal|siafi|account|conta|agencia|cnae|ncm|cfop|matricula)(?:_|$)"
)
_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y")
_CLOCKS = (" %H:%M:%S", " %H:%M", " %H:%M:%S.%f")
_MEASURES = re.compile(r"(?:^|_)(lat|lng|lon|long|latitude|longitude|altitude)(?:_|$)")
_YEARS = re.compile(r"(?:^|_)(ano|year|anos|years)(?:_|$)")
_FEW = 20
"""Rows below which digits of one length are not taken for numbers."""
_FLOATING = 9
"""Digits after the point from which on a number is a measure, and no amount."""


@dataclass(frozen=True)
class Kind:
    """A proposed type. `nulls`: texts that must mean null for it; `trim`: blanks around values must go away."""

    type: str = "text"
    why: str = ""
    format: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    nulls: tuple[str, ...] = ()
    trim: bool = False

    @property
    def spelling(self) -> Spelling:
        """How the source reads it."""
        return Spelling(self.type, self.format, self.decimal or ".", self.thousands)


def kind_of(session: Session, name: str, facts: Facts, semicolons: bool, texts: bool = True) -> Kind:
    """Propose the type of the column whose values stand in VALUES.

    `semicolons`: its file parts fields by `;`, as those with a decimal comma do. `texts`: all its file has is text;
    otherwise the file tells numbers from texts, and only times are looked for.
    """
    if not facts.filled:
        return Kind(why="always empty" if facts.rows else "")
    if identifier := _identifier(facts):
        return identifier
    tries = _tries(name, facts, semicolons, texts)
    for kind in tries:
        if _holds(session, kind):
            why = kind.why or _told_by_none(session, kind)
            return Kind(kind.type, why, kind.format, kind.decimal, kind.thousands, facts.nulls, facts.blanks > 0)
    why = f"looks like {tries[0].type}, but not every value is one" if tries else _as_text(name, facts, semicolons)
    return Kind(why=why, trim=facts.blanks > 0.5)


def _identifier(facts: Facts) -> Kind | None:
    trim = facts.blanks > 0
    if facts.most("cpf", 0.95):
        return Kind(why="CPF: its check digits hold", trim=trim)
    if facts.most("cnpj", 0.95):
        return Kind(why="CNPJ: its check digits hold", trim=trim)
    if facts.shares.get("cpf", 0) + facts.shares.get("cnpj", 0) >= 0.95:
        return Kind(why="CPF and CNPJ: their check digits hold", trim=trim)
    return None


def _tries(name: str, facts: Facts, semicolons: bool, texts: bool) -> list[Kind]:
    """List the types that the values may have, the likeliest first."""
    tries: list[Kind] = []
    if facts.all("day"):
        tries.append(Kind("date"))
    if facts.all("packed_day"):
        tries.append(Kind("date", "", "%Y%m%d"))
    if facts.all("local_day"):
        tries += [Kind("date", "", form) for form in _DAYS]
    if facts.all("moment"):
        tries.append(Kind("timestamp"))
    if facts.all("local_moment"):
        tries += [Kind("timestamp", "", day + clock) for day in _DAYS for clock in _CLOCKS]
    if facts.all("instant"):
        tries.append(Kind("timestamptz"))
    if facts.all("boolean") and facts.different == 2:
        tries.append(Kind("boolean"))
    if texts and not _CODES.search(name):
        tries += _numbers(name, facts, semicolons)
    return tries


def _numbers(name: str, facts: Facts, semicolons: bool) -> list[Kind]:
    if _is_code(name, facts) or _is_either(facts, semicolons):
        return []
    if facts.all("integer"):
        return [Kind("bigint")]
    if facts.all("whole") and facts.different > 2 and (facts.after_point == 0 or facts.after_comma == 0):
        return [Kind("bigint", "whole numbers with a zero behind them", None, "," if facts.after_comma else None)]
    if facts.zeros and facts.all("digits"):
        return []
    if facts.all("number") and not facts.all("point"):
        return [Kind("double", "numbers with exponents")]
    for shape, decimal, thousands in _separators(facts, semicolons):
        if facts.all(shape):
            fraction = facts.after_point if decimal == "." else facts.after_comma
            kind = "bigint" if not fraction else f"decimal(18, {max(2, fraction)})"
            if fraction > _FLOATING or (fraction and _MEASURES.search(name)):
                kind = "double"
            return [Kind(kind, "", None, decimal if decimal != "." else None, thousands)]
    return []


def _is_code(name: str, facts: Facts) -> bool:
    """Say whether digits of one length may be a code whose zeros have not been seen yet, because there are few rows."""
    same = facts.all("digits") and facts.longest == facts.shortest >= 3
    return same and facts.rows < _FEW and not _YEARS.search(name)


def _is_either(facts: Facts, semicolons: bool) -> bool:
    """Say whether the only separator may stand between thousands as well as before decimals: `1.030`."""
    if facts.after_comma:
        return not semicolons and facts.all("comma_thousands")
    return facts.after_point > 0 and facts.all("point_thousands")


def _separators(facts: Facts, semicolons: bool) -> list[tuple[str, str, str | None]]:
    comma = [("comma", ",", None), ("point_groups", ",", ".")]
    point = [("point", ".", None), ("comma_groups", ".", ",")]
    if facts.groups:
        # 1.234,56 and 1,234.56 say themselves which of the two is which
        comma.reverse()
        point.reverse()
    return [*comma, *point] if semicolons and not facts.all("point") else [*point, *comma]


def _holds(session: Session, kind: Kind) -> bool:
    """Say whether the source would read every value as this type."""
    read = kind.spelling.parse("x")
    if kind.type == "boolean":
        yes, known = listed(TRUE)[1:-1], listed((*TRUE, *FALSE))[1:-1]
        both = f"count(distinct lower(x) in ({yes})) = 2 and bool_and(lower(x) in ({known}))"
        return bool(session.rows(f"select {both} from {VALUES} where v is not null and not lost")[0][0])
    unread = f"select count(*) from {VALUES} where v is not null and not lost and ({read}) is null"
    return session.rows(unread) == [(0,)]


def _told_by_none(session: Session, kind: Kind) -> str:
    """Say that the month may as well come first."""
    day_first, month_first = "%d/%m/", "%m/%d/"
    if not (kind.format or "").startswith(day_first):
        return ""
    other = replace(kind, format=month_first + (kind.format or "").removeprefix(day_first))
    return "or the month comes first: no value tells" if _holds(session, other) else ""


def _as_text(name: str, facts: Facts, semicolons: bool) -> str:
    """Say why values that look like numbers stay text."""
    if facts.zeros and facts.all("digits"):
        return "leading zeros"
    if facts.all("digits") and _CODES.search(name):
        return "digits, but no number to count with"
    if _is_code(name, facts):
        return f"{facts.longest} digits each: a code, or too few rows to tell"
    if facts.all("digits") and facts.longest > 18:
        return f"{facts.longest} digits"
    if _is_either(facts, semicolons):
        mark = "," if facts.after_comma else "."
        return f"its `{mark}` may part thousands or decimals: say `thousands:` or `decimal:`, and a type"
    if facts.all("marked") and not facts.all("bare"):
        return "amounts with signs around them, which a model can read"
    return ""
