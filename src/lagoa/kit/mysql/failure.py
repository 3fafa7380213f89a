"""Turns what the MySQL driver says into an error that tells the user what to do, without the password in it."""

from __future__ import annotations

import ssl
from typing import NamedTuple

from lagoa.errors import LagoaError, SourceError
from lagoa.kit.endpoint import Endpoint


class _Meaning(NamedTuple):
    code: str
    said: str
    hint: str
    retry: bool


_NO_ENTRY = _Meaning("LG-201", "let nobody in", "check user, password and database in `connection:`", False)
_UNREACHABLE = _Meaning("LG-201", "cannot be reached", "check address and network; nothing was written", True)
_DIED = _Meaning("LG-201", "the connection broke", "run again; nothing was written", True)
_GAVE_UP = _Meaning("LG-201", "the server gave up", "run again; nothing was written", True)
_REFUSED = _Meaning("LG-202", "refused", "mend what the server names; nothing was written", False)
_DENIED = _Meaning("LG-202", "not allowed", "grant the user SELECT on it", False)
_TOO_LONG = _Meaning("LG-202", "cancelled", "raise max_statement_time for this user, or read by cursor", False)
_UNTRUSTED = _Meaning(
    "LG-201",
    "shows a certificate that is not trusted",
    "check `ssl_ca`, and that the certificate names this host; no password was sent",
    False,
)
_NO_FILE = _Meaning("LG-201", "cannot be asked", "correct `ssl_ca`, `ssl_cert`, `ssl_key`: files in PEM format", False)
_BY_NUMBER = {
    **dict.fromkeys((1044, 1045, 1049, 1130, 1251, 1698, 1862, 2059, 2061), _NO_ENTRY),
    **dict.fromkeys((2002, 2003, 2005), _UNREACHABLE),
    **dict.fromkeys((2006, 2013, 2055, 1053, 1077, 1079, 1080, 1158, 1159, 1160, 1161, 1927, 0), _DIED),
    **dict.fromkeys((1205, 1213, 1412, 4031), _GAVE_UP),
    **dict.fromkeys((1142, 1143, 1227, 1370), _DENIED),
    **dict.fromkeys((1317, 1969, 3024), _TOO_LONG),
    2026: _Meaning("LG-201", "offers no TLS", "turn TLS on at the server, or say `ssl_mode=preferred`", False),
    3159: _Meaning("LG-201", "takes nobody without TLS", "say `ssl_mode=verify_identity`, with `ssl_ca`", False),
    1040: _Meaning("LG-201", "too many connections", "lower the target's `threads`, or run at another time", True),
    1203: _Meaning("LG-201", "too many connections", "lower the target's `threads`, or run at another time", True),
    1146: _Meaning("LG-203", "no such table", "correct the stream's `table:` or `query:`", False),
    1054: _Meaning("LG-203", "no such column", "correct the stream's `cursor:`, `key:` or `query:`", False),
    1153: _Meaning("LG-202", "a row is too large", "raise max_allowed_packet at the server", False),
}


def explain(error: Exception, endpoint: Endpoint, what: str) -> Exception:
    """Say what a driver's error means while reading `what`; errors that are not the driver's pass unchanged."""
    if isinstance(error, LagoaError):
        return error
    if type(error).__module__.startswith("pymysql"):
        number, words = _parts(error)
        untrusted = isinstance(getattr(error, "original_exception", None), ssl.SSLCertVerificationError)
        meaning = _UNTRUSTED if untrusted else _BY_NUMBER.get(number, _REFUSED)
    elif isinstance(error, FileNotFoundError | PermissionError | ssl.SSLError):  # the driver hides its own in 2003
        meaning, words = _NO_FILE, str(error)
    elif isinstance(error, OSError | EOFError):
        meaning, words = _DIED, str(error)
    else:
        return error
    said = f"{what}: {endpoint} {meaning.said}" if meaning.code == "LG-201" else f"{what}: {meaning.said}"
    text = " ".join(endpoint.redact(words).split())
    return SourceError(meaning.code, f"{said}: {text}" if text else said, hint=meaning.hint, retry=meaning.retry)


def _parts(error: Exception) -> tuple[int, str]:
    """Take the driver's number and words; an InterfaceError has no number, and means that the connection is gone."""
    args = error.args
    number = args[0] if args and isinstance(args[0], int) else 0
    words = str(args[1]) if len(args) > 1 else "" if number == 0 else str(error)
    return number, words


def silence(seconds: float, endpoint: Endpoint, what: str) -> SourceError:
    """Say that the server has not answered for so long."""
    return SourceError(
        "LG-201",
        f"{what}: {endpoint} sent nothing for {seconds:g} seconds",
        hint="run again; if the query is slow before its first row, raise the source's `idle_timeout`",
        retry=True,
    )
