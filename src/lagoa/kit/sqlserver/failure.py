"""Turns what SQL Server's driver says into an error that tells the user what to do, without the password in it."""

from __future__ import annotations

import re
from typing import NamedTuple

from lagoa.errors import LagoaError, SourceError
from lagoa.kit.endpoint import Endpoint


class _Meaning(NamedTuple):
    code: str
    said: str
    hint: str
    retry: bool


_BY_WORDS = (
    (
        r"Login failed|Cannot open database|authenticat|certificate",
        _Meaning("LG-201", "let nobody in", "check user, password, database and `encrypt`", False),
    ),
    (
        r"Snapshot isolation transaction failed|ALLOW_SNAPSHOT_ISOLATION|allow snapshot isolation",
        _Meaning(
            "LG-202",
            "the database keeps no snapshots",
            "alter database … set allow_snapshot_isolation on, or say `snapshot: false`",
            False,
        ),
    ),
    (r"Invalid object name", _Meaning("LG-203", "no such table", "correct the stream's `table:` or `query:`", False)),
    (
        r"Invalid column name",
        _Meaning("LG-203", "no such column", "correct the stream's `cursor:`, `key:` or `query:`", False),
    ),
    (r"permission was denied", _Meaning("LG-202", "not allowed", "grant the user SELECT on it", False)),
    (
        r"deadlock|Lock request time out",
        _Meaning("LG-201", "the server gave up", "run again; nothing was written", True),
    ),
    (
        r"network-related|TCP Provider|timeout expired|not found or not accessible|Unable to connect|could not connect",
        _Meaning("LG-201", "cannot be reached", "check address and network; nothing was written", True),
    ),
    (
        r"[Cc]ommunication link failure|connection is closed|closed connection|forcibly closed|was terminated",
        _Meaning("LG-201", "the connection broke", "run again; nothing was written", True),
    ),
)
_REFUSED = _Meaning("LG-202", "refused", "mend what the server names; nothing was written", False)
_PREFIX = re.compile(r"\[[^\]]*\]|Driver Error: [^;]*; DDBC Error: ")


def explain(error: Exception, endpoint: Endpoint, what: str) -> Exception:
    """Say what a driver's error means while reading `what`; errors that are not the driver's pass unchanged."""
    ours = type(error).__module__.startswith("mssql_python")
    if isinstance(error, LagoaError) or not (ours or isinstance(error, OSError | RuntimeError)):
        return error
    words = str(error)
    meaning = next((m for pattern, m in _BY_WORDS if re.search(pattern, words)), _REFUSED)
    said = f"{what}: {endpoint} {meaning.said}" if meaning.code == "LG-201" else f"{what}: {meaning.said}"
    text = " ".join(endpoint.redact(_PREFIX.sub("", words)).split())
    return SourceError(meaning.code, f"{said}: {text}", hint=meaning.hint, retry=meaning.retry)


def silence(seconds: float, endpoint: Endpoint, what: str) -> SourceError:
    """Say that the server has not answered for so long."""
    return SourceError(
        "LG-201",
        f"{what}: {endpoint} sent nothing for {seconds:g} seconds",
        hint="run again; if the query is slow before its first row, raise the source's `idle_timeout`",
        retry=True,
    )
