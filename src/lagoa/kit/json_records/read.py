"""JSON files become portions: pieces that are surely valid as they are, all others record by record."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from lagoa.kit.bundle import SMALL, Bundle, Noted, Record
from lagoa.kit.column_names import column_names
from lagoa.kit.delimited.dialect import LONGEST, Dialect
from lagoa.kit.encoding import Decoder
from lagoa.kit.json_records.document import Document
from lagoa.kit.json_records.strict import DOUBT, Judge
from lagoa.kit.json_records.structure import Structure, arrow, guarded, merged, settled, written
from lagoa.kit.landing import Found, printable
from lagoa.kit.pieces import PIECE, Opened, Piece, Scratch, last_line_end, pieces
from lagoa.kit.shape import Shape
from lagoa.kit.text import listed, literal
from lagoa.ports import Portion, Settled

Ask = Callable[[str], list[tuple[Any, ...]]]
"""Runs a query in a private DuckDB."""

# a control character stands in no JSON text, so a whole line is one field
_LONG, _QUOTED = r"([:\[,][ \t]*)(-?[0-9]{16,})([ \t]*[,}\]])", r'\1"\2"\3'
_LINES = Dialect(delimiter="\x01", quote="", escape="")


@dataclass(frozen=True)
class Plain:
    """A piece of a file that DuckDB may read as it is."""

    found: Found
    piece: Piece


@dataclass
class JsonRecords:
    """The JSON and NDJSON formats. `document`: the file is one value, or looks like it; `path`: where its list is."""

    scratch: Scratch
    noted: Noted
    ask: Ask
    document: bool = False
    path: tuple[str, ...] = ()
    encoding: str = "auto"
    rename: Mapping[str, str] = field(default_factory=dict)
    small: int = SMALL
    piece: int = PIECE
    longest: int = 512 << 20
    """Bytes of the largest document: it is held in memory."""
    carries: bool = False
    """Whether the columns and types of files that were read before hold for those that follow."""
    proven: bool = False
    """Whether each line is known to be an object that was judged before."""
    _found: Structure = None
    _keys: dict[str, str] = field(default_factory=dict)
    _wide: Structure = None
    _structure: dict[str, Structure] = field(default_factory=dict)
    _plain: dict[tuple[str, int], bool] = field(default_factory=dict)
    _judge: Judge = field(default_factory=Judge)

    def schema(self, files: Sequence[Found]) -> dict[str, pa.DataType]:
        """Read all records once and return their columns. Raises SourceError LG-206."""
        structure = self._found if self.carries else None
        self._wide = self._wide if self.carries else None
        for unit in self._units(files):
            if isinstance(unit, Bundle):
                path = self.scratch.write(*unit.parts)
                structure = merged(structure, self._group(self._bundle_lines(path, unit)))
            else:
                path = self.scratch.write(unit.piece.view)
                structure = merged(structure, self._group(self._piece_lines(path)))
            self.scratch.free(path)
        self._found = structure
        found = guarded(structure, self._wide) if isinstance(structure, dict) else {}
        self._structure = {key: settled(kind) for key, kind in found.items()}
        spelled = {key: key.replace("\x00", "") or "unnamed" for key in found}
        first = printable(files[0].name) if files else ""
        self._keys = dict(zip(found, column_names(list(spelled.values()), first, self.rename), strict=True))
        self.noted.digests.clear()
        return {self._keys[key]: arrow(kind) for key, kind in self._structure.items()}

    def portions(self, files: Sequence[Found], shape: Shape) -> Iterator[Portion]:
        """Yield the portions of some files, in order; `schema` was asked before."""
        for unit in self._units(files):
            yield self._bundled(unit, shape) if isinstance(unit, Bundle) else self._as_it_is(unit, shape)

    # ------------------------------------------------------------ units of reading
    def _units(self, files: Sequence[Found]) -> Iterator[Bundle | Plain]:
        bundle = Bundle(())
        for found in files:
            decoder = Decoder(self.encoding, printable(found.name))
            with Opened(found) as opened:
                nth = -1
                for nth, piece in enumerate(self._pieces(opened, decoder)):
                    if self._is_plain(found, nth, piece):
                        yield Plain(found, piece)
                        continue
                    bundle.take(found, self._records(piece), b"\x01")
                    if bundle.size >= SMALL:
                        yield bundle
                        bundle = Bundle(())
                if nth < 0 and self.document:
                    bundle.take(found, iter([Record(1, b"", "it is not valid JSON: the document is empty")]), b"\x01")
                self.noted.done(opened, decoder)
        if bundle.files:
            yield bundle

    def _pieces(self, opened: Opened, decoder: Decoder) -> Iterator[Piece]:
        if not self.document:
            return pieces(opened, decoder, last_line_end, self.piece)
        return pieces(opened, decoder, lambda _, start, __: start, self.piece, self.longest)

    def _is_plain(self, found: Found, nth: int, piece: Piece) -> bool:
        """Ask DuckDB whether each line is surely a valid object; small files and documents are not worth it."""
        if (found.name, nth) not in self._plain:
            plain = found.expected > self.small and not self.document and piece.valid and not piece.has(b"\r")
            # DuckDB takes a byte-order mark at the start of any file away
            plain = plain and not piece.buffer.startswith(BOM_UTF8, piece.start)
            self._plain[found.name, nth] = plain and self._sure(piece)
        return self._plain[found.name, nth]

    def _sure(self, piece: Piece) -> bool:
        path = self.scratch.write(piece.view)
        sure = f"json_valid(line) and line[1] = '{{' and not regexp_matches(line, {literal(DOUBT)})"
        try:
            return self.ask(f"select count(*) from {self._piece_lines(path)} where {sure}") == [(piece.lines(),)]
        finally:
            self.scratch.free(path)

    def _records(self, piece: Piece) -> Iterator[Record]:
        if self.document:
            text = _decoded(piece.text())
            if isinstance(text, str) and (self.path or Document(text, self._judge).alone()):
                yield from self._of_document(text)
                return
        if self.proven:
            for nth, line in enumerate(piece.text().splitlines()):
                yield Record(piece.line + nth, line)
            return
        for nth, line in enumerate(piece.text().split(b"\n")):
            text = _decoded(line.removesuffix(b"\r"))
            if isinstance(text, Record):
                yield Record(piece.line + nth, text.text, text.reason)
            elif text.strip(" \t\r\n"):
                yield self._judged(piece.line + nth, text)

    def _judged(self, line: int, text: str) -> Record:
        try:
            return Record(line, self._judge.judged(text).encode())
        except ValueError as error:
            return Record(line, text.encode(), str(error))

    def _of_document(self, text: str) -> Iterator[Record]:
        """Yield all records of a document, or one refusal of it as a whole."""
        try:
            found = list(Document(text, self._judge).records(self.path))
        except ValueError as error:
            yield Record(1, text[:1000].encode(), str(error))
            return
        for line, record in found:
            yield Record(line, record.encode())

    # ------------------------------------------------------------ SQL
    def _piece_lines(self, path: Path) -> str:
        return _LINES.reads(path, ["line"])

    def _bundle_lines(self, path: Path, bundle: Bundle) -> str:
        return _LINES.reads(path, ["f", "n", "line"], max(LONGEST, bundle.longest + 1000))

    def _group(self, lines: str) -> Structure:
        # a double rounds integers of more than 15 digits: as text they show in which columns they stand
        quoted = f"regexp_replace(line, {literal(_LONG)}, {literal(_QUOTED)}, 'g')"
        long = f"case when regexp_matches(line, {literal(_LONG)}) and json_valid({quoted}) then {quoted} end"
        sql = f"select json_group_structure(line::json), json_group_structure(({long})::json) from {lines}"
        found, wide = ((json.loads(text) if text else None) for text in self.ask(sql)[0])
        self._wide = merged(self._wide, wide)
        return found

    def _as_it_is(self, unit: Plain, shape: Shape) -> Portion:
        path = self.scratch.write(unit.piece.view)
        name = printable(unit.found.name)
        source = f"{literal(name + ':')} || (row_number() over () + {unit.piece.line - 1})"
        levels = {level: literal(value) for level, value in unit.found.levels}
        read = Settled((), unit.piece.lines())
        return Portion(
            rows=self._select(self._piece_lines(path), shape, source, levels),
            settle=lambda *_: read,
            label=name,
            size=len(unit.piece),
            close=lambda: self.scratch.free(path),
        )

    def _bundled(self, bundle: Bundle, shape: Shape) -> Portion:
        path = self.scratch.write(*bundle.parts)
        nth = "f::bigint + 1"
        names = listed(printable(found.name) for found in bundle.files)
        levels = {
            level: f"{listed(dict(found.levels)[level] for found in bundle.files)}[{nth}]" for level in shape.levels
        }
        read = bundle.settled(hide=bool(shape.dropped))
        return Portion(
            rows=self._select(self._bundle_lines(path, bundle), shape, f"{names}[{nth}] || ':' || n", levels),
            settle=lambda *_: read,
            label=bundle.label(),
            size=bundle.size,
            close=lambda: self.scratch.free(path),
        )

    def _select(self, lines: str, shape: Shape, source: str, levels: dict[str, str]) -> str:
        declared = {key: self._keys[key] in shape.spellings for key in self._structure}
        kinds = {key: "VARCHAR" if declared[key] else kind for key, kind in self._structure.items()}
        kinds |= {k: "JSON" for k in kinds if declared[k] and shape.spellings[self._keys[k]].type.lower() == "json"}
        record = f"from_json(line, {literal(written(kinds))})" if kinds else "line"
        texts, values = dict(levels), {}
        for key, name in self._keys.items():
            value = f"_j[{literal(key)}]"
            if declared[key]:
                texts[name] = f"{value}::varchar"
            else:
                values[name] = value
        gone = {key: None for key, name in self._keys.items() if name in shape.dropped}
        raw = f"json_merge_patch(line, {literal(json.dumps(gone))})" if gone else "line"
        return shape.select(f"(select *, {record} as _j from {lines})", texts, source, raw, values)


def _decoded(line: bytes) -> Any:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return Record(0, line, "it is not valid utf-8")
