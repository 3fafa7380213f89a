"""What a dictionary says of columns: its rows understood, or refused with their line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lagoa.errors import Place, closest
from lagoa.kit.column_names import OWN, column_name
from lagoa.kit.dictionary.declared import Dictionary
from lagoa.kit.dictionary.rows import Row, unusable
from lagoa.kit.values import FALSE, TRUE, declared_type

WORDS = {
    "column": "column field column_name field_name source_column original original_name technical_name spelling "
    "coluna campo nome_do_campo nome_da_coluna nome_original nome_tecnico",
    "name": "name new_name target rename alias nome nome_novo novo_nome",
    "description": "description meaning comment label text descricao significado comentario rotulo texto",
    "type": "type data_type tipo tipo_de_dado tipo_de_dados",
    "pii": "pii personal personal_data dado_pessoal dados_pessoais pessoal lgpd",
    "stream": "stream table table_name file tabela nome_da_tabela arquivo",
}
"""How the columns of a dictionary are called, without accents."""
_LOOKED = 20
"""Rows among which the header is looked for: titles stand above it."""
_PERSONAL, _NONE = "personal", ("", "-")
_WITH_LENGTH = re.compile(r"(char|varchar|varchar2|nchar|nvarchar|nvarchar2|text|string)\s*(\(\s*\d+\s*\)|\d+)?")
_DIGITS = re.compile(r"(decimal|numeric)\s*\(?\s*(\d+)\s*(?:[,.]\s*(\d+)\s*)?\)?")


@dataclass(frozen=True)
class Entry:
    """What a row says of a column; None where it says nothing. `stream` is None when it speaks of all."""

    place: Place
    spelled: str
    stream: str | None = None
    name: str | None = None
    description: str | None = None
    type: str | None = None
    pii: str | None = None

    @property
    def plain(self) -> str:
        """What the column would be called if nothing were said."""
        return column_name(self.spelled)

    @property
    def called(self) -> str:
        """What the column is called."""
        return self.name or self.plain


def entries(rows: Sequence[Row], declared: Dictionary) -> list[Entry]:
    """Understand the rows of a dictionary. Raises ProjectError LG-116 for the first that cannot be."""
    nth, places = _header(rows, declared)
    width = len(rows[nth].cells)
    return [_entry(row, _cells(row, width), places, declared) for row in rows[nth + 1 :]]


def _header(rows: Sequence[Row], declared: Dictionary) -> tuple[int, Mapping[str, int]]:
    """Find the row that names the dictionary's columns, and the place of each among the cells."""
    best: Mapping[str, int] = {}
    for nth, row in enumerate(rows[:_LOOKED]):
        places = dict(_places(row, declared))
        if "column" in places and len(places.keys() - {"stream"}) > 1:
            return nth, places
        best = max(best, places, key=len)
    said = {key: value for key in WORDS if (value := getattr(declared, key))}
    top = next((row for row in rows if len(row.cells) > 1), rows[0])
    for key, value in said.items():
        if key not in best:
            near = closest(value, top.cells)
            hint = f"did you mean `{near}`?" if near else f"the first row has {', '.join(top.cells)}"
            raise unusable(f"the dictionary has no column `{value}`, which `{key}:` names", top.place, hint)
    lacks = "spelling in the files" if "column" not in best else "new name, description, type or pii"
    hint = "say which is which: `dictionary: {path: …, column: CAMPO, name: NOME}`"
    raise unusable(f"no column of the dictionary seems to hold the {lacks}", top.place, hint)


def _places(row: Row, declared: Dictionary) -> Iterator[tuple[str, int]]:
    known = [_bare(cell) for cell in row.cells]
    for key, words in WORDS.items():
        meant: str | None = getattr(declared, key)
        wanted = words.split() if meant is None else [_bare(meant)] if meant else []
        hits = [nth for nth, cell in enumerate(known) if cell and cell in wanted]
        if len(hits) > 1:
            both = " and ".join(f"`{row.cells[nth]}`" for nth in hits[:2])
            hint = f"say which: `dictionary: {{path: …, {key}: {row.cells[hits[0]]}}}`"
            raise unusable(f"columns {both} of the dictionary may both be its `{key}`", row.place, hint)
        if hits:
            yield key, hits[0]


def _bare(text: str) -> str:
    """Write a name without accents: Descrição is descricao."""
    apart = unicodedata.normalize("NFKD", column_name(text))
    return "".join(c for c in apart if not unicodedata.combining(c))


def _cells(row: Row, width: int) -> Sequence[str]:
    if len(row.cells) > width and any(row.cells[width:]):
        raise unusable(f"the row has {len(row.cells)} fields where {width} are expected", row.place)
    # spreadsheets leave the last empty cells out
    return (*row.cells, *[""] * (width - len(row.cells)))


def _entry(row: Row, cells: Sequence[str], places: Mapping[str, int], declared: Dictionary) -> Entry:
    said = {key: cells[nth] for key, nth in places.items()}
    spelled, name = said["column"], said.get("name", "")
    if not column_name(spelled):
        raise unusable("the row does not say which column it is about", row.place)
    called = column_name(name)
    if name and not called:
        raise unusable(f"`{name}` leaves no name for `{spelled}`", row.place)
    if called in OWN:
        raise unusable(f"the name `{name}` is kept for Lagoa's own columns", row.place)
    return Entry(
        row.place,
        spelled,
        said.get("stream") or None,
        called or None,
        said.get("description") or None,
        _type(said.get("type", ""), declared, row.place),
        _personal(said.get("pii", "")),
    )


def _personal(said: str) -> str | None:
    word = said.casefold()
    if word in (*_NONE, *FALSE):
        return None
    return _PERSONAL if word in (*TRUE, "x") else said


def _type(said: str, declared: Dictionary, place: Place) -> str | None:
    """Return the declared type that a dictionary's words mean: `CHAR 10` is text, `DEC 13,2` what `types:` says."""
    if not said:
        return None
    ours = {word.casefold(): kind for word, kind in declared.types.items()}
    first = re.split(r"[\s(]", said, maxsplit=1)[0]
    kind = ours.get(said.casefold())
    if kind is None and first.casefold() in ours:
        kind = ours[first.casefold()]
        # the digits are the dictionary's to say
        kind += said[len(first) :] if kind.strip().lower() in ("decimal", "numeric") else ""
    plain = " ".join((kind or said).lower().split())
    if _WITH_LENGTH.fullmatch(plain):
        return "text"
    if digits := _DIGITS.fullmatch(plain):
        plain = f"decimal({digits[2]}, {digits[3] or 0})"
    try:
        declared_type(plain)
    except ValueError:
        hint = f"say what it means: `dictionary: {{path: …, types: {{{first}: …}}}}`; `type: ''` passes all types over"
        raise unusable(f"`{said}` is not a type", place, hint) from None
    return plain


def about(found: Sequence[Entry], stream: str) -> dict[str, Entry]:
    """Return what is said of a stream's columns, by their plain names; what names the stream wins.

    Raises ProjectError LG-116 when a column is there twice, or two would have one name.
    """
    general, own = dict[str, Entry](), dict[str, Entry]()
    for entry in found:
        if entry.stream is not None and column_name(entry.stream) != column_name(stream):
            continue
        known = (general if entry.stream is None else own).setdefault(entry.plain, entry)
        if _content(known) != _content(entry):
            raise unusable(f"`{entry.spelled}` is there a second time, otherwise than {_first(known)}", entry.place)
    chosen = {**general, **own}
    by_name: dict[str, Entry] = {}
    for entry in sorted(chosen.values(), key=lambda e: e.place.line or 0):
        other = by_name.setdefault(entry.called, entry)
        if other is not entry:
            message = f"`{other.spelled}` ({_first(other)}) and `{entry.spelled}` would both be called `{entry.called}`"
            hint = "give one of them another name; or say in a column `stream` which rows are about which stream"
            raise unusable(message, entry.place, hint)
    return chosen


def _content(entry: Entry) -> tuple[str | None, ...]:
    return entry.name, entry.description, entry.type, entry.pii


def _first(entry: Entry) -> str:
    return f"on line {entry.place.line}"
