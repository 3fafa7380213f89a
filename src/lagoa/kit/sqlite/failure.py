"""Turns what SQLite says into an error that tells the user what to do."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from lagoa.errors import LagoaError, SourceError


class _Meaning(NamedTuple):
    code: str
    said: str
    hint: str
    retry: bool


_LOCKED = _Meaning("LG-201", "is locked by a writer", "run again when it is done, or raise `busy_timeout`", True)
_BY_CODE = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_PROTOCOL: _LOCKED,
    sqlite3.SQLITE_NOTADB: _Meaning(
        "LG-202", "is no SQLite database, or an encrypted one", "give the path of a plain SQLite file", False
    ),
    sqlite3.SQLITE_CORRUPT: _Meaning(
        "LG-202", "is damaged", "`pragma integrity_check` says where; restore it from a copy", False
    ),
    sqlite3.SQLITE_CANTOPEN: _Meaning(
        "LG-201", "cannot be opened", "let it be read; one with a -wal file needs a folder that can be written", False
    ),
    sqlite3.SQLITE_READONLY: _Meaning(
        "LG-201", "cannot be read without writing", "open it once with what wrote it, so that it recovers", False
    ),
    sqlite3.SQLITE_IOERR: _Meaning("LG-201", "cannot be read", "check the disk; nothing was written", True),
}
_REFUSED = _Meaning("LG-202", "refuses", "mend the stream's `query:` or `cursor:`; nothing was written", False)


def explain(error: Exception, path: str, what: str) -> Exception:
    """Say what a driver's error means while reading `what`; errors that are not SQLite's pass unchanged."""
    if isinstance(error, LagoaError) or not isinstance(error, sqlite3.Error):
        return error
    number = getattr(error, "sqlite_errorcode", None)
    meaning = _BY_CODE.get(number & 0xFF, _REFUSED) if number is not None else _REFUSED
    said = f"{what}: {path} {meaning.said}: {error}"
    return SourceError(meaning.code, said, hint=meaning.hint, retry=meaning.retry)


def silence(seconds: float, path: str, what: str) -> SourceError:
    """Say that no row has come for so long."""
    return SourceError(
        "LG-201",
        f"{what}: {path} gave nothing for {seconds:g} seconds",
        hint="run again; if the query is slow before its first row, raise the source's `idle_timeout`",
        retry=True,
    )
