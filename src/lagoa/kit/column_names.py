"""Names of columns as files spell them, made into names that every reader of a Delta table takes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lagoa.errors import Place, SourceError

_BREAK = re.compile(r"[^\w]+", re.UNICODE)
_RUN = re.compile(r"__+")
OWN = frozenset({"_source", "_reason", "_raw", "_run", "_loaded_at"})
"""Names that Lagoa gives to its own columns."""


class Renames(dict[str, str]):
    """Other names by how files spell a column, or by what it would be called; `places` says where a name is said."""

    def __init__(self, names: Mapping[str, str], places: Mapping[str, Place]) -> None:
        super().__init__(names)
        self.places = places


def column_name(spelled: str) -> str:
    """Return lower-case letters, digits and `_`: `Região - Sigla` becomes `região_sigla`; accents are kept.

    Gives '' when nothing is left.
    """
    plain = _BREAK.sub("_", spelled.strip().removeprefix("\ufeff"))
    if plain != spelled:
        plain = _RUN.sub("_", plain).strip("_")
    return plain.lower()


def column_names(spelled: Sequence[str], file: str, rename: Mapping[str, str] | None = None) -> list[str]:
    """Return the names of a header's columns; `rename` gives other names for some, by their spelling or plain name.

    Raises SourceError LG-206 when two are equal or one is empty.
    """
    other = rename or {}
    places = other.places if isinstance(other, Renames) else {}
    texts = [text.strip().removeprefix("\ufeff") for text in spelled]
    found: dict[str, str] = {}
    for position, (text, plain) in enumerate(zip(spelled, texts, strict=True), 1):
        name = column_name(text)
        if plain in other:
            name = column_name(other[plain])
        elif name in other and name not in texts:  # what is spelled just so is meant by it
            name = column_name(other[name])
        if not name:
            raise _unusable(f"{file}: column {position} of the header has no name")
        if name in OWN:
            raise _unusable(f"{file}: the name `{text}` is kept for Lagoa's own columns")
        if name in found:
            message = f"{file}: columns `{found[name]}` and `{text}` would both be called `{name}`"
            raise _unusable(message, places.get(name))
        found[name] = text
    return list(found)


def _unusable(message: str, place: Place | None = None) -> SourceError:
    hint = "name the columns with `names: [...]` or `rename: {old: new}`"
    return SourceError("LG-206", message, place=place, hint=hint)
