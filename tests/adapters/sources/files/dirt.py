"""Writes dirty delimited files at random, knowing which cells must come of them and which records must be refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

DAMAGE = "\ue000"
"""Stands for a byte that no UTF-8 has, until the text is encoded."""
_LINE_END = re.compile("\r\n|\r|\n")
_FENCE = "fence"


@dataclass(frozen=True)
class Kind:
    """A declared type: how its column is declared, a value at random with its text, and texts that are no value."""

    declared: dict[str, Any]
    good: Callable[[Random], tuple[str, Any]]
    bad: tuple[str, ...] = ()


def _dotted(number: int) -> str:
    return f"{number:,}".replace(",", ".")


def _whole(random: Random) -> tuple[str, Any]:
    value = random.choice((0, 7, -1, 2**63 - 1, random.randrange(-(10**9), 10**9)))
    return random.choice((str(value), _dotted(value), f"{value},00")), value


def _decimal(random: Random) -> tuple[str, Any]:
    value = Decimal(random.randrange(-(10**9), 10**9)) / 100
    sign, whole, cents = "-" if value < 0 else "", int(abs(value)), f"{abs(value):.2f}"[-2:]
    return f"{sign}{random.choice((str(whole), _dotted(whole)))},{cents}{random.choice(('', '00'))}", value


def _day(form: str) -> Callable[[Random], tuple[str, Any]]:
    def good(random: Random) -> tuple[str, Any]:
        value = random.choice(
            (date(1, 1, 1), date(9999, 12, 31), date(1970, 1, 1) + timedelta(random.randrange(30000)))
        )
        return form.replace("%Y", f"{value.year:04}").replace("%m", f"{value:%m}").replace("%d", f"{value:%d}"), value

    return good


def _moment(random: Random) -> tuple[str, Any]:
    value = datetime(2000, 1, 1) + timedelta(microseconds=random.randrange(10**15))
    return value.isoformat(sep=random.choice(" T")), value


def _truth(random: Random) -> tuple[str, Any]:
    return random.choice((("sim", True), ("N", False), ("TRUE", True), ("0", False)))


TEXT = Kind({}, lambda _: ("", ""))
KINDS = (
    Kind({"type": "bigint", "decimal": ",", "thousands": "."}, _whole, ("1,5", "12.34", "1e3", "9223372036854775808")),
    Kind({"type": "decimal(12, 2)", "decimal": ",", "thousands": "."}, _decimal, ("1,239", "1.5", "NaN", "R$ 1")),
    Kind(
        {"type": "date", "format": "%d/%m/%Y"}, _day("%d/%m/%Y"), ("31/02/2024", "00/00/0000", "1/1/24", "2024-01-01")
    ),
    Kind({"type": "date", "format": "%Y%m%d"}, _day("%Y%m%d"), ("00000000", "20240230", "99999999", "2024-01-01")),
    Kind({"type": "timestamp"}, _moment, ("2024-01-31 24:00:00", "2024-01-31 10:00:00Z", "x")),
    Kind({"type": "boolean"}, _truth, ("maybe", "2")),
)
WORDS = ("a", "Zz", "0", "007", "x y", " ", "  ", "-", "'", "#", "\\", ".", "NULL", "NA", "\t", "1.234,56", "%", "{}")
ODD = ("\0", "\u2028", "\u00a0", "\ufffd", "ção", "日本", "🙂", "\x85", "\x1f", "\ufeff", "e\u0301")
LATIN = ("ãa", "ço", "é ", "€ ", "“a”b", "\u00a0x", "\x81-", "–-")
MARKS = (",", ";", "|", '"', '""', "\n", "\r\n", "\r", "\n\n")


@dataclass(frozen=True)
class Style:
    """How one file is written."""

    delimiter: str
    quote: str
    escape: str
    ends: tuple[str, ...]
    encoding: str
    said: str | None
    kinds: tuple[Kind, ...]
    header: bool
    comment: str | None
    trim: bool
    nulls: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """What cells are made of."""
        # a mark of UTF-16 and a NUL are a mark of UTF-32
        more = {"cp1252": LATIN, "cp850": ("ãa", "ço", "É"), "utf-16": ODD[1:]}.get(self.encoding, ODD)
        if not self.header:
            # at a file's start it would be a mark of UTF-8
            more = tuple(word for word in more if word != "\ufeff")
        return (*WORDS, *more, *MARKS)

    def value(self, cell: str | None) -> str | None:
        """Return the text that must come of a cell."""
        if cell is not None and self.trim:
            bare = cell.strip(" \t\u00a0")
            cell = bare if bare or not cell else None
        return None if cell in self.nulls else cell

    def encoded(self, text: str) -> bytes:
        """Return a file's bytes."""
        if self.encoding == "cp1252":
            return b"".join(bytes([ord(c)]) if c == "\x81" else c.encode("cp1252") for c in text)
        return text.encode(self.encoding).replace(DAMAGE.encode(), b"\xff")


@dataclass
class Dirt:
    """A file's bytes, how its stream is declared, and what must come of it, by the line where each record starts."""

    content: bytes
    stream: dict[str, Any]
    rows: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()


def styled(random: Random) -> Style:
    """Draw a style."""
    delimiter = random.choice((",", ";", "\t", "|", "||", "^", "::"))
    # what cannot stand in quotes must not hold the delimiter, as numbers hold commas
    quote = random.choice(('"', '"', '"', "'", "" if delimiter != "," else '"'))
    escape = random.choice((quote, quote, quote, "\\", "")) if quote else ""
    encoding, said = random.choice(
        [
            *(("utf-8", None), ("utf-8", "utf-8"), ("utf-8-sig", None), ("utf-16", None), ("utf-16-le", "utf-16-le")),
            *(("cp1252", None), ("cp1252", "latin-1"), ("cp850", "cp850")),
        ]
    )
    kinds = tuple(
        random.choice(KINDS) if random.random() < 0.3 else TEXT for _ in range(random.choice((1, 2, 2, 3, 5, 9)))
    )
    return Style(
        delimiter,
        quote,
        escape,
        random.choice((("\n",), ("\n",), ("\r\n",), ("\r",), ("\n", "\r\n"), ("\n", "\r\n", "\r"))),
        encoding,
        said,
        kinds,
        random.random() < 0.8,
        random.choice((None, None, "#", "%")),
        random.random() < 0.2,
        random.choice(((), (), ("NULL", "NA", "-"), ("", "NULL"))),
    )


class Writer:
    """Writes one file, element by element."""

    def __init__(self, random: Random) -> None:
        self.random, self.style = random, styled(random)
        self.text, self.line = "", 1
        self.dirt = Dirt(b"", {})
        self.quotes = True
        """Whether a quote may stand in what is written: not where one is open."""

    def wrote(self) -> Dirt:
        """Write it."""
        style, random = self.style, self.random
        width = len(style.kinds)
        preamble = random.choice((0, 0, 0, 1, 3))
        for _ in range(preamble):
            self.put(random.choice(("Report of May", "", 'by "hand', "a,b;c|d", "# x")))
        names = [f"c{i}" for i in range(width)]
        if style.header:
            self.put(style.delimiter.join(self.cell(name, not i) for i, name in enumerate(names)))
        for _ in range(random.choice((0, 1, 5, 20, 60))):
            random.choices(*zip(*self.elements(), strict=True))[0]()
        while width == 1 and random.random() < 0.3 and not style.header:
            self.good()
        ended = random.random() < 0.8 or self.text.endswith(("\r\n\r\n", "\n\n", "\r\r")) or not self.dirt.rows
        text = self.text if ended else self.text.removesuffix("\n").removesuffix("\r")
        if not ended and width == 1 and (not text or _LINE_END.search(text[-1:])):
            text = self.text
        return self._declared(text, preamble, names)

    def _declared(self, text: str, preamble: int, names: list[str]) -> Dirt:
        style, dirt = self.style, self.dirt
        dirt.content, dirt.names = style.encoded(text), tuple(names)
        said: dict[str, Any] = {
            "path": "x.csv",
            "delimiter": style.delimiter,
            "quote": style.quote,
            "escape": style.escape,
            "header": style.header,
            "skip": preamble,
            "comment": style.comment,
            "trim": style.trim,
            "null_values": style.nulls or None,
            "encoding": style.said,
            "names": None if style.header else names,
            "columns": {n: k.declared for n, k in zip(names, style.kinds, strict=True) if k.declared},
        }
        dirt.stream = {key: value for key, value in said.items() if value is not None}
        return dirt

    def elements(self) -> list[tuple[Callable[[], None], int]]:
        """Name what may come next, and how often."""
        style = self.style
        found: list[tuple[Callable[[], None], int]] = [(self.good, 20), (self.trailing, 2), (self.long, 1)]
        if len(style.kinds) > 1:
            found += [(self.blank, 1), (self.short, 1)]
        if style.comment:
            found.append((self.remark, 2))
        if style.quote:
            found += [(self.garbage, 1), (self.unclosed, 1)]
        if style.said == "utf-8" or style.encoding == "utf-8-sig":
            found.append((self.damaged, 1))
        if any(k.bad for k in style.kinds):
            found.append((self.bad, 2))
        return found

    # ------------------------------------------------------------ what stands in a file
    def put(self, text: str) -> int:
        """Write an element and a line end; return its line."""
        end = self.random.choice(self.style.ends)
        if not text and self.text.endswith("\r") and end == "\n":
            end = "\r"
        line = self.line
        self.text += text + end
        self.line += len(_LINE_END.findall(text)) + 1
        return line

    def good(self) -> None:
        cells, values = self.drawn()
        self.dirt.rows[self.put(self.record(cells))] = values

    def trailing(self) -> None:
        cells, values = self.drawn()
        record = self.record(cells) + self.style.delimiter * self.random.randrange(1, 3)
        self.dirt.rows[self.put(record)] = values

    def long(self) -> None:
        cells, _ = self.drawn()
        self.dirt.refused[self.put(self.record([*cells, "more"]))] = "where"

    def short(self) -> None:
        cells, _ = self.drawn()
        self.dirt.refused[self.put(self.record(["x", *cells[1:]][: self.random.randrange(1, len(cells))]))] = "where"

    def blank(self) -> None:
        self.put("")

    def remark(self) -> None:
        self.put(f"{self.style.comment} {self.random.choice(('a', ',,;;', 'x y'))}")

    def garbage(self) -> None:
        cells, _ = self.drawn(multiline=False)
        record = [self.cell(cell, not i) for i, cell in enumerate(cells)]
        quote = self.style.quote
        record[self.random.randrange(len(record))] = f"{quote}in{quote}out"
        self.dirt.refused[self.put(self.style.delimiter.join(record))] = "after a closing quote"

    def unclosed(self) -> None:
        cells, _ = self.drawn(multiline=False)
        opened = [*cells[:-1], None]
        line = self.put(self.record(opened) + f"{self.style.quote}open")
        self.dirt.refused[line] = "never closed"
        self.quotes = False
        for _ in range(self.random.choice((0, 0, 1, 3))):
            self.good()
        self.quotes = True
        quote = self.style.quote
        values = [_FENCE, *([None] * (len(cells) - 1))]
        line = self.put(self.style.delimiter.join([f"{quote}{_FENCE}{quote}", *([""] * (len(cells) - 1))]))
        if self.style.kinds[0].bad:
            self.dirt.refused[line] = "c0: "
        else:
            self.dirt.rows[line] = tuple(values)

    def damaged(self) -> None:
        cells, _ = self.drawn()
        cells[self.random.randrange(len(cells))] = f"a{DAMAGE}b"
        self.dirt.refused[self.put(self.record(cells))] = "not valid utf-8"

    def bad(self) -> None:
        cells, _ = self.drawn()
        nth = self.random.choice([i for i, kind in enumerate(self.style.kinds) if kind.bad])
        cells[nth] = self.random.choice(self.style.kinds[nth].bad)
        self.dirt.refused[self.put(self.record(cells))] = f"c{nth}: "

    # ------------------------------------------------------------ cells
    def drawn(self, multiline: bool = True) -> tuple[list[str | None], tuple[Any, ...]]:
        """Draw a record's cells, and the values that must come of them."""
        cells: list[str | None] = []
        values: list[Any] = []
        for nth, kind in enumerate(self.style.kinds):
            if self.random.random() < 0.1:
                cells.append(None)
                values.append(None)
            elif kind.bad:
                text, value = kind.good(self.random)
                cells.append(text)
                values.append(value)
            else:
                cells.append(self._word(not nth, multiline))
                values.append(self.style.value(cells[-1]))
        for nth, cell in enumerate(cells):
            if not self.quotes and self._must(cell, not nth):
                cells[nth] = values[nth] = None
        return cells, tuple(values)

    def _word(self, first: bool, multiline: bool) -> str | None:
        style = self.style
        text = "".join(self.random.choices(style.words, k=self.random.choice((0, 1, 1, 2, 3, 6))))
        if not multiline:
            text = _LINE_END.sub("", text).replace(style.quote or "\0", "")
        if not style.escape and style.quote:
            text = text.replace(style.quote, "")
        if style.quote and self.quotes:
            return text
        drop = {*style.delimiter, *"\r\n", style.quote, style.comment or "" if first else ""}
        return "".join(c for c in text if c not in drop) or None

    def record(self, cells: Sequence[str | None]) -> str:
        """Write cells as one record."""
        return self.style.delimiter.join(self.cell(cell, not i) for i, cell in enumerate(cells))

    def cell(self, cell: str | None, first: bool) -> str:
        """Write a cell, in quotes when it must be or by chance."""
        style, random = self.style, self.random
        if cell is None:
            return ""
        if not style.quote or not self.quotes or not (self._must(cell, first) or random.random() < 0.3):
            return cell
        inside = cell
        if style.escape:
            if style.escape != style.quote:
                inside = inside.replace(style.escape, style.escape * 2)
            inside = inside.replace(style.quote, style.escape + style.quote)
        before, after = (" " * random.choice((0, 0, 0, 0, 1, 2)) for _ in "ab")
        return f"{before}{style.quote}{inside}{style.quote}{after}"

    def _must(self, cell: str | None, first: bool) -> bool:
        """Say whether a cell can only be written in quotes."""
        if cell is None:
            return False
        style = self.style
        marks = any(c in cell for c in {*style.delimiter, "\n", "\r"})
        opens = bool(style.quote) and cell.lstrip(" ").startswith(style.quote)
        remark = first and bool(style.comment) and cell.startswith(style.comment or "")
        return not cell or marks or opens or remark


def dirty(seed: int) -> Dirt:
    """Write the file of a seed."""
    return Writer(Random(seed)).wrote()
