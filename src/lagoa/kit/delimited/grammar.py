"""What a dialect makes of bytes: the regular expressions of its fields and records."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lagoa.kit.delimited.dialect import Dialect


@dataclass
class Grammar:
    """The regular expressions of a dialect, over bytes."""

    dialect: Dialect
    delimiter: bytes = field(init=False)
    quote: bytes = field(init=False)
    escape: bytes = field(init=False)
    passed: tuple[bytes, ...] = field(init=False)
    """How lines start that are passed over."""
    others: re.Pattern[bytes] | None = None
    """Lines in a row that are not of the kind that is read."""
    _good: dict[tuple[int | None, bool], re.Pattern[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.delimiter, self.quote = self.dialect.delimiter.encode(), self.dialect.quote.encode()
        self.escape = self.dialect.escape.encode()
        self.passed = tuple(text.encode() for text in self.dialect.comment)
        q, d = re.escape(self.quote), re.escape(self.delimiter)
        if self.dialect.lines:
            line_end = rb"(?:\r\n?|\n)"
            self.others = re.compile(rb"(?:(?!%b)(?:[^\r\n]++(?:%b|\Z)|%b))++" % (self._kind(), line_end, line_end))
        if not self.quote:
            return
        inner, one = self._inner(), self._one()
        # without a stray quote in a field that does not start with one, what a line means does not hang on other lines
        sure = self._one(strays=False)
        self.whole = re.compile(rb"%b(?:%b%b)*+" % (one, d, one))
        self.opens = re.compile(rb"(?:%b%b)*+ *+%b%b" % (one, d, q, inner), re.DOTALL)
        self.sure = re.compile(rb"(?:%b%b)*+(?:%b| *+%b%b)" % (sure, d, sure, q, inner), re.DOTALL)
        self.closes = re.compile(rb"%b%b *+(?:%b%b)*+" % (inner, q, d, one), re.DOTALL)
        self.reopens = re.compile(rb"%b%b *+(?:%b%b)*+%b *+%b%b" % (inner, q, d, one, d, q, inner), re.DOTALL)
        self.inside = re.compile(inner, re.DOTALL)
        self.fields = re.compile(rb"(%b)%b" % (one, d), re.DOTALL)
        # each starts with what is quickly found
        self.padded = [
            re.compile(text)
            for text in (rb"%b  *+%b" % (d, q), rb"\n  *+%b" % q, rb"\r  *+%b" % q, rb"%b  *+(?:%b|[\r\n]|\Z)" % (q, d))
        ]
        quoted = rb"%b%b%b(?=[%b\r\n])" % (q, inner, q, d)
        simple = len(self.delimiter) == 1 and self.dialect.doubles and not self.passed and not self.others
        more = rb"|(?<=[%b\r\n])%b" % (d, quoted) if simple else b""
        self._quoted = re.compile(rb"(?:%b)?+(?:[^%b]++%b)*+" % (quoted, q, more))

    def _kind(self) -> bytes:
        """A line of the kind that is read."""
        one = rb"(?:[^\r\n\x80-\xff]|[\xc0-\xff][\x80-\xbf]*)"
        parts = ({"*": rb"[^\r\n]*", "?": one}.get(c, re.escape(c.encode())) for c in self.dialect.lines)
        return b"".join(parts) + rb"(?:[\r\n]|\Z)"

    def _inner(self) -> bytes:
        """What stands between the quotes around a field."""
        q, e = re.escape(self.quote), re.escape(self.escape)
        if self.dialect.doubles:
            return rb"[^%b]*+(?:%b%b[^%b]*+)*+" % (q, q, q, q)
        return rb"[^%b%b]*+(?:%b(?s:.)[^%b%b]*+)*+" % (q, e, e, q, e) if e else rb"[^%b]*+" % q

    def _one(self, strays: bool = True) -> bytes:
        """A field."""
        q, d = re.escape(self.quote), re.escape(self.delimiter)
        not_in = b"" if strays else q
        ahead = b"" if len(self.delimiter) == 1 else rb"(?!%b)" % d
        barred = d + not_in if len(self.delimiter) == 1 else not_in
        plain = rb"(?:%b[^%b\r\n])*+" % (ahead, barred) if ahead else rb"[^%b\r\n]*+" % barred
        if not self.quote:
            return plain
        # most fields start with neither a blank nor a quote: that is asked first
        usual = rb"%b[^ %b%b\r\n]%b" % (ahead, q, barred, plain)
        return rb"(?:%b| *+%b%b%b *+(?=%b|[\r\n]|\Z)|(?! *+%b)%b)" % (usual, q, self._inner(), q, d, q, plain)

    def good(self, width: int | None, strays: bool = True) -> re.Pattern[bytes]:
        """Return what matches a well-formed record of so many fields (None: any) and its line end, else nothing.

        Delimiters that are too many, with nothing between them, end many programs' lines: they are no part of it.
        """
        if (width, strays) not in self._good:
            d, one = re.escape(self.delimiter), self._one(strays)
            times = b"*+" if width is None else b"{%d}" % (width - 1)
            not_first = [rb"\Z", *map(re.escape, self.passed), *([rb"[\r\n]"] if width != 1 else [])]
            before = rb"(?!%b)" % b"|".join(not_first)
            before += rb"(?=%b)" % self._kind() if self.others else b""
            self._good[width, strays] = re.compile(
                rb"%b((?:%b%b)%b%b)(?:%b)*+(?:\r\n?|\n|\Z)|" % (before, one, d, times, one, d)
            )
        return self._good[width, strays]

    def is_odd(self, buffer: bytes | bytearray, start: int, end: int) -> bool:
        """Say whether DuckDB, told to be loose, may read records otherwise than meant; not so what `bare` gives."""
        if not self.quote or buffer.find(self.quote, start, end) < 0:
            return False
        if not self.dialect.doubles and self.escape and buffer.find(self.escape, start, end) >= 0:
            return True
        return buffer.startswith(b" ", start) or any(p.search(buffer, start, end) for p in self.padded)

    def surely_outside(self, buffer: bytes | bytearray, start: int, end: int) -> bool:
        """Say whether `end` is outside quotes, when that is quickly said: `start` is where a record starts."""
        # looking for a quote is ten times as fast as matching what has none
        if not self.quote or buffer.find(self.quote, start, end) < 0:
            return True
        found = self._quoted.match(buffer, start, end)
        return found is not None and found.end() == end

    def count(self, record: bytes) -> int:
        """Count the fields of a well-formed record."""
        if not self.quote or self.quote not in record:
            return record.count(self.delimiter) + 1
        return len(self.fields.findall(record + self.delimiter))

    def split(self, record: bytes) -> list[bytes]:
        """Return the fields of a well-formed record, unquoted."""
        if not self.quote or self.quote not in record:
            return record.split(self.delimiter)
        return [self._unquote(text) for text in self.fields.findall(record + self.delimiter)]

    def bare(self, record: bytes) -> bytes:
        """Return a well-formed record as DuckDB reads it: no blanks around quoted fields, quotes in them doubled."""
        fields = self.fields.findall(record + self.delimiter)
        quoted = (f.lstrip(b" ").startswith(self.quote) for f in fields)
        return self.delimiter.join(self._doubled(f) if q else f for f, q in zip(fields, quoted, strict=True))

    def _doubled(self, text: bytes) -> bytes:
        if self.dialect.doubles or self.escape not in text:
            return text.strip(b" ")
        return self.quote + self._unquote(text).replace(self.quote, self.quote * 2) + self.quote

    def _unquote(self, text: bytes) -> bytes:
        bare = text.strip(b" ")
        if not bare.startswith(self.quote):
            return text
        inside = bare[len(self.quote) : -len(self.quote)]
        if self.dialect.doubles:
            return inside.replace(self.quote * 2, self.quote)
        return re.sub(re.escape(self.escape) + rb"(.)", rb"\1", inside, flags=re.DOTALL) if self.escape else inside
