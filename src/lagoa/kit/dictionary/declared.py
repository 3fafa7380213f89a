"""A dictionary as a user declares it: the file, and which of its columns say what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from lagoa.spec.declared import Declared


class Dictionary(Declared):
    """A file that says, row by row, what a column of the files is called and what it holds."""

    path: str = Field(min_length=1)
    """The file, CSV or Excel, relative to the project."""
    sheet: str | None = None
    """Excel: the sheet; the first visible one when left out."""
    column: str | None = None
    """Which of its columns holds the spelling in the files; left out, `column`, `field`, `coluna`, `campo` or alike."""
    name: str | None = None
    """Which one holds the new name; left out, `name`, `new name`, `nome`, `nome novo` or alike. '' is none."""
    description: str | None = None
    """Which one says what the column holds; left out, `description`, `descrição` or alike. '' is none."""
    type: str | None = None
    """Which one holds the type; left out, `type`, `tipo` or alike. '' is none."""
    pii: str | None = None
    """Which one says whether it is personal; left out, `pii`, `personal`, `dado pessoal` or alike. '' is none."""
    stream: str | None = None
    """Which one says of which stream a row speaks; left out, `stream`, `table`, `tabela` or alike. '' is none."""
    only: str | None = None
    """What stands there for this stream, when it is not the stream's name: KNA1."""
    types: Mapping[str, str] = Field(default_factory=dict)
    """What the dictionary's words for types mean: {DATS: date, CURR: "decimal(13, 2)"}."""


def _as_dictionary(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


class _OrItsPath:
    """Lets editors know that a text may stand in the mapping's place."""

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> Any:
        return {"anyOf": [{"type": "string"}, handler(core)]}


DictionaryFile = Annotated[Dictionary, BeforeValidator(_as_dictionary), _OrItsPath()]
"""A path alone, or a path and more."""
