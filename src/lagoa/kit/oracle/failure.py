"""Turns what Oracle's driver says into an error that tells the user what to do, without the password in it."""

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


_NO_ENTRY = _Meaning("LG-201", "let nobody in", "check user, password and service in `connection:`", False)
_UNREACHABLE = _Meaning("LG-201", "cannot be reached", "check address and network; nothing was written", True)
_DIED = _Meaning("LG-201", "the connection broke", "run again; nothing was written", True)
_REFUSED = _Meaning("LG-202", "refused", "mend what the server names; nothing was written", False)
_BY_CODE = {
    **dict.fromkeys(("ORA-01017", "ORA-28000", "ORA-28001", "ORA-01045", "ORA-12514", "ORA-12505"), _NO_ENTRY),
    **dict.fromkeys(("DPY-6001", "DPY-6003", "DPY-4001"), _NO_ENTRY),
    **dict.fromkeys(("DPY-6005", "DPY-6000", "ORA-12541", "ORA-12170", "ORA-01034"), _UNREACHABLE),
    **dict.fromkeys(("DPY-4011", "DPY-1001", "ORA-03113", "ORA-03114", "ORA-00028", "ORA-01089"), _DIED),
    "DPY-4024": _Meaning("LG-201", "the server gave no answer in time", "raise the source's `idle_timeout`", True),
    "ORA-01555": _Meaning("LG-201", "the server forgot the moment", "run again, or have undo_retention raised", True),
    "ORA-08181": _Meaning("LG-201", "the server forgot the moment", "run again; nothing was written", True),
    "ORA-01466": _Meaning("LG-201", "the table was changed meanwhile", "run again; nothing was written", True),
    "ORA-00942": _Meaning("LG-203", "no such table", "correct the stream's `table:`, or grant SELECT on it", False),
    "ORA-00904": _Meaning("LG-203", "no such column", "correct the stream's `cursor:`, `key:` or `query:`", False),
    "ORA-01031": _Meaning("LG-202", "not allowed", "grant the user SELECT on it, and FLASHBACK for `ranges:`", False),
    "ORA-00018": _Meaning("LG-201", "too many connections", "run at another time", True),
}
_CODE = re.compile(r"\b(?:ORA|DPY)-\d{4,5}\b")


def explain(error: Exception, endpoint: Endpoint, what: str) -> Exception:
    """Say what a driver's error means while reading `what`; errors that are not the driver's pass unchanged."""
    ours = type(error).__module__.startswith("oracledb")
    if isinstance(error, LagoaError) or not (ours or isinstance(error, OSError)):
        return error
    words = str(error)
    codes = _CODE.findall(words)
    meaning = next((_BY_CODE[code] for code in codes if code in _BY_CODE), _REFUSED if ours else _DIED)
    said = f"{what}: {endpoint} {meaning.said}" if meaning.code == "LG-201" else f"{what}: {meaning.said}"
    text = endpoint.redact(words.partition("\n")[0])
    return SourceError(meaning.code, f"{said}: {text}", hint=meaning.hint, retry=meaning.retry)


def silence(seconds: float, endpoint: Endpoint, what: str) -> SourceError:
    """Say that the server has not answered for so long."""
    return SourceError(
        "LG-201",
        f"{what}: {endpoint} sent nothing for {seconds:g} seconds",
        hint="run again; if the query is slow before its first row, raise the source's `idle_timeout`",
        retry=True,
    )
