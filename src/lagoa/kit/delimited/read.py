"""Delimited files become portions: big ones piece by piece, small ones together, each record with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lagoa.errors import SourceError
from lagoa.kit.bundle import SMALL, Bundle, Noted, Record
from lagoa.kit.column_names import column_names
from lagoa.kit.delimited.dialect import LONGEST, Dialect
from lagoa.kit.delimited.records import ENCODING, Grammar, records
from lagoa.kit.encoding import Decoder, is_utf8
from lagoa.kit.landing import Found, printable
from lagoa.kit.pieces import PIECE, Opened, Piece, Scratch, last_line_end, pieces
from lagoa.kit.shape import Shape, listed_in
from lagoa.kit.text import listed, literal
from lagoa.ports import Portion, Settled

_HEAD = 1 << 18


@dataclass(frozen=True)
class Text:
    """How a stream's delimited files are read, beyond their dialect."""

    dialect: Dialect
    encoding: str = "auto"
    names: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    null_values: tuple[str, ...] = ()
    trim: bool = False


class Delimited:
    """The CSV and TSV format."""

    def __init__(self, text: Text, scratch: Scratch, noted: Noted, small: int = SMALL, piece: int = PIECE) -> None:
        self.text, self.scratch, self.noted, self._small, self._piece = text, scratch, noted, small, piece
        self.grammar = Grammar(text.dialect)
        self._heads: dict[str, tuple[str, ...]] = {}
        self._dirty: set[str] = set()

    def schema(self, files: Sequence[Found]) -> dict[str, pa.DataType]:
        """Return the columns of all files, in order of appearance: text, until a type is declared."""
        return {name: pa.string() for found in files for name in self.columns(found)}

    def columns(self, found: Found) -> tuple[str, ...]:
        """Return the names of a file's columns, () for an empty file. Raises SourceError LG-206."""
        if found.name not in self._heads:
            self._heads[found.name] = self._columns(found)
        return self._heads[found.name]

    def _columns(self, found: Found) -> tuple[str, ...]:
        text, name = self.text, printable(found.name)
        with Opened(found, hashed=False) as opened:
            piece = next(pieces(opened, Decoder(text.encoding, name), last_line_end, _HEAD), None)
        first = self._first(piece.text().splitlines(keepends=True)) if piece else None
        if first is None:
            return ()
        if text.names and not text.dialect.header:
            return tuple(column_names(text.names, name))
        spelled = [f.decode("utf-8", "replace") for f in self.grammar.split(first[1])]
        if text.names and len(text.names) != len(spelled):
            raise SourceError(
                "LG-206",
                f"{name} has {len(spelled)} columns, `names:` has {len(text.names)}",
                hint="give one name for each column",
            )
        if not text.dialect.header:
            spelled = [f"column_{i}" for i in range(1, len(spelled) + 1)]
        return tuple(column_names(text.names or spelled, name, text.rename))

    def _first(self, lines: list[bytes]) -> tuple[int, bytes] | None:
        """Return the first record after the skipped lines, and the index of the line where it starts."""
        skip = self.text.dialect.skip
        for record in records(lines[skip:], skip, self.grammar, None):
            if record.text:
                return record.line, record.text
        return None

    def portions(self, files: Sequence[Found], shape: Shape) -> Iterator[Portion]:
        """Yield the portions of some files, in order."""
        bundles: dict[tuple[str, ...], Bundle] = {}
        for found in files:
            arrives = self.columns(found)
            for piece in self._pieces(found):
                if found.expected > self._small and found.name not in self._dirty and self._is_plain(piece):
                    yield self._plain(found, piece, arrives, shape)
                    continue
                bundle = bundles.setdefault(arrives, Bundle(arrives))
                self._judge(bundle, found, piece)
                if bundle.size >= SMALL:
                    yield self._bundled(bundles.pop(arrives), shape)
        for bundle in bundles.values():
            yield self._bundled(bundle, shape)

    def _pieces(self, found: Found) -> Iterator[Piece]:
        """Yield a file's pieces without the lines up to and with its header."""
        decoder = Decoder(self.text.encoding, printable(found.name))
        with Opened(found) as opened:
            start = True
            for piece in pieces(opened, decoder, self._cut, self._piece):
                yield self._headless(piece) if start else piece
                start = False
            self.noted.done(opened, decoder)

    def _headless(self, piece: Piece) -> Piece:
        dialect = self.text.dialect
        if not dialect.skip and not dialect.header:
            return piece
        lines = bytes(piece.view[:_HEAD]).splitlines(keepends=True)
        gone = dialect.skip
        if dialect.header and (first := self._first(lines)):
            gone = first[0] + 1 + first[1].count(b"\n")
        return piece.since(sum(map(len, lines[:gone])), gone)

    def _cut(self, buffer: bytes | bytearray, start: int, end: int) -> int:
        """Return where the last whole record of some text ends."""
        stop = last_line_end(buffer, start, end)
        if not self.grammar.quote or not Piece(buffer, start, stop, 1).count(self.grammar.quote) % 2:
            return stop
        lines = bytes(buffer[start:stop]).splitlines(keepends=True)
        return start + sum(map(len, lines[: unfinished(lines, self.grammar)]))

    def _is_plain(self, piece: Piece) -> bool:
        """Say whether DuckDB may read the piece as it is: valid, one kind of line end, nothing read loosely."""
        dialect, quote = self.text.dialect, self.grammar.quote
        if not piece.valid or dialect.comment:
            return False
        if quote and piece.has(quote) and (not dialect.doubles or piece.has(quote + b" ") or piece.has(b" " + quote)):
            return False
        returns = piece.count(b"\r")
        return not returns or returns == piece.count(b"\r\n") == piece.count(b"\n")

    def _plain(self, found: Found, piece: Piece, arrives: tuple[str, ...], shape: Shape) -> Portion:
        """Let DuckDB read a piece; when it gives fewer rows than there are lines, the records are told apart here."""
        path = self.scratch.write(piece.view)
        expected, line, size = piece.lines(), piece.line, len(piece)
        source = f"{literal(printable(found.name) + ':')} || (row_number() over () + {line - 1})"
        texts = {name: self._text(f"c{i}") for i, name in enumerate(arrives)}
        texts |= {name: literal(value) for name, value in found.levels if name in shape.levels}

        def settle(rows: int, _: Callable[[str], list[tuple[Any, ...]]]) -> Settled | Portion:
            if rows == expected:
                return Settled((), rows)
            # the next pieces of such a file are not worth the attempt
            self._dirty.add(found.name)
            bundle = Bundle(arrives)
            self._judge(bundle, found, Piece(path.read_bytes(), 0, size, line))
            return self._bundled(bundle, shape)

        return Portion(
            rows=shape.select(
                self.text.dialect.reads(path, [f"c{i}" for i in range(len(arrives))]),
                texts,
                source,
                self._raw(arrives, shape),
            ),
            settle=settle,
            label=printable(found.name),
            size=size,
            close=lambda: self.scratch.free(path),
        )

    def _judge(self, bundle: Bundle, found: Found, piece: Piece) -> None:
        lines = piece.text().splitlines(keepends=True)
        kept = records(lines, piece.line, self.grammar, len(bundle.arrives))
        if not piece.valid:
            kept = _decodable(kept)
        bundle.take(found, self._bare(kept), self.grammar.delimiter)

    def _bare(self, kept: Iterator[Record]) -> Iterator[Record]:
        """Take blanks away around quoted fields: DuckDB, told to be loose, would take the quotes for text."""
        quote = self.grammar.quote
        blanks = (b" " + quote, quote + b" ")
        for record in kept:
            if record.reason is None and quote and (blanks[0] in record.text or blanks[1] in record.text):
                record.text = self.grammar.bare(record.text)
            yield record

    def _bundled(self, bundle: Bundle, shape: Shape) -> Portion:
        path = self.scratch.write(*bundle.parts)
        names = ["f", "n", *(f"c{i}" for i in range(len(bundle.arrives)))]
        nth = "f::bigint + 1"
        files = listed(printable(found.name) for found in bundle.files)
        texts = {name: self._text(f"c{i}") for i, name in enumerate(bundle.arrives)}
        for level in shape.levels:
            texts[level] = f"{listed(dict(found.levels)[level] for found in bundle.files)}[{nth}]"
        read = bundle.settled(hide=bool(shape.dropped))
        longest = max(LONGEST, bundle.longest + 1000)
        return Portion(
            rows=shape.select(
                self.text.dialect.reads(path, names, longest, loose=True),
                texts,
                f"{files}[{nth}] || ':' || n",
                self._raw(bundle.arrives, shape),
            ),
            settle=lambda *_: read,
            label=bundle.label(),
            size=bundle.size,
            close=lambda: self.scratch.free(path),
        )

    def _text(self, column: str) -> str:
        text = column
        if self.text.trim:
            bare = f"trim({text}, ' \t\u00a0')"
            text = f"case when {text} = '' or {bare} <> '' then {bare} end"
        if self.text.null_values:
            text = f"case when not {listed_in(text, self.text.null_values)} then {text} end"
        return text

    def _raw(self, arrives: Sequence[str], shape: Shape) -> str:
        """Return SQL that writes a record's text again, without dropped columns."""
        dialect = self.text.dialect
        mark, quote = literal(dialect.delimiter), literal(dialect.quote)
        odd = [f"contains(c{{0}}, {t})" for t in (mark, quote, "chr(10)", "chr(13)") if t != "''"]
        quoted = f"{quote} || replace(c{{0}}, {quote}, {quote} || {quote}) || {quote}" if dialect.quote else "c{0}"
        one = f"case when c{{0}} is null then '' when c{{0}} = '' or {' or '.join(odd)} then {quoted} else c{{0}} end"
        kept = [i for i, name in enumerate(arrives) if name not in shape.dropped]
        return f"concat_ws({mark}, {', '.join(one.format(i) for i in kept)})" if kept else "''"


def unfinished(lines: list[bytes], grammar: Grammar) -> int:
    """Return the index of the line that opens a record which the lines do not end; their number when there is none."""
    last = 0
    for record in records(lines, 0, grammar, None):
        last = record.line
        if record.reason and grammar.opens.fullmatch(record.text) and _runs_out(lines, record.line + 1, grammar):
            return record.line
    return len(lines) if last >= 0 else 0


def _runs_out(lines: list[bytes], position: int, grammar: Grammar) -> bool:
    """Say whether nothing contradicts that the lines from `position` on are inside quotes to their end."""
    for line in lines[position:]:
        text = line.rstrip(b"\r\n")
        if grammar.quote in line and not (grammar.reopens.fullmatch(text) or grammar.inside.fullmatch(text)):
            return False
    return True


def _decodable(kept: Iterator[Record]) -> Iterator[Record]:
    for record in kept:
        if record.reason is None and not is_utf8(record.text):
            yield Record(record.line, record.text, ENCODING.format(encoding="utf-8"))
        else:
            yield record
