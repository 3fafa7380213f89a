"""matches: every value matches a pattern from its first to its last character."""

from __future__ import annotations

from lagoa.kit.text import literal
from lagoa.ports import Asked, Check


class Matches(Check):
    """Every value matches a regular expression (RE2) as a whole; `.*` at either end lets it match a part."""

    value: str
    """The expression: `{matches: '[0-9]{5}-[0-9]{3}'}`."""

    def breaks(self, asked: Asked) -> str:
        """Return true for a value that does not match; null passes."""
        return f"not regexp_full_match({asked.column}::varchar, {literal(self.value)})"


Adapter = Matches
