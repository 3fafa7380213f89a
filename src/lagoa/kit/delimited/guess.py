"""Finds out how a delimited file is written, by the same grammar that will read it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lagoa.kit.bundle import Record
from lagoa.kit.delimited.dialect import Dialect
from lagoa.kit.delimited.grammar import Grammar
from lagoa.kit.delimited.records import records

_MARKS = (",", ";", "\t", "|", "^", "~")
_FRAMED = 0.9
"""Which share of the lines must begin and end with a mark that is then their delimiter, whatever stands between."""
_LOOKED = 500
"""Lines that tell how a file is written."""
_TYPED = re.compile(
    r"[-+(]?[R$€£ ]*\d[\d.,:/\-\sTZ]*%?\)?|\*{3}\d+\*+|[0-9a-f]{8}-[0-9a-f-]{27}|true|false", re.IGNORECASE
)
_WORDS = re.compile(r"(?=.*[^\W\d_])[^\d\s].{0,63}")
_YEAR = re.compile(r"(19|20)\d\d")


@dataclass(frozen=True)
class Guess:
    """How a file is written: `names` are its first record's fields, () without a header; `width` counts fields."""

    dialect: Dialect
    names: tuple[str, ...]
    width: int
    share: float
    """Which share of the records that were looked at has this width."""
    why: str = ""

    @property
    def signature(self) -> tuple[object, ...]:
        """What two files have in common that one stream can read."""
        return self.dialect, self.names, self.width


def guess(text: bytes, complete: bool, tabs: bool = False) -> Guess | None:
    """Look at the start of a UTF-8 text; None when it is empty. `complete`: it is all of the file."""
    lines = text.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
    lines = lines[: len(lines) - (not complete and len(lines) > 1)][:_LOOKED]
    tries = [t for mark in _marks(lines) for t in _tries(mark, lines)]
    scored = [(score, n) for n, t in enumerate(tries) if (score := _score(t, lines))]
    if not scored:
        return None
    best = max(scored, key=lambda s: (s[0], -s[1]))
    dialect = tries[best[1]]
    if best[0][1] == 1:
        dialect = Dialect(delimiter="\t" if tabs else ",")
    kept = _records(dialect, lines)
    dialect, kept, skipped = _without_title(dialect, kept, lines)
    if not kept:
        return None
    fields = [[f.decode("utf-8", "replace") for f in Grammar(dialect).split(r.text)] for r in kept]
    width = best[0][1]
    header = _is_header(fields[0], [f for f in fields[1:] if len(f) == width])
    said = [f"{skipped} line{'s are' if skipped > 1 else ' is'} passed over before the header"] if skipped else []
    if not header:
        said.append("the first record looks like the others, so there is no header")
    share = sum(len(f) == width for f in fields) / len(fields)
    return Guess(replace(dialect, header=header), tuple(fields[0]) if header else (), width, share, "; ".join(said))


def _marks(lines: Sequence[bytes]) -> Sequence[str]:
    """Return what may part fields: in `|C100|1,50|` no decimal comma does."""
    filled = [bare for line in lines if (bare := line.strip())]
    for mark in (m.encode() for m in _MARKS):
        framed = sum(len(line) > 1 and line.startswith(mark) and line.endswith(mark) for line in filled)
        if filled and framed >= _FRAMED * len(filled):
            return (mark.decode(),)
    return _MARKS


def _tries(mark: str, lines: Sequence[bytes]) -> list[Dialect]:
    tries = [Dialect(delimiter=mark)]
    single = sum(line.startswith(b"'") or mark.encode() + b"'" in line for line in lines)
    if single * 2 > len(lines):
        tries.append(Dialect(delimiter=mark, quote="'", escape="'"))
    if any(b'\\"' in line for line in lines):
        tries.append(Dialect(delimiter=mark, escape="\\"))
    if any(b'"' in line for line in lines):
        tries.append(Dialect(delimiter=mark, quote="", escape=""))
    return tries


def _records(dialect: Dialect, lines: Sequence[bytes]) -> list[Record]:
    return [r for r in records(b"".join(lines), 0, Grammar(dialect), None) if r.reason is None and r.text]


def _score(dialect: Dialect, lines: Sequence[bytes]) -> tuple[float, int] | None:
    """Return the share of records of the usual width, and that width; a file of one column is the last resort."""
    grammar = Grammar(dialect)
    found = list(records(b"".join(lines), 0, grammar, None))
    widths = Counter(grammar.count(r.text) for r in found if r.reason is None and r.text)
    if not widths:
        return None
    width, count = max(widths.items(), key=lambda w: (w[1] * (w[0] > 1), w[0]))
    share = count / len(found)
    # five hundredths: a few ragged records do not make another delimiter better
    return (round(share * 20) / 20 if width > 1 else 0.5, width)


def _without_title(dialect: Dialect, kept: list[Record], lines: Sequence[bytes]) -> tuple[Dialect, list[Record], int]:
    """Pass over lines of a title: few fields are filled, and what looks like a header, or wider records, come next."""
    split = Grammar(dialect).split
    rows = [[f.decode("utf-8", "replace") for f in split(r.text)] for r in kept]
    filled = [sum(bool(f.strip()) for f in row) for row in rows[:10]]
    usual = max(filled, default=0)
    nth = next((i for i, n in enumerate(filled) if n * 2 >= usual), 0)
    if not _is_header(rows[nth] if rows else [], [r for r in rows[nth + 1 :] if len(r) == len(rows[nth])]):
        nth = next((i for i, row in enumerate(rows[:10]) if len(row) > 1 or usual < 3), 0)
    if not nth or kept[nth].line > 20:
        return dialect, kept, 0
    skip = kept[nth].line
    return replace(dialect, skip=skip), kept[nth:], sum(bool(line.strip()) for line in lines[:skip])


def _is_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Say whether the first record names columns: its fields are words, and are no values of their columns."""
    names = [f.strip() for f in first]
    filled = [n for n in names if n]
    if not filled or any(map(is_typed, filled)) or len(filled) * 2 < len(names):
        return False
    columns = list(zip(*rest, strict=False)) if rest else []
    if any(values_are_typed(column) for column in columns):
        return True
    recurs = sum(name in {v.strip() for v in column} for name, column in zip(names, columns, strict=False) if name)
    return not recurs and all(_WORDS.fullmatch(n) for n in filled)


def is_typed(text: str) -> bool:
    """Say whether a text is a value rather than a name: a number, a date, a moment, but no year."""
    return _TYPED.fullmatch(text) is not None and not _YEAR.fullmatch(text)


def values_are_typed(column: Sequence[str]) -> bool:
    """Say whether all values that a column has are numbers, dates and the like."""
    filled = [v.strip() for v in column if v.strip()]
    return bool(filled) and all(_TYPED.fullmatch(v) for v in filled)
