"""Delimited files become portions: big ones piece by piece, small ones together, each record with its line."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pyarrow as pa

from lagoa.errors import SourceError
from lagoa.kit.bundle import SMALL, Bundle, Noted, Record
from lagoa.kit.column_names import column_names
from lagoa.kit.delimited.dialect import LONGEST, Dialect
from lagoa.kit.delimited.edges import Cutter, Head, before_footer, head
from lagoa.kit.delimited.grammar import Grammar
from lagoa.kit.delimited.records import ENCODING, Lines, Records
from lagoa.kit.encoding import Decoder, is_utf8
from lagoa.kit.landing import Found, printable
from lagoa.kit.origins import origins
from lagoa.kit.pieces import PIECE, Opened, Piece, Scratch, pieces
from lagoa.kit.shape import Shape, cleaned
from lagoa.kit.text import literal
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
        if text.names and not text.dialect.header:
            return tuple(column_names(text.names, name, text.rename))
        with Opened(found, hashed=False) as opened:
            parts = pieces(opened, Decoder(text.encoding, name), Cutter(self.grammar), _HEAD)
            rows = next((rows for nth, piece in enumerate(parts) if (rows := self._first(piece, not nth))), [])
        if not rows:
            return ()
        spelled = _joined(rows)
        if text.names and len(text.names) != len(spelled):
            raise SourceError(
                "LG-206",
                f"{name} has {len(spelled)} columns, `names:` has {len(text.names)}",
                hint="give one name for each column",
            )
        if not text.dialect.header:
            spelled = [f"column_{i}" for i in range(1, len(spelled) + 1)]
        return tuple(column_names(text.names or spelled, name, text.rename))

    def _first(self, piece: Piece, starts: bool) -> list[list[str]]:
        """Return the fields of the records that name the columns, or of the first one that is data."""
        start = head(piece.buffer, piece.start, piece.end, self.grammar) if starts else Head(piece.start)
        found = start.header
        if not self.text.dialect.header:
            body = self._footless(piece)
            found = list(islice(Records(Lines(body.buffer, start.end, body.end), self.grammar, None, most=1), 1))
        return [[f.decode("utf-8", "replace") for f in self.grammar.split(record.text)] for record in found]

    def portions(self, files: Sequence[Found], shape: Shape) -> Iterator[Portion]:
        """Yield the portions of some files, in order."""
        bundles: dict[tuple[str, ...], Bundle] = {}
        for found in files:
            arrives = self.columns(found)
            # without a record the file is read none the less, so that its hash is known
            for piece in self._pieces(found):
                if not arrives:
                    continue
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
            for piece in pieces(opened, decoder, Cutter(self.grammar), self._piece):
                kept = self._footless(self._headless(piece) if start else piece)
                if len(kept):
                    yield kept
                start = False
            self.noted.done(opened, decoder)

    def _headless(self, piece: Piece) -> Piece:
        end = head(piece.buffer, piece.start, piece.end, self.grammar).end
        return piece.since(end - piece.start, Lines(piece.buffer, piece.start, piece.end).lines(piece.start, end))

    def _footless(self, piece: Piece) -> Piece:
        lines = self.text.dialect.skip_last
        if not lines or not piece.last:
            return piece
        return piece.until(before_footer(piece.buffer, piece.start, piece.end, lines))

    def _is_plain(self, piece: Piece) -> bool:
        """Say whether DuckDB may read the piece as it is: valid, one kind of line end, nothing read loosely."""
        dialect, quote = self.text.dialect, self.grammar.quote
        # DuckDB takes a byte-order mark at the start of any file away
        if not piece.valid or piece.buffer.startswith(BOM_UTF8, piece.start):
            return False
        if self.grammar.others or any(piece.starts(mark) for mark in self.grammar.passed):
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
        text = Lines(piece.buffer, piece.start, piece.end, piece.line)
        records = Records(text, self.grammar, len(bundle.arrives))
        odd = self.grammar.is_odd(piece.buffer, piece.start, piece.end)
        if piece.valid and not odd:
            bundle.take_runs(found, records.runs(), self.grammar.delimiter)
            return
        kept = iter(records) if piece.valid else _decodable(iter(records))
        bundle.take(found, self._bare(kept) if odd else kept, self.grammar.delimiter)

    def _bare(self, kept: Iterator[Record]) -> Iterator[Record]:
        for record in kept:
            if record.reason is None and self.grammar.is_odd(record.text, 0, len(record.text)):
                record.text = self.grammar.bare(record.text)
            yield record

    def _bundled(self, bundle: Bundle, shape: Shape) -> Portion:
        path = self.scratch.write(*bundle.parts)
        names = ["f", "n", *(f"c{i}" for i in range(len(bundle.arrives)))]
        where = origins(bundle.files, shape.levels, self.scratch)
        texts = {name: self._text(f"c{i}") for i, name in enumerate(bundle.arrives)} | dict(where.levels)
        read = bundle.settled(hide=bool(shape.dropped))
        longest = max(LONGEST, bundle.longest + 1000)
        return Portion(
            rows=shape.select(
                self.text.dialect.reads(path, names, longest, loose=True),
                texts,
                where.source,
                self._raw(bundle.arrives, shape),
            ),
            settle=lambda *_: read,
            label=bundle.label(),
            size=bundle.size,
            close=lambda: self.scratch.free(path, where.path),
        )

    def _text(self, column: str) -> str:
        return cleaned(column, self.text.trim, self.text.null_values)

    def _raw(self, arrives: Sequence[str], shape: Shape) -> str:
        """Return SQL that writes a record's text again, without dropped columns."""
        dialect = self.text.dialect
        mark, quote = literal(dialect.delimiter), literal(dialect.quote)
        odd = [f"contains(c{{0}}, {t})" for t in (mark, quote, "chr(10)", "chr(13)") if t != "''"]
        quoted = f"{quote} || replace(c{{0}}, {quote}, {quote} || {quote}) || {quote}" if dialect.quote else "c{0}"
        one = f"case when c{{0}} is null then '' when c{{0}} = '' or {' or '.join(odd)} then {quoted} else c{{0}} end"
        kept = [i for i, name in enumerate(arrives) if name not in shape.dropped]
        return f"concat_ws({mark}, {', '.join(one.format(i) for i in kept)})" if kept else "''"


def _joined(rows: list[list[str]]) -> list[str]:
    """Return one name for each column; above, an empty cell goes on with what is left of it, as in merged cells."""
    width = max(map(len, rows))
    names = [""] * width
    for nth, row in enumerate(rows, 1):
        before = ""
        for i in range(width):
            cell = row[i].strip() if i < len(row) else ""
            before = cell or (before if nth < len(rows) else "")
            names[i] = f"{names[i]} {before}".strip()
    return rows[0] if len(rows) == 1 else names


def _decodable(kept: Iterator[Record]) -> Iterator[Record]:
    for record in kept:
        if record.reason is None and not is_utf8(record.text):
            yield Record(record.line, record.text, ENCODING.format(encoding="utf-8"))
        else:
            yield record
