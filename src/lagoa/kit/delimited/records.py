"""Finds the records of delimited text line by line: which lines make one, and which are damaged and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lagoa.kit.bundle import Record
from lagoa.kit.delimited.dialect import Dialect

UNCLOSED = "a quote is never closed"
GARBAGE = "there is text after a closing quote"
ENCODING = "it is not valid {encoding}"


@dataclass
class Grammar:
    """The regular expressions of a dialect, over bytes."""

    dialect: Dialect
    delimiter: bytes = field(init=False)
    quote: bytes = field(init=False)
    comment: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.delimiter = self.dialect.delimiter.encode()
        self.quote = self.dialect.quote.encode()
        self.comment = (self.dialect.comment or "").encode()
        if not self.quote:
            return
        q, d, e = re.escape(self.quote), re.escape(self.delimiter), re.escape(self.dialect.escape.encode())
        if self.dialect.doubles:
            inner = rb"[^%b]*+(?:%b%b[^%b]*+)*+" % (q, q, q, q)
        elif e:
            inner = rb"[^%b%b]*+(?:%b.[^%b%b]*+)*+" % (q, e, e, q, e)
        else:
            inner = rb"[^%b]*+" % q
        plain = rb"[^%b]*+" % d if len(self.delimiter) == 1 else rb"(?:(?!%b).)*+" % d
        quoted = rb" *+%b%b%b *+(?=%b|\Z)" % (q, inner, q, d)
        one = rb"(?:%b|(?! *+%b)%b)" % (quoted, q, plain)
        self.whole = re.compile(rb"%b(?:%b%b)*+" % (one, d, one), re.DOTALL)
        self.opens = re.compile(rb"(?:%b%b)*+ *+%b%b" % (one, d, q, inner), re.DOTALL)
        self.closes = re.compile(rb"%b%b *+(?:%b%b)*+" % (inner, q, d, one), re.DOTALL)
        self.reopens = re.compile(rb"%b%b *+(?:%b%b)*+%b *+%b%b" % (inner, q, d, one, d, q, inner), re.DOTALL)
        self.inside = re.compile(inner, re.DOTALL)
        self.fields = re.compile(rb"(%b)%b" % (one, d), re.DOTALL)

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
        """Return a well-formed record without blanks around its quoted fields."""
        fields = self.fields.findall(record + self.delimiter)
        return self.delimiter.join(f.strip(b" ") if f.lstrip(b" ").startswith(self.quote) else f for f in fields)

    def _unquote(self, text: bytes) -> bytes:
        bare = text.strip(b" ")
        if not bare.startswith(self.quote):
            return text
        inside = bare[len(self.quote) : -len(self.quote)]
        if self.dialect.doubles:
            return inside.replace(self.quote * 2, self.quote)
        escape = self.dialect.escape.encode()
        return re.sub(re.escape(escape) + rb"(.)", rb"\1", inside, flags=re.DOTALL) if escape else inside


def records(lines: list[bytes], first: int, grammar: Grammar, width: int | None) -> Iterator[Record]:
    """Yield the records of lines that keep their ends; `first` is the number of the first line in its file.

    `width` is the number of fields, None to take any. Blank lines (of a file with more than one column) and comments
    are no records. A quote that is not closed by a well-formed end of record gives up its own line alone: reading
    goes on with the next line.
    """
    position, count = 0, len(lines)
    quote, delimiter, comment = grammar.quote, grammar.delimiter, grammar.comment
    while position < count:
        text = lines[position].rstrip(b"\r\n")
        line = first + position
        position += 1
        if (not text and width != 1) or (comment and text.startswith(comment)):
            continue
        if not quote or quote not in text:
            yield _judged(line, text, text.count(delimiter) + 1, width, delimiter)
        elif grammar.whole.fullmatch(text):
            yield _judged(line, text, grammar.count(text), width, delimiter)
        elif not grammar.opens.fullmatch(text):
            yield Record(line, text, GARBAGE)
        else:
            end = _closing(lines, position, grammar)
            joined = b"".join(lines[position - 1 : end]).rstrip(b"\r\n") if end else b""
            fields = grammar.count(joined) if end else 0
            whole = _judged(line, joined, fields, width, delimiter)
            if end is None or whole.reason:
                yield Record(line, text, UNCLOSED)
            else:
                yield whole
                position = end


def _judged(line: int, text: bytes, fields: int, width: int | None, delimiter: bytes) -> Record:
    if width is None or fields == width:
        return Record(line, text)
    if fields > width and text.endswith(delimiter * (fields - width)):
        # nothing stands between the delimiters that are too many: many programs end a line so, and DuckDB agrees
        return Record(line, text[: -len(delimiter) * (fields - width)])
    return Record(line, text, f"it has {fields} field{'s' * (fields != 1)} where {width} are expected")


def _closing(lines: list[bytes], position: int, grammar: Grammar) -> int | None:
    """Return the index after the line that ends a quoted field opened before `position`; None: nothing ends it well."""
    for index in range(position, len(lines)):
        line = lines[index]
        if grammar.quote not in line:
            continue
        text = line.rstrip(b"\r\n")
        if grammar.closes.fullmatch(text):
            return index + 1
        if not (grammar.reopens.fullmatch(text) or grammar.inside.fullmatch(text)):
            return None
    return None
