"""Names of tables: layer.name, the one way to speak of a table everywhere."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

LAYERS = ("bronze", "silver", "gold")
QUARANTINE = "quarantine"
_LONGEST = 120
_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def is_name(text: str) -> bool:
    """Say whether text may name a source, a stream or a table: lower-case letters, digits and `_`."""
    return len(text) <= _LONGEST and _NAME.fullmatch(text) is not None


def name_for(text: str) -> str:
    """Return the name that is nearest to a text: `Região-2` becomes `regiao_2`; what begins otherwise begins with t."""
    apart = unicodedata.normalize("NFKD", text.lower())
    plain = re.sub(r"\W+", "_", "".join(c for c in apart if not unicodedata.combining(c)), flags=re.ASCII)
    plain = plain[:_LONGEST]
    return plain if is_name(plain) and plain.strip("_") else f"t_{plain.strip('_')}"[:_LONGEST]


@dataclass(frozen=True, order=True)
class TableName:
    """`layer.name`; `str()` gives it back."""

    layer: str
    name: str

    def __str__(self) -> str:
        return f"{self.layer}.{self.name}"

    @classmethod
    def parse(cls, text: str) -> TableName:
        """Read `layer.name`. Raises ValueError when text is not of that form."""
        layer, dot, name = text.partition(".")
        if not dot or not is_name(name) or not is_name(layer):
            raise ValueError(f"{text!r} is not a table's name; write layer.name, such as silver.orders")
        return cls(layer, name)

    @property
    def quarantine(self) -> TableName:
        """The table that shows the rows set aside from this one: `quarantine.<layer>_<name>`."""
        return TableName(QUARANTINE, f"{self.layer}_{self.name}")

    @property
    def guarded(self) -> TableName:
        """The table whose rows a quarantine table shows; any other table is its own."""
        if self.layer != QUARANTINE:
            return self
        layer, _, rest = self.name.partition("_")
        return TableName(layer, rest)


def bronze(source: str, stream: str) -> TableName:
    """Name the table in which a stream lands: `bronze.<source>_<stream>`."""
    return TableName("bronze", f"{source}_{stream}")
