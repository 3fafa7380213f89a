"""How MySQL and MariaDB compare the values of a cursor."""

from __future__ import annotations

from lagoa.kit.database.column import Column
from lagoa.kit.database.cursor import Family
from lagoa.kit.mysql.columns import column, literal

_FAMILIES: dict[str, Family] = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "year"), "whole"),
    "decimal": "number",
    "double": "float",
    "date": "day",
    "datetime": "time",
    "timestamp": "instant",
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "uuid"), "text"),
}
"""`float` is left out: it is compared with fewer digits than it holds."""


class MySpeech:
    """MySQL's words; see `Speech`."""

    def family(self, type: str) -> Family | None:
        """Say what the values of a type are."""
        return _FAMILIES.get(type)

    def compared(self, found: Column) -> str:
        """Write what is compared."""
        name = self.raw(found)
        if self.family(found.found.type) != "text":
            return name
        return f"cast(convert({name} using utf8mb4) as binary)"

    def raw(self, found: Column) -> str:
        """Write the column."""
        return column(found.found.name)

    def value(self, text: str, type: str) -> str:
        """Write a value."""
        family = self.family(type)
        if family == "text":
            return f"x'{text.encode().hex()}'" if text else "''"
        if family in ("whole", "number"):
            return text
        if family == "float":
            return f"{float(text)!r}e0" if "e" not in repr(float(text)) else repr(float(text))
        plain = text.removesuffix("+00:00")
        return f"cast({literal(plain)} as {'date' if family == 'day' else 'datetime(6)'})"

    def text(self, found: Column) -> str:
        """Write the value as text."""
        name, family = self.raw(found), self.family(found.found.type)
        text = f"convert({name} using utf8mb4)" if family == "text" else f"cast({name} as char)"
        return f"concat({text}, '+00:00')" if family == "instant" else text

    def first(self, shown: str, rest: str) -> str:
        """Write the query for one row."""
        return f"select {shown} {rest} limit 1"
