"""Turns what a PostgreSQL driver says into an error that tells the user what to do, without the password in it."""

from __future__ import annotations

import re
from typing import NamedTuple

from lagoa.errors import LagoaError, SourceError
from lagoa.kit.endpoint import Endpoint

_CREDENTIALS = re.compile(
    r"authentication failed|no pg_hba\.conf entry|no password supplied|role \"?.*\"? (does not exist|is not permitted)"
    r"|permission denied for database|database \"?.*\"? does not exist"
)
_TLS = re.compile(r"certificate|does not support SSL|sslmode|private key")
_STATE = re.compile(r"SQLSTATE: (\w{5})")


class _Meaning(NamedTuple):
    code: str
    said: str
    hint: str
    retry: bool


_BY_STATE = {
    "42P01": _Meaning("LG-203", "no such table", "correct the stream's `table:` or `query:`", False),
    "42703": _Meaning("LG-203", "no such column", "correct the stream's `cursor:`, `key:` or `query:`", False),
    "3F000": _Meaning("LG-203", "no such schema", "correct the stream's `table:` or `query:`", False),
    "42501": _Meaning("LG-202", "not allowed", "grant the user SELECT on it", False),
    "57014": _Meaning("LG-202", "cancelled", "raise statement_timeout for this user, or read by cursor", False),
    "53300": _Meaning("LG-201", "too many connections", "lower the target's `threads`, or run at another time", True),
    "40001": _Meaning("LG-201", "the server gave up", "run again; nothing was written", True),
}
_DIED = _Meaning("LG-201", "the connection broke", "run again; nothing was written", True)
_REFUSED = _Meaning("LG-202", "refused", "mend what the server names; nothing was written", False)
_UNREACHABLE = _Meaning("LG-201", "cannot be reached", "check address and network; nothing was written", True)
_NO_ENTRY = _Meaning("LG-201", "let nobody in", "check user, password and database in `connection:`", False)

_UNTRUSTED = _Meaning(
    "LG-201",
    "is not spoken to with the TLS that is asked for",
    "check `sslmode`, `sslrootcert`, and that the certificate names this host; no password was sent",
    False,
)


def explain(error: Exception, endpoint: Endpoint, what: str) -> Exception:
    """Say what a driver's error means while reading `what`; errors that are not the driver's pass unchanged."""
    text = str(error)
    drivers = type(error).__module__.startswith("adbc") or "[libpq]" in text or isinstance(error, ConnectionError)
    if isinstance(error, LagoaError) or not drivers:
        return error
    meaning = _meaning(text, getattr(error, "sqlstate", None))
    said = f"{what}: {endpoint} {meaning.said}" if meaning.code == "LG-201" else f"{what}: {meaning.said}"
    return SourceError(meaning.code, f"{said}: {endpoint.redact(_words(text))}", hint=meaning.hint, retry=meaning.retry)


def silence(seconds: float, endpoint: Endpoint, what: str) -> SourceError:
    """Say that the server has not answered for so long."""
    return SourceError(
        "LG-201",
        f"{what}: {endpoint} sent nothing for {seconds:g} seconds",
        hint="run again; if the query is slow before its first row, raise the source's `idle_timeout`",
        retry=True,
    )


def _meaning(text: str, state: str | None) -> _Meaning:
    if "invalid snapshot identifier" in text:
        return _DIED  # the connection that held the snapshot of all parts is gone
    if "Failed to connect" in text:
        if _CREDENTIALS.search(text):
            return _NO_ENTRY
        return _UNTRUSTED if _TLS.search(text) else _UNREACHABLE
    found = _STATE.search(text)
    state = state or (found[1] if found else None)
    if state in _BY_STATE:
        return _BY_STATE[state]
    if state is not None:
        return _DIED if state[:2] == "08" or state[:3] == "57P" else _REFUSED
    if "FATAL:" not in text and "ERROR:" in text:
        if "statement timeout" in text or "user request" in text:
            return _BY_STATE["57014"]
        return _BY_STATE["40001"] if "conflict with recovery" in text else _REFUSED
    return _DIED


def _words(text: str) -> str:
    """Keep the server's sentence: no query, no position, no driver's prefixes."""
    first = text.partition("\n\nQuery was:")[0]
    if "ERROR:" in first:
        first = first.partition("ERROR:")[2].partition("\n")[0]
    first = re.sub(r"^(\w+: )?(\[libpq\] )?(Failed to connect: )?", "", first)
    return " ".join(first.split())
