"""Turns what DuckDB says of a file into an error that tells the user what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import duckdb

from lagoa.errors import LagoaError, SourceError


class _Meaning(NamedTuple):
    code: str
    said: str
    hint: str
    retry: bool


_BY_WORDS = (
    (
        r"Could not set lock|Unique file handle conflict",
        _Meaning("LG-201", "is locked by a writer", "run again when it is closed, or read a copy of it", True),
    ),
    (
        r"version number|newer|storage version",
        _Meaning(
            "LG-202", "is of a version that this DuckDB does not read", "upgrade DuckDB: pip install -U duckdb", False
        ),
    ),
    (
        r"not a valid DuckDB|encrypt",
        _Meaning("LG-202", "is no DuckDB database, or an encrypted one", "give the path of a plain DuckDB file", False),
    ),
    (r"Corrupt|checksum", _Meaning("LG-202", "is damaged", "restore it from a copy", False)),
    (
        r"disabled by configuration",
        _Meaning("LG-202", "reads other files or extensions", "read those by a source of their own", False),
    ),
    (r"Permission denied|Cannot open", _Meaning("LG-201", "cannot be opened", "let the file be read", False)),
)
_REFUSED = _Meaning("LG-202", "refuses", "mend the stream's `query:` or `cursor:`; nothing was written", False)


def explain(error: Exception, file: Path, path: str, what: str) -> Exception:
    """Say what DuckDB's error means while reading `what`; `path` is how the user calls `file`."""
    if isinstance(error, LagoaError) or not isinstance(error, duckdb.Error):
        return error
    words = str(error).replace(str(file), path).partition("\n")[0]
    meaning = next((m for pattern, m in _BY_WORDS if re.search(pattern, words)), _REFUSED)
    words = re.sub(r"\A[A-Z][A-Za-z/ -]* Error: |: Conflicting lock.*|\. See also.*", "", words)
    return SourceError(meaning.code, f"{what}: {path} {meaning.said}: {words}", hint=meaning.hint, retry=meaning.retry)


def silence(seconds: float, path: str, what: str) -> SourceError:
    """Say that no row has come for so long."""
    return SourceError(
        "LG-201",
        f"{what}: {path} gave nothing for {seconds:g} seconds",
        hint="run again; if the query is slow before its first row, raise the source's `idle_timeout`",
        retry=True,
    )
