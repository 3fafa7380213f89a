"""Turns DuckDB's errors into ours: its words without internal names, and the place in the query."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from lagoa.errors import LagoaError, LakeError, Place, StepError, Stopped
from lagoa.kit.casts import MISFIT

QUERY = "query"
"""The `file` of a place inside a query; whoever knows the user's file puts it in its stead."""
_SILLY = re.compile(r"(?i)\s*Did you mean \"(pg_|duckdb_|sqlite_|information_schema|s\d+)[^\"]*\"\??")
_SETTING = re.compile(r"\n+Use \"?SET [^\n]*")
"""Advice to set what nobody can set here."""
_QUOTED = '{"exception_type"'
_FULL = ("No space left on device", "Disk quota exceeded", "File too large")
_UNWRITABLE = (*_FULL, "Permission denied", "Read-only file system")
_DAMAGED = (
    "No files found",
    "No magic bytes",
    "too small to be a Parquet",
    "Error while reading file",
    "not a Parquet",
)


def translate(error: Exception, sql: str = "", before: int = 0, files: Collection[str] = ()) -> LagoaError:
    """Return our error for DuckDB's.

    `sql` is what the user wrote and `before` how many bytes of our statement stood ahead of it; `files` are
    files of the lake that the query may have read.
    """
    kind, (message, position) = type(error).__name__, _words(str(error))
    if kind == "InterruptException":
        return Stopped("LG-503", "the query was stopped")
    if message.startswith(MISFIT):
        return LakeError("LG-308", message.removeprefix(MISFIT), hint="cast it in the query, as you mean it")
    if any(words in message for words in _FULL) or (kind == "IOException" and _is_any(_UNWRITABLE, message)):
        return LakeError("LG-306", f"cannot write: {_cause(message)}")
    if kind in ("OutOfMemoryException", "MemoryError"):
        return StepError("LG-504", _first(message))
    if (_is_any(_DAMAGED, message) or kind == "IOException") and (named := _named(message, files)):
        return LakeError("LG-302", f"{named} cannot be read: {_cause(message)}")
    said, _, candidates = message.partition("\nCandidate bindings: ")
    meant = re.findall(r'"([^"]+)"', candidates)
    hint = f"did you mean `{meant[0].rpartition('.')[2]}`?" if meant else None
    return StepError("LG-501", said.rstrip("!"), place=_place(sql, position, before), hint=hint)


def _words(text: str) -> tuple[str, int | None]:
    """Split DuckDB's error, in its JSON or its plain form, into what it says and the byte at which."""
    head, brace, rest = text.partition("{")
    position = None
    if brace and head.rstrip().endswith("Error:"):
        try:
            said: dict[str, Any] = json.JSONDecoder().raw_decode(brace + rest)[0]
        except ValueError:
            said = {}
        text = said.get("exception_message", text)
        position = int(said["position"]) if str(said.get("position", "")).isdigit() else None
    text = _innermost(text)
    text = re.sub(r"\n+LINE \d+:.*", "", text, flags=re.DOTALL)
    text = re.sub(r"\A[A-Z][A-Za-z/ -]* Error: ", "", text)
    text = re.sub(r'"?\bs\d+"?\.(?=[\w"])', "", _SILLY.sub("", text))
    return _SETTING.sub("", text).strip(), position


def _innermost(text: str) -> str:
    """Take the words of an error that DuckDB quotes as JSON inside another one's."""
    _, brace, rest = text.partition(_QUOTED)
    if not brace:
        return text
    try:
        said = json.JSONDecoder().raw_decode(brace + rest)[0]
    except ValueError:
        return text
    return str(said.get("exception_message", text))


def _is_any(words: Collection[str], message: str) -> bool:
    return any(word in message for word in words)


def _first(message: str) -> str:
    return message.splitlines()[0] if message else "out of memory"


def _cause(message: str) -> str:
    """DuckDB explains at length; its first sentence is the cause."""
    return re.split(r"\n", message.strip(), maxsplit=1)[0]


def _named(message: str, files: Collection[str]) -> str | None:
    shown = message.replace("[*]", "*").replace("[?]", "?").replace("[[]", "[")
    return next((file for file in files if file in shown or file in message), None)


def _place(sql: str, position: int | None, before: int) -> Place | None:
    raw = sql.encode()
    if position is None or not before <= position <= before + len(raw):
        return None
    ahead = raw[: position - before].decode(errors="replace")
    line = ahead.count("\n") + 1
    lines = sql.splitlines()
    text = lines[line - 1] if line <= len(lines) else None
    return Place(QUERY, line, len(ahead) - ahead.rfind("\n"), text)
