"""Finds the records of delimited text: which lines make one, and which are damaged and why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice, pairwise

from lagoa.kit.bundle import Record, Run
from lagoa.kit.delimited.grammar import Grammar

UNCLOSED = "a quote is never closed"
GARBAGE = "there is text after a closing quote"
ENCODING = "it is not valid {encoding}"
_LINE_END = re.compile(rb"\r\n?|\n")

Buffer = bytes | bytearray


@dataclass
class Lines:
    """Whole lines of a file: `buffer[start:end]`, from line number `line` on.

    `ended` says that what its last quote opens cannot be closed by lines to come; `strays` that a quote inside a field
    that does not start with one is an ordinary character.
    """

    buffer: Buffer
    start: int
    end: int
    line: int = 1
    ended: bool = True
    strays: bool = True
    returns: bool = field(init=False)

    def __post_init__(self) -> None:
        self.returns = self.buffer.find(b"\r", self.start, self.end) >= 0

    def line_end(self, place: int) -> tuple[int, int]:
        """Return where the line at a place ends, without and with its line end."""
        found = _LINE_END.search(self.buffer, place, self.end)
        return (found.start(), found.end()) if found else (self.end, self.end)

    def line_start(self, place: int, least: int) -> int:
        """Return where the line at a place starts."""
        return max(self.buffer.rfind(b"\n", least, place), self.buffer.rfind(b"\r", least, place), least - 1) + 1

    def lines(self, start: int, end: int) -> int:
        """Count the line ends between two places."""
        ends = self.buffer.count(b"\n", start, end)
        if self.returns:
            ends += self.buffer.count(b"\r", start, end) - self.buffer.count(b"\r\n", start, end)
        return ends

    def part(self, start: int, end: int) -> bytes:
        """Return a copy of some bytes."""
        return bytes(self.buffer[start:end])


class Records:
    """Tells records apart, one after the other; `place` is where the next one starts.

    `width` is the number of fields, None to take any. Blank lines (of a file with more than one column) and lines that
    are passed over are no records. A quote that opens a field is closed by the next quote that can close it, be it
    lines away. When a line that can only start anew comes first, or nothing, the quote is never closed: its own
    line alone is given up, and so are lines below it that hold a stray quote, which may be inside or not.
    """

    def __init__(self, text: Lines, grammar: Grammar, width: int | None, most: int = 500) -> None:
        self._text, self._grammar, self._width, self._most = text, grammar, width, most
        self.place, self._line = text.start, text.line

    def __iter__(self) -> Iterator[Record]:
        for found in self.runs():
            if isinstance(found, Record):
                yield found
            else:
                yield from map(Record, found.lines, found.texts)

    def runs(self) -> Iterator[Run | Record]:
        """Yield all records: good ones in runs."""
        text = self._text
        good = self._grammar.good(self._width, text.strays)
        while self.place < text.end:
            hits, most, whole = good.finditer(text.buffer, self.place, text.end), 1, True
            # what comes after the first that is not good is looked for in the middle of it: in vain, so in small steps
            while whole and (batch := list(islice(hits, most))):
                run = self._run(batch)
                whole, most = len(run.texts) == most, min(2 * most, self._most)
                if run.texts:
                    yield run
            if self.place == text.end:
                return
            before = self.place
            yield from self._damaged()
            if self.place == before:
                return

    def _run(self, hits: list[re.Match[bytes]]) -> Run:
        texts = [hit[1] for hit in hits]
        if None in texts:
            del hits[texts.index(None) :]
            texts = texts[: len(hits)]
        if not hits:
            return Run((), ())
        start, self.place = hits[0].start(), hits[-1].end()
        ends = self._text.lines(start, self.place)
        lines: Sequence[int] = range(self._line, self._line + len(texts))
        unended = self._text.buffer[self.place - 1] not in b"\r\n"
        if ends + unended > len(texts):
            places = [*(hit.start() for hit in hits), self.place]
            count = self._text.lines
            lines = list(accumulate((count(a, b) for a, b in pairwise(places)), initial=self._line))[:-1]
        self._line += ends
        return Run(lines, texts)

    def _damaged(self) -> Iterator[Run | Record]:
        """Judge what is at the place where no good record is."""
        text, grammar, place, line = self._text, self._grammar, self.place, self._line
        if grammar.others is not None and (others := grammar.others.match(text.buffer, place, text.end)):
            self.place = others.end()
            self._line += text.lines(place, self.place)
            return
        bare, end = text.line_end(place)
        found = text.part(place, bare)
        reason = self._reason(found)
        if reason == UNCLOSED and text.strays:
            yield from self._opened(found, end)
            return
        self.place, self._line = end, line + 1
        if (found or self._width == 1) and not found.startswith(grammar.passed or b"\n"):
            yield Record(line, found, reason)

    def _reason(self, line: bytes) -> str:
        """Say what is wrong with a line that is no good record."""
        grammar = self._grammar
        if grammar.quote and grammar.quote in line:
            if not grammar.whole.fullmatch(line):
                return UNCLOSED if grammar.opens.fullmatch(line) else GARBAGE
            if not self._text.strays and not grammar.sure.fullmatch(line):
                return GARBAGE
        return self._wrong_width(line)

    def _wrong_width(self, record: bytes) -> str:
        fields = self._grammar.count(record)
        return f"it has {fields} field{'s' * (fields != 1)} where {self._width} are expected"

    def _opened(self, first: bytes, below: int) -> Iterator[Run | Record]:
        """Judge a record whose first line opens a quote and does not close it; `below` it the next line starts."""
        text, line = self._text, self._line
        bare, end, closed, damaged = self._closing(below)
        if closed:
            record = text.part(self.place, bare)
            self._line += text.lines(self.place, end)
            self.place = end
            yield Record(line, record, GARBAGE if damaged else self._wrong_width(record))
        elif end < text.end or text.ended:
            self._line += 1 + text.lines(below, end)
            self.place = end
            yield Record(line, first, UNCLOSED)
            between = Lines(text.buffer, below, end, line + 1, strays=False)
            yield from Records(between, self._grammar, self._width).runs()

    def _closing(self, place: int) -> tuple[int, int, bool, bool]:
        """Look for the line that closes a quote opened above `place`.

        Return where it ends, without and with its line end, True, and whether something on the way is damaged; or where
        the line starts that can only start anew (the end when there is none), and False.
        """
        text, grammar, damaged = self._text, self._grammar, False
        while (found := text.buffer.find(grammar.quote, place, text.end)) >= 0:
            start = text.line_start(found, place)
            bare, end = text.line_end(found)
            line = text.part(start, bare)
            if grammar.closes.fullmatch(line):
                return bare, end, True, damaged
            if not (grammar.reopens.fullmatch(line) or grammar.inside.fullmatch(line)):
                if grammar.sure.fullmatch(line):
                    return start, start, False, damaged
                damaged = True
            place = end
        return text.end, text.end, False, damaged


def records(text: bytes, first: int, grammar: Grammar, width: int | None) -> Iterator[Record]:
    """Yield the records of a text whose first line has a number."""
    yield from Records(Lines(text, 0, len(text), first), grammar, width)
