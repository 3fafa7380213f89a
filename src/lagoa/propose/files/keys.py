"""Proposes what tells one row from another: a column, or two, without nulls and without a value twice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from lagoa.kit.text import quote
from lagoa.ports import SOURCE, Session
from lagoa.propose.files.facts import Facts
from lagoa.propose.files.kinds import Kind
from lagoa.propose.files.sample import SEEN

_KEY = re.compile(
    r"(?:^|_)(id|ids|key|uuid|guid|code|codigo|cod|cd|number|numero|num|nr|sku|isbn|cpf|cnpj|sigla|uf|pk)(?:_|$)"
)
_PART = re.compile(
    r"(?:^|_)(seq|sequential|sequence|line|item|linha|parcela|installment|version|year|ano|month|mes|day|date|data)(?:_|$)"
)
_FEW = 20
"""From how many rows on two columns together are taken for a key: few rows differ by accident."""
_LEAST = (2, 3, _FEW, _FEW, 1000)
"""From how many rows on a column is taken for a key, by its rank."""
_DAYS = 100
"""From how many rows on a day is."""
_LONG = 64


@dataclass(frozen=True)
class Key:
    """A proposed key, () when there is none; `per_file`: only within each file no value is there twice."""

    columns: tuple[str, ...] = ()
    why: str = ""
    per_file: bool = False


def key_of(
    session: Session,
    stream: str,
    facts: Mapping[str, Facts],
    kinds: Mapping[str, Kind],
    levels: Sequence[str],
    files: int,
) -> Key:
    """Look for a key among the rows of SEEN: one column, then two; then one that holds within each file."""
    rows = next(iter(facts.values())).rows if facts else 0
    if rows < 2:
        return Key()
    names = [n for n in facts if _may_be(facts[n], kinds[n])]
    ranked = sorted(names, key=lambda n: _rank(n, stream, list(facts)))
    for name in ranked:
        told = _rank(name, stream, list(facts))
        least = max(_LEAST[told], _DAYS if kinds[name].type == "date" else 0)
        if facts[name].different == rows and rows >= least:
            return Key((name,), f"no value twice in {rows:,} rows, none missing")
    parts = [n for n in ranked if _KEY.search(n) or _PART.search(n) or n.endswith("id")][:8]
    order = {name: n for n, name in enumerate([*levels, *facts])}
    several: list[tuple[str, ...]] = [(*levels, n) for n in parts if levels]
    if rows >= _FEW:
        pairs = [tuple(sorted(pair, key=lambda n: order[n])) for pair in combinations(parts, 2)]
        several += pairs + [(*levels, *pair) for pair in pairs if levels]
    if several and (found := _unique(session, several, rows)):
        return Key(found, f"none twice in {rows:,} rows, none missing")
    if files > 1:
        per_file = f"regexp_replace({quote(SOURCE)}, ':\\d+$', '')"
        for name in ranked:
            once = _rank(name, stream, list(facts)) < 4 and _counted(session, f"({quote(name)}, {per_file})") == rows
            if once and _same_again(session, name, [n for n in facts if n != name]):
                return Key((name,), "no value twice in one file, but in several", per_file=True)
    return Key()


def _may_be(facts: Facts, kind: Kind) -> bool:
    whole = facts.filled == facts.rows and not facts.nulls and 0 < facts.average <= _LONG
    return whole and not kind.type.startswith(("decimal", "double", "timestamp", "boolean", "json"))


def _rank(name: str, stream: str, columns: Sequence[str]) -> int:
    one = stream.removesuffix("s")
    if name in ("id", f"{stream}_id", f"{one}_id", f"id_{one}", f"{one}id", f"codigo_{one}"):
        return 0
    if _KEY.search(name) or name.endswith("id"):
        return 1 if name == columns[0] else 2  # what stands further on may tell of something else
    return 3 if name == columns[0] else 4


def _unique(session: Session, several: Sequence[tuple[str, ...]], rows: int) -> tuple[str, ...] | None:
    counts = ", ".join(f"count(distinct ({', '.join(map(quote, names))}))" for names in several)
    (found,) = session.rows(f"select {counts} from {SEEN}")
    return next((names for names, count in zip(several, found, strict=True) if count == rows), None)


def _same_again(session: Session, key: str, others: Sequence[str]) -> bool:
    """Say whether a key that comes again means the same: most of what stands beside it has stayed.

    Numbers that each file begins anew come again, too, beside other values; merged by them, rows would be lost.
    """
    if not others:
        return True
    stayed = " + ".join(f"(count(distinct {quote(name)}) <= 1)::int" for name in others)
    again = f"select ({stayed}) / {len(others)} as stayed from {SEEN} group by {quote(key)} having count(*) > 1"
    return bool(session.rows(f"select coalesce(avg(stayed), 0) >= 0.5 from ({again})")[0][0])


def _counted(session: Session, what: str) -> int:
    return int(session.rows(f"select count(distinct {what}) from {SEEN}")[0][0])
