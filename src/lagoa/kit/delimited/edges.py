"""Where a delimited file's records start and end: after its title and header, before its footer, between pieces."""

from __future__ import annotations

from dataclasses import dataclass, field

from lagoa.kit.bundle import Record
from lagoa.kit.delimited.grammar import Grammar
from lagoa.kit.delimited.records import Buffer, Lines, Records
from lagoa.kit.pieces import last_line_end

LONGEST_RECORD = 256 << 20
"""Bytes within which a quote is closed, or it never is: as much is held in memory at most."""


@dataclass
class Head:
    """What stands before the records: `end` is where they start, `header` the records that name the columns."""

    end: int
    header: list[Record] = field(default_factory=list)


def head(buffer: Buffer, start: int, end: int, grammar: Grammar, ended: bool = True) -> Head:
    """Return the head of a file that starts with some bytes; it takes all of them when there are more of it to come."""
    text, place = Lines(buffer, start, end), start
    for _ in range(grammar.dialect.skip):
        place = text.line_end(place)[1]
    found = Head(place)
    if not grammar.dialect.header:
        return found
    kept = Records(Lines(buffer, place, end, ended=ended), grammar, None, most=1)
    for record in kept:
        if record.text:
            found.header.append(record)
        found.end = kept.place if record.reason is None else _line_after(text, found.end, record)
        if len(found.header) == grammar.dialect.header:
            return found
    return Head(end, found.header)


def _line_after(text: Lines, place: int, record: Record) -> int:
    """Return where the line after a damaged record's first one starts: no more of it is taken for a header."""
    return text.line_end(text.buffer.index(record.text, place, text.end))[1]


def before_footer(buffer: Buffer, start: int, end: int, lines: int) -> int:
    """Return where the last lines start, blank ones not counted."""
    text = Lines(buffer, start, end)
    for _ in range(lines):
        while end > start and buffer[end - 1] in b"\r\n":
            end -= 1
        end = text.line_start(end, start)
    return end


@dataclass
class Cutter:
    """Says where the last whole record of some text ends; the first piece holds all of the head."""

    grammar: Grammar
    _headed: bool = False

    def __call__(self, buffer: Buffer, start: int, end: int) -> int:
        """Return it, or `start` when more must be read first."""
        stop = last_line_end(buffer, start, end)
        body = start if self._headed else head(buffer, start, stop, self.grammar, ended=False).end
        if self.grammar.dialect.skip_last:
            stop = before_footer(buffer, body, stop, self.grammar.dialect.skip_last)
        if not self.grammar.surely_outside(buffer, body, stop):
            kept = Records(Lines(buffer, body, stop, ended=end - start > LONGEST_RECORD), self.grammar, None)
            for _ in kept.runs():
                pass
            stop = kept.place
        self._headed = self._headed or stop > body
        return stop if stop > body else start
