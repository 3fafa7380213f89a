"""How a delimited file is written: its delimiter, quote and the like, and the SQL that reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lagoa.kit.text import literal

LONGEST = 2_000_000
"""Bytes of the longest record that DuckDB reads without being told."""


@dataclass(frozen=True)
class Dialect:
    """Delimiter, quote and escape are one or more characters; '' for the last two means there is none.

    `comment`: how lines start that are passed over. `lines`: what those look like that are not (`*` any text, `?` any
    character), '' for all. `header`: how many records name the columns. `skip`, `skip_last`:
    how many lines before and after all records are passed over; blank ones at the end do not count.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    comment: tuple[str, ...] = ()
    header: int = 1
    skip: int = 0
    skip_last: int = 0
    lines: str = ""

    @property
    def doubles(self) -> bool:
        """Say whether a quote inside quotes is written twice."""
        return self.escape == self.quote

    def reads(self, file: Path, names: Sequence[str], longest: int = LONGEST, loose: bool = False) -> str:
        """Return SQL for the records of a UTF-8 file without header, comments and blank lines, every column as text.

        Quotes inside quotes are doubled in it, whatever the escape of the dialect.

        A record that DuckDB cannot read is left out: whoever calls this counts. `loose` takes line ends of all
        kinds inside quotes. Quoted text is never null, an empty field is.
        """
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
        options = [
            f"columns = {{{columns}}}",
            # whoever calls has doubled the quotes: DuckDB takes another escape for one outside quotes, too
            f"delim = {literal(self.delimiter)}, quote = {literal(self.quote)}, escape = {literal(self.quote)}",
            "header = false, auto_detect = false, null_padding = false, ignore_errors = true, nullstr = ['']",
            f"allow_quoted_nulls = false, strict_mode = {'false' if loose else 'true'}",
        ]
        if loose:
            options.append("new_line = '\\n'")
        if longest > LONGEST:
            options.append(f"max_line_size = {longest}")
        # a glob in the name would be one: names of scratch files are ours and hold none
        return f"read_csv({literal(str(file))}, {', '.join(options)})"
