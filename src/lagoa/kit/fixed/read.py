"""Files of fixed width become portions: columns cut out of lines by DuckDB, lines of another length refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lagoa.kit.bundle import SMALL, Bundle, Noted, Record
from lagoa.kit.delimited.dialect import LONGEST, Dialect
from lagoa.kit.encoding import Decoder, is_utf8
from lagoa.kit.fixed import stored
from lagoa.kit.fixed.framed import Framed, hex_width
from lagoa.kit.fixed.slots import Slot, binary, length
from lagoa.kit.landing import Found, printable
from lagoa.kit.origins import origins
from lagoa.kit.pieces import PIECE, Opened, Piece, Scratch, last_line_end, pieces
from lagoa.kit.shape import Shape, cleaned
from lagoa.kit.text import literal
from lagoa.ports import Portion, Settled

_MARK = b"\x01"
_CONTROL = "it holds the control character 0x01"
# a control character that no text holds: a whole line is one field
_LINES = Dialect(delimiter="\x01", quote="", escape="")


@dataclass(frozen=True)
class Ruled:
    """How a stream's lines are read. `lines`: what records look like; `record_length`: bytes, without line ends."""

    slots: Sequence[Slot]
    encoding: str = "auto"
    lines: str | None = None
    record_length: int | None = None
    skip: int = 0
    skip_last: int = 0
    trim: bool = True
    null_values: tuple[str, ...] = ()


@dataclass
class FixedWidth:
    """The fixed width format."""

    written: Ruled
    scratch: Scratch
    noted: Noted
    small: int = SMALL
    piece: int = PIECE
    _dirty: set[str] = field(default_factory=set)

    def schema(self, files: Sequence[Found]) -> dict[str, Any]:
        """Return the declared columns: text, until a type is declared."""
        return {slot.name: pa.string() for slot in self.written.slots} if files else {}

    def portions(self, files: Sequence[Found], shape: Shape) -> Iterator[Portion]:
        """Yield the portions of some files, in order."""
        bundle = Bundle()
        for found in files:
            for piece in self._pieces(found):
                if found.expected > self.small and found.name not in self._dirty and self._is_plain(piece):
                    yield self._plain(found, piece, shape)
                    continue
                bundle.take(found, self._records(piece), _MARK)
                if bundle.size >= SMALL:
                    yield self._bundled(bundle, shape)
                    bundle = Bundle()
        if bundle.files:
            yield self._bundled(bundle, shape)

    # ------------------------------------------------------------ lines
    def _pieces(self, found: Found) -> Iterator[Piece]:
        """Yield a file's pieces without the lines that are skipped at both ends."""
        written = self.written
        # bytes that are no characters tell nothing of the encoding
        decoder = Decoder(self._encoding() if binary(written.slots) else written.encoding, printable(found.name))
        with self._opened(found) as opened:
            left = written.skip
            for piece in pieces(opened, decoder, self._cut, self.piece):
                kept = piece
                if left:
                    lines = piece.text().splitlines(keepends=True)[:left]
                    left -= len(lines)
                    kept = piece.since(sum(map(len, lines)), len(lines))
                if piece.last and written.skip_last:
                    kept = kept.until(_back(kept.buffer, kept.start, kept.end, written.skip_last))
                if len(kept):
                    yield kept
            self.noted.done(opened, decoder)

    def _opened(self, found: Found) -> Opened:
        if self.written.record_length is None:
            return Opened(found)
        return Framed(found, self.written.record_length, self._encoding(), binary(self.written.slots))

    def _encoding(self) -> str:
        return "latin-1" if self.written.encoding == "auto" else self.written.encoding

    def _cut(self, buffer: bytes | bytearray, start: int, end: int) -> int:
        """Cut after a line, so that those that are skipped at the end are all in the last piece."""
        stop = last_line_end(buffer, start, end)
        return _back(buffer, start, stop, self.written.skip_last) if self.written.skip_last else stop

    def _is_plain(self, piece: Piece) -> bool:
        """Say whether each line of a piece is a record that DuckDB may cut up as it is."""
        if not piece.valid or self.written.lines or piece.has(_MARK) or piece.has(b"\x1a"):
            return False
        if piece.starts(b"\n") or piece.starts(b"\r"):
            return False
        returns = piece.count(b"\r")
        return not returns or returns == piece.count(b"\r\n") == piece.count(b"\n")

    def _records(self, piece: Piece) -> Iterator[Record]:
        test = _like(self.written.lines) if self.written.lines else None
        for nth, ended in enumerate(piece.text().splitlines(keepends=True)):
            line = ended.rstrip(b"\r\n")
            if not line or line == b"\x1a":
                continue
            if not is_utf8(line):
                yield Record(piece.line + nth, line, "it is not valid utf-8")
            elif test is not None and test.fullmatch(line.decode()) is None:
                continue
            elif _MARK in line:
                what = _CONTROL if self.written.record_length is None else f"{_CONTROL} or a line end"
                yield Record(piece.line + nth, line, what)
            else:
                yield Record(piece.line + nth, line)

    # ------------------------------------------------------------ SQL
    def _plain(self, found: Found, piece: Piece, shape: Shape) -> Portion:
        path, expected, name = self.scratch.write(piece.view), piece.lines(), printable(found.name)
        line, size = piece.line, len(piece)

        def settle(rows: int, _: Callable[[str], list[tuple[Any, ...]]]) -> Settled | Portion:
            if rows == expected:
                return Settled((), rows)
            self._dirty.add(found.name)
            bundle = Bundle()
            bundle.take(found, self._records(Piece(path.read_bytes(), 0, size, line)), _MARK)
            return self._bundled(bundle, shape)

        source = f"{literal(name + ':')} || (row_number() over () + {line - 1})"
        levels = {level: literal(value) for level, value in found.levels if level in shape.levels}
        return Portion(
            rows=self._select(_LINES.reads(path, ["line"]), shape, source, levels),
            settle=settle,
            label=name,
            size=size,
            close=lambda: self.scratch.free(path),
        )

    def _bundled(self, bundle: Bundle, shape: Shape) -> Portion:
        path, where = self.scratch.write(*bundle.parts), origins(bundle.files, shape.levels, self.scratch)
        read = bundle.settled(hide=bool(shape.dropped))
        lines = _LINES.reads(path, ["f", "n", "line"], max(LONGEST, bundle.longest + 1000))
        return Portion(
            rows=self._select(lines, shape, where.source, where.levels),
            settle=lambda *_: read,
            label=bundle.label(),
            size=bundle.size,
            close=lambda: self.scratch.free(path, where.path),
        )

    def _select(self, lines: str, shape: Shape, source: str, levels: Mapping[str, str]) -> str:
        written, wanted = self.written, length(self.written.slots)
        texts = dict(levels)
        places = self._places()
        for slot in written.slots:
            if slot.stored is not None:
                texts[slot.name] = cleaned(self._number(slot, places), False, written.null_values)
                continue
            text = f"substring(line, {slot.start}, {slot.width})"
            if written.trim:
                text = f"nullif({text}, '')"
            texts[slot.name] = cleaned(text, written.trim, written.null_values)
        if written.record_length is None:
            # blanks after the last column are nobody's
            fits, expected = f"length(line) >= {wanted} and length(rtrim(line)) <= {wanted}", wanted
        else:
            expected = written.record_length
            whole = expected + sum(map(hex_width, binary(written.slots)))
            fits = f"length(line) = {whole} and length(rtrim(left(line, {expected}))) <= {wanted}"
        said = literal(f" characters where {expected} are expected")
        fault = f"case when not ({fits}) then 'it has ' || length(line) || {said} end"
        return shape.select(lines, texts, source, self._raw(shape, fits), fault=fault)

    def _places(self) -> dict[str, int]:
        """Return where the digits of binary columns stand in a line, counted from 1."""
        place, found = (self.written.record_length or 0) + 1, dict[str, int]()
        for slot in binary(self.written.slots):
            found[slot.name] = place
            place += hex_width(slot)
        return found

    def _number(self, slot: Slot, places: dict[str, int]) -> str:
        """Return SQL for the digits of a number that is not stored as text."""
        if slot.stored == "zoned":
            text = f"nullif(ltrim(substring(line, {slot.start}, {slot.width})), '')"
            return stored.zoned(text, self._encoding())
        hex = f"nullif(substring(line, {places[slot.name]}, {hex_width(slot)}), '')"
        if slot.stored == "packed":
            return stored.packed(hex)
        return stored.binary(hex, slot.width, slot.stored == "binary")

    def _raw(self, shape: Shape, fits: str) -> str:
        """Return SQL for the line as it came; without dropped columns, and then nothing of a line that does not fit."""
        if not shape.dropped:
            return "line"
        kept = [s for s in self.written.slots if s.name not in shape.dropped]
        places = self._places()
        parts = [
            f"substring(line, {places.get(slot.name, slot.start)}, "
            f"{hex_width(slot) if slot.name in places else slot.width})"
            for slot in kept
        ]
        return f"case when {fits} then concat_ws(' ', {', '.join(parts)}) else '…' end" if parts else "'…'"


def _back(buffer: bytes | bytearray, start: int, end: int, lines: int) -> int:
    """Return where the last lines before `end` begin; `start` when there are no more."""
    place = end
    for _ in range(lines):
        if place <= start:
            break
        # a line's own end is not the end of the one before
        body = place - 2 if buffer[max(start, place - 2) : place] == b"\r\n" else place - 1
        body = body if buffer[place - 1] in b"\r\n" else place
        place = max(buffer.rfind(b"\n", start, body), buffer.rfind(b"\r", start, body)) + 1 or start
    return max(start, place)


def _like(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern), re.DOTALL)
