"""JSON files become portions: pieces that are surely valid as they are, all others record by record."""

from __future__ import annotations

import json
from array import array
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa

from lagoa.kit.bundle import SMALL, Bundle, Noted, Record, Run
from lagoa.kit.column_names import column_names
from lagoa.kit.delimited.dialect import LONGEST, Dialect
from lagoa.kit.encoding import Decoder
from lagoa.kit.json_records.document import Document
from lagoa.kit.json_records.sample import sample
from lagoa.kit.json_records.strict import Judge
from lagoa.kit.json_records.structure import Structure, arrow, guarded, settled, written
from lagoa.kit.json_records.survey import NOTHING, Ask, Survey
from lagoa.kit.landing import Found, printable
from lagoa.kit.origins import origins
from lagoa.kit.pieces import PIECE, Opened, Piece, Scratch, last_line_end, pieces
from lagoa.kit.shape import Shape
from lagoa.kit.text import literal
from lagoa.ports import Portion, Settled

# a control character stands in no JSON text, so a whole line is one field
_OUT = "-"
"""What stands for a line that was taken out, so that all others keep their numbers."""
_LINES = Dialect(delimiter="\x01", quote="", escape="")


@dataclass(frozen=True)
class Plain:
    """A piece of a file that DuckDB may read as it is, but for some lines, by number from 1, which were taken out.

    None: what its lines are is proven while they are read.
    """

    found: Found
    piece: Piece
    others: Sequence[int] | None = ()


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
    _survey: Survey | None = None
    _keys: dict[str, str] = field(default_factory=dict)
    _structure: dict[str, Structure] = field(default_factory=dict)
    _others: dict[tuple[str, int], Sequence[int] | None] = field(default_factory=dict)
    _judge: Judge = field(default_factory=Judge)
    _guesses: bool = False
    _doubtful: set[str] = field(default_factory=set)
    """Names of files that held lines which were not proven."""
    _lock: Any = field(default_factory=Lock)
    """Held by whoever judges: portions are settled in threads."""

    def guessed(self, files: Sequence[Found]) -> dict[str, pa.DataType] | None:
        """Return the columns of a sample of the records, so that each is read once; None: too little is told by one.

        `outgrown` says, once all portions are settled, whether some record had more than these columns hold: then
        nothing that was read may be kept. Raises SourceError LG-206.
        """
        if self.document or self.carries or sum(found.expected for found in files) <= self.small:
            return None
        survey = Survey(self.ask)
        path = self.scratch.write(sample(files, self.encoding))
        self._guesses = survey.guess(self._piece_lines(path))
        self.scratch.free(path)
        return self._columns(files, survey) if self._guesses else None

    @property
    def outgrown(self) -> bool:
        """Say whether the records that were judged have columns or types that were not guessed."""
        return self._guesses and self._survey is not None and _structure(self._survey) != self._structure

    def schema(self, files: Sequence[Found]) -> dict[str, pa.DataType]:
        """Read all records once and return their columns. Raises SourceError LG-206."""
        if self._guesses:
            self._guesses = False
            self._others.clear()
        if self._survey is None or not self.carries:
            self._survey = Survey(self.ask, proves=not self.carries)
        self._learn(files, self._survey)
        if self._survey.widened:
            self._others.clear()
            self._learn(files, self._survey)
        if self.carries:  # the next files may have the names of these
            self.noted.digests.clear()
        return self._columns(files, self._survey)

    def _columns(self, files: Sequence[Found], survey: Survey) -> dict[str, pa.DataType]:
        self._survey, self._structure = survey, _structure(survey)
        spelled = [key.replace("\x00", "") or "unnamed" for key in self._structure]
        first = printable(files[0].name) if files else ""
        self._keys = dict(zip(self._structure, column_names(spelled, first, self.rename), strict=True))
        return {self._keys[key]: arrow(kind) for key, kind in self._structure.items()}

    def _learn(self, files: Sequence[Found], survey: Survey) -> None:
        for unit in self._units(files, survey):
            if isinstance(unit, Bundle):
                self._group(unit, survey)

    def _group(self, bundle: Bundle, survey: Survey) -> None:
        path = self.scratch.write(*bundle.parts)
        survey.group(self._bundle_lines(path, bundle), "[f::bigint, n::bigint]")
        self.scratch.free(path)

    def portions(self, files: Sequence[Found], shape: Shape) -> Iterator[Portion]:
        """Yield the portions of some files, in order; `schema` or `guessed` was asked before."""
        survey = self._survey or Survey(self.ask)
        for unit in self._units(files, survey):
            if isinstance(unit, Bundle):
                if self._guesses:
                    with self._lock:
                        self._group(unit, survey)
                portion = self._bundled(unit, shape)
            else:
                portion = self._as_it_is(unit, shape) if unit.others is not None else self._proving(unit, shape, survey)
            if self.outgrown:
                portion.close()
                return
            yield portion

    # ------------------------------------------------------------ units of reading
    def _units(self, files: Sequence[Found], survey: Survey) -> Iterator[Bundle | Plain]:
        bundle = Bundle(())
        for found in files:
            decoder = Decoder(self.encoding, printable(found.name))
            with Opened(found) as opened:
                nth = -1
                for nth, piece in enumerate(self._pieces(opened, decoder)):
                    if self._guesses and found.name not in self._doubtful and self._is_plain(found, piece):
                        yield Plain(found, piece, None)
                        continue
                    with self._lock:
                        others = self._judged_apart(found, nth, piece, survey)
                    if others is not None:
                        yield Plain(found, piece, others)
                    if others is None or others:
                        self._take(bundle, found, piece, others)
                    if bundle.size >= SMALL:
                        yield bundle
                        bundle = Bundle(())
                if nth < 0 and self.document:
                    bundle.take(found, iter([Record(1, b"", "it is not valid JSON: the document is empty")]), b"\x01")
                self.noted.done(opened, decoder)
        if bundle.files:
            yield bundle

    def _take(self, bundle: Bundle, found: Found, piece: Piece, others: Sequence[int] | None) -> None:
        if self.proven and others is None:
            lines = piece.text().splitlines()
            bundle.take_runs(found, [Run(range(piece.line, piece.line + len(lines)), lines)], b"\x01")
            return
        with self._lock:
            bundle.take(found, self._records(piece, others), b"\x01")

    def _pieces(self, opened: Opened, decoder: Decoder) -> Iterator[Piece]:
        if not self.document:
            return pieces(opened, decoder, last_line_end, self.piece)
        return pieces(opened, decoder, lambda _, start, __: start, self.piece, self.longest)

    def _judged_apart(self, found: Found, nth: int, piece: Piece, survey: Survey) -> Sequence[int] | None:
        """Return the lines of a piece, numbered from 1, that are judged one by one while DuckDB reads the others.

        None: it is a document or a small file, or its lines are not sure to be told apart.
        """
        if (found.name, nth) not in self._others:
            self._others[found.name, nth] = self._surveyed(piece, survey) if self._is_plain(found, piece) else None
        return self._others[found.name, nth]

    def _is_plain(self, found: Found, piece: Piece) -> bool:
        """Say whether DuckDB may look at the piece as it is: valid, and of one kind of line end."""
        # DuckDB takes a byte-order mark at the start of any file away
        if found.expected <= self.small or self.document or not piece.valid:
            return False
        returns = piece.count(b"\r")
        return not piece.buffer.startswith(BOM_UTF8, piece.start) and (
            not returns or returns == piece.count(b"\r\n") == piece.count(b"\n")
        )

    def _surveyed(self, piece: Piece, survey: Survey) -> Sequence[int] | None:
        path = self.scratch.write(piece.view)
        try:
            others = survey.judge(self._piece_lines(path), piece.lines())
        finally:
            self.scratch.free(path)
        worth = others is not None and 2 * len(others) <= piece.lines()
        return array("q", others or ()) if worth else None

    def _records(self, piece: Piece, numbers: Sequence[int] | None) -> Iterator[Record]:
        """Yield the records of a piece, or of some of its lines alone."""
        if self.document:
            text = _decoded(piece.text())
            if isinstance(text, str) and (self.path or Document(text, self._judge).alone()):
                yield from self._of_document(text)
                return
        lines = piece.text().split(b"\n")
        for number in range(1, len(lines) + 1) if numbers is None else numbers:
            line = lines[number - 1].removesuffix(b"\r")
            text, place = _decoded(line), piece.line + number - 1
            if isinstance(text, Record):
                yield Record(place, text.text, text.reason)
            elif text.strip(" \t\r\n"):
                yield self._judged(place, text)

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

    def _as_it_is(self, unit: Plain, shape: Shape) -> Portion:
        others = unit.others or ()
        path = self.scratch.write(_without(unit.piece, others) if others else unit.piece.view)
        lines = self._numbered(path)
        if others:
            lines = f"(from {lines} where line <> {literal(_OUT)})"
        read = Settled((), unit.piece.lines() - len(others))
        return Portion(
            rows=self._select(lines, shape, *_places(unit)),
            settle=lambda *_: read,
            label=printable(unit.found.name),
            size=len(unit.piece),
            close=lambda: self.scratch.free(path),
        )

    def _proving(self, unit: Plain, shape: Shape, survey: Survey) -> Portion:
        """Read the lines that are as it was guessed; when these are not all, they are judged here."""
        path = self.scratch.write(unit.piece.view)
        found, line, size, expected = unit.found, unit.piece.line, len(unit.piece), unit.piece.lines()

        def settle(rows: int, _: Ask) -> Settled | Portion:
            if rows == expected:
                return Settled((), rows)
            # the next pieces of such a file are not worth the attempt
            self._doubtful.add(found.name)
            return self._judged_whole(found, Piece(path.read_bytes(), 0, size, line), shape, survey)

        return Portion(
            rows=self._select(survey.proven(self._numbered(path)), shape, *_places(unit), survey.held),
            settle=settle,
            label=printable(found.name),
            size=size,
            close=lambda: self.scratch.free(path),
        )

    def _judged_whole(self, found: Found, piece: Piece, shape: Shape, survey: Survey) -> Settled | Portion:
        with self._lock:
            others = self._surveyed(piece, survey)
        parts = [self._as_it_is(Plain(found, piece, others), shape)] if others is not None else []
        if others is None or others:
            bundle = Bundle(())
            self._take(bundle, found, piece, others)
            with self._lock:
                self._group(bundle, survey)
            parts.append(self._bundled(bundle, shape))
        portion = _together(parts)
        if self.outgrown:
            portion.close()
            return Settled()
        return portion

    def _numbered(self, path: Path) -> str:
        return f"(select *, row_number() over () as n from {self._piece_lines(path)})"

    def _bundled(self, bundle: Bundle, shape: Shape) -> Portion:
        path = self.scratch.write(*bundle.parts)
        where = origins(bundle.files, shape.levels, self.scratch)
        read = bundle.settled(hide=bool(shape.dropped))
        return Portion(
            rows=self._select(self._bundle_lines(path, bundle), shape, where.source, where.levels),
            settle=lambda *_: read,
            label=bundle.label(),
            size=bundle.size,
            close=lambda: self.scratch.free(path, where.path),
        )

    def _select(
        self,
        lines: str,
        shape: Shape,
        source: str,
        levels: Mapping[str, str],
        held: Mapping[str, Structure] | None = None,
    ) -> str:
        """Return the query of a portion. `held`: the structure of `_p`, which the lines were parsed into before."""
        declared = {key: self._keys[key] in shape.spellings for key in self._structure}
        kinds = {key: "VARCHAR" if declared[key] else kind for key, kind in self._structure.items()}
        kinds |= {k: "JSON" for k in kinds if declared[k] and shape.spellings[self._keys[k]].type.lower() == "json"}
        held = {key: kind for key, kind in (held or {}).items() if _serves(kind, kinds[key])}
        asked = {key: kind for key, kind in kinds.items() if key not in held}
        record = f"from_json(line, {literal(written(asked))})" if asked else "line"
        texts, values = dict(levels), {}
        for key, name in self._keys.items():
            value = f"{'_p' if key in held else '_j'}[{literal(key)}]"
            if declared[key]:
                texts[name] = f"{value}::varchar"
            else:
                values[name] = "null::varchar" if held.get(key) == NOTHING else value
        gone = {key: None for key, name in self._keys.items() if name in shape.dropped}
        raw = f"json_merge_patch(line, {literal(json.dumps(gone))})" if gone else "line"
        return shape.select(f"(select *, {record} as _j from {lines})", texts, source, raw, values)


def _structure(survey: Survey) -> dict[str, Structure]:
    """Return the columns of the records that were surveyed, in types that Delta holds."""
    found = guarded(survey.structure, survey.wide) if isinstance(survey.structure, dict) else {}
    return {key: settled(kind) for key, kind in found.items()}


def _serves(held: Structure, wanted: Structure) -> bool:
    """Say whether what was proven to be of one type need not be read again for another one, or for its text."""
    return held in (wanted, NOTHING) or (wanted == "VARCHAR" and held in ("BIGINT", "BOOLEAN"))


def _places(unit: Plain) -> tuple[str, dict[str, str]]:
    """Return SQL for where a line stands, and for the levels of its file."""
    name = printable(unit.found.name)
    levels = {level: literal(value) for level, value in unit.found.levels}
    return f"{literal(name + ':')} || (n + {unit.piece.line - 1})", levels


def _together(parts: Sequence[Portion]) -> Portion:
    """Make one portion of some that settle by themselves."""

    def settle(*asked: Any) -> Settled:
        found = [portion.settle(*asked) for portion in parts]
        rejects = [reject for settled in found if isinstance(settled, Settled) for reject in settled.rejects]
        return Settled(tuple(rejects), sum(settled.read or 0 for settled in found if isinstance(settled, Settled)))

    def close() -> None:
        for portion in parts:
            portion.close()

    rows = " union all ".join(f"({portion.rows})" for portion in parts)
    return Portion(rows, settle, parts[0].label, sum(portion.size or 0 for portion in parts), close)


def _without(piece: Piece, numbers: Sequence[int]) -> bytes:
    lines = piece.text().split(b"\n")
    for number in numbers:
        lines[number - 1] = _OUT.encode() + (b"\r" if lines[number - 1].endswith(b"\r") else b"")
    return b"\n".join(lines)


def _decoded(line: bytes) -> Any:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return Record(0, line, "it is not valid utf-8")
