"""Names of columns as files spell them, made into names that every reader of a Delta table takes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lagoa.errors import SourceError

_BREAK = re.compile(r"[^\w]+", re.UNICODE)
_RUN = re.compile(r"__+")
OWN = frozenset({"_source", "_reason", "_raw", "_run", "_loaded_at"})
"""Names that Lagoa gives to its own columns."""


def column_name(spelled: str) -> str:
    """Return lower-case letters, digits and `_`: `Região - Sigla` becomes `região_sigla`; accents are kept.

    Gives '' when nothing is left.
    """
    plain = _BREAK.sub("_", spelled.strip().removeprefix("\ufeff"))
    if plain != spelled:
        plain = _RUN.sub("_", plain).strip("_")
    return plain.lower()


def column_names(spelled: Sequence[str], file: str, rename: Mapping[str, str] | None = None) -> list[str]:
    """Return the names of a header's columns; `rename` gives another spelling for some of them.

    Raises SourceError LG-206 when two are equal or one is empty.
    """
    found: dict[str, str] = {}
    for position, text in enumerate(spelled, 1):
        plain = text.strip().removeprefix("\ufeff")
        name = column_name((rename or {}).get(plain, text))
        if not name:
            raise _unusable(f"{file}: column {position} of the header has no name")
        if name in OWN:
            raise _unusable(f"{file}: the name `{text}` is kept for Lagoa's own columns")
        if name in found:
            raise _unusable(f"{file}: columns `{found[name]}` and `{text}` would both be called `{name}`")
        found[name] = text
    return list(found)


def _unusable(message: str) -> SourceError:
    return SourceError("LG-206", message, hint="name the columns with `names: [...]` or `rename: {old: new}`")
