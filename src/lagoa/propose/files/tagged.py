"""Parts a file whose lines are records of several kinds, each told by its first field, as in `|C100|…|`."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from lagoa.kit.delimited.dialect import Dialect
from lagoa.kit.delimited.guess import Guess
from lagoa.kit.encoding import Decoder
from lagoa.kit.landing import Found, printable
from lagoa.kit.pieces import Opened, last_line_end, pieces

_MOST = 300
"""How many kinds there may be: more are no kinds."""


def is_tagged(head: bytes, mark: str) -> bool:
    """Say whether all lines of a text begin with a mark, a word that comes again, and the mark, and differ in width."""
    bare = re.escape(mark.encode())
    lines = [line for line in head.splitlines() if line]
    tags = [hit[1] for line in lines if (hit := re.match(rb"%b(\w+)%b" % (bare, bare), line))]
    several = 1 < len(set(tags)) <= len(lines) / 2 and len({line.count(mark.encode()) for line in lines}) > 1
    return several and len(tags) == len(lines)


def kinds_of(found: Found, dialect: Dialect) -> list[Guess]:
    """Return how each kind of records of a whole file is read; none when there are too many. Raises SourceError."""
    mark = re.escape(dialect.delimiter.encode())
    record = re.compile(rb"(?:\A|(?<=[\r\n]))%b(\w+)(%b[^\r\n]*)" % (mark, mark))
    widths: Counter[tuple[bytes, int]] = Counter()
    with Opened(found, hashed=False) as opened:
        for piece in pieces(opened, Decoder("auto", printable(found.name)), last_line_end, 4 << 20):
            widths.update((tag, rest.count(mark[-1:])) for tag, rest in record.findall(piece.text()))
    usual: dict[str, int] = {}
    for (tag, count), _ in widths.most_common():
        usual.setdefault(tag.decode(), count + 1)
    if len(usual) > _MOST:
        return []
    plain = replace(dialect, quote="", escape="", header=0, skip=0)
    begins = f"{dialect.delimiter}{{}}{dialect.delimiter}*"
    return [Guess(replace(plain, lines=begins.format(tag)), (), usual[tag], 1.0) for tag in sorted(usual)]
