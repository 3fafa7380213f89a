"""not_null: every row has a value."""

from __future__ import annotations

from typing import Literal

from lagoa.ports import Asked, Check


class NotNull(Check):
    """Every row has a value."""

    value: Literal[True] = True
    """Nothing to say; `not_null` alone is enough."""

    def breaks(self, asked: Asked) -> str:
        """Return true for a row without a value."""
        return f"{asked.column} is null"


Adapter = NotNull
