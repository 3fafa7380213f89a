"""The rows that a file gives: SQL that picks its columns, reads declared types, and says why a row is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from lagoa.kit.text import literal, quote
from lagoa.kit.types import sql_type
from lagoa.kit.values import Spelling
from lagoa.ports import RAW, REASON, SOURCE

_SHOWN = 100
"""Characters of a refused value that a reason shows."""


@dataclass(frozen=True)
class Shape:
    """The columns of a batch. `schema` is in order, without dropped columns; `spellings` are the declared ones."""

    schema: pa.Schema
    spellings: Mapping[str, Spelling] = field(default_factory=dict)
    private: frozenset[str] = frozenset()
    """Columns whose values no message may show."""
    dropped: frozenset[str] = frozenset()
    levels: tuple[str, ...] = ()
    """Columns that come from the path."""

    def checked(self) -> list[str]:
        """Name the columns whose text may not be a value of their type."""
        return [n for n in self.schema.names if n in self.spellings and not self.spellings[n].is_text()]

    def select(
        self,
        relation: str,
        texts: Mapping[str, str],
        source: str,
        raw: str,
        values: Mapping[str, str] | None = None,
        fault: str | None = None,
    ) -> str:
        """Return the query of a portion over `relation`.

        `texts` gives for each column that arrives its text in SQL, `values` (instead) its value as it is; what is in
        neither is null. `source`, `raw` and `fault` (why the row is refused, or null) are SQL over the relation, too.
        """
        values = values or {}
        texts = {name: self._given(name, text) for name, text in texts.items()}
        checked = [n for n in self.checked() if n in texts]
        place = {name: i for i, name in enumerate(checked)}
        inner = ", ".join(f"{texts[n]} as _t{i}" for n, i in place.items())
        relation = f"(select *{', ' + inner if inner else ''} from {relation})"
        quick = {i: self.spellings[n].quick(f"_t{i}", f"_w{i}") for n, i in place.items()}
        # layer by layer: DuckDB computes what stands in a CASE twice, twice
        if casts := ", ".join(f"{q[0]} as _w{i}" for i, q in quick.items() if q):
            relation = f"(select *, {casts} from {relation})"
        parsed = ", ".join(f"{self._value(n, i, quick[i])} as _v{i}" for n, i in place.items())
        if checked:
            relation = f"(select *, {parsed} from {relation})"
        if checked or fault:
            relation = f"(select *, {self._reason(place, fault)} as {REASON} from {relation})"
        shown = [self._shown(f, place, texts, values) for f in self.schema]
        shown.append(f"{source} as {SOURCE}")
        if checked or fault:
            shown += [REASON, f"case when {REASON} is not null then {raw} end as {RAW}"]
        return f"select {', '.join(shown)} from {relation}"

    def _given(self, name: str, text: str) -> str:
        """Return SQL for a text, null where the column's own declaration says that it means null."""
        nulls = self.spellings[name].null_values if name in self.spellings else ()
        return f"case when not {listed_in(text, nulls)} then {text} end" if nulls else text

    def _value(self, name: str, nth: int, quick: tuple[str, str] | None) -> str:
        careful = self.spellings[name].parse(f"_t{nth}")
        return f"case when {quick[1]} then _w{nth} else {careful} end" if quick else careful

    def _shown(
        self, column: pa.Field, place: Mapping[str, int], texts: Mapping[str, str], values: Mapping[str, str]
    ) -> str:
        name = column.name
        if name in place:
            return f"_v{place[name]} as {quote(name)}"
        if name in texts:
            return f"{texts[name]} as {quote(name)}"
        if name in values:
            return f"{values[name]} as {quote(name)}"
        return f"null::{sql_type(column.type)} as {quote(name)}"

    def _reason(self, place: Mapping[str, int], fault: str | None) -> str:
        bad = {name: f"(_t{i} is not null and _v{i} is null)" for name, i in place.items()}
        said = [f"case when {test} then {self._said(name, place[name])} end" for name, test in bad.items()]
        if fault:
            bad, said = {"": f"({fault}) is not null", **bad}, [fault, *said]
        return f"case when {' or '.join(bad.values())} then concat_ws('; ', {', '.join(said)}) end"

    def _said(self, name: str, nth: int) -> str:
        what = f"is not {_article(self.spellings[name].type)}"
        if name in self.private:
            return literal(f"{name}: the value {what}")
        return f"{literal(name + ': ')} || '\"' || left(_t{nth}, {_SHOWN}) || '\" ' || {literal(what)}"


def _article(kind: str) -> str:
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"


def cleaned(text: str, trim: bool, null_values: Sequence[str]) -> str:
    """Return SQL for a text without the blanks around it (all of them: null), and null for what means null."""
    if trim:
        bare = f"trim({text}, ' \t\u00a0')"
        text = f"case when {text} = '' or {bare} <> '' then {bare} end"
    return f"case when not {listed_in(text, null_values)} then {text} end" if null_values else text


def listed_in(expression: str, values: Sequence[str]) -> str:
    """Return SQL that is true when an expression is one of some texts."""
    return f"{expression} in ({', '.join(map(literal, values))})"
