"""unique: no two rows of the table have the same value, or the same values of several columns."""

from __future__ import annotations

from typing import ClassVar, Literal

from lagoa.kit.text import quote
from lagoa.ports import Asked, Check
from lagoa.spec.stream import Names


class Unique(Check):
    """No two rows of the table have the same value; under the table's `checks:` it takes a list of columns."""

    reads: ClassVar[Literal["row", "table"]] = "table"
    place: ClassVar[Literal["column", "table", "both"]] = "both"
    value: Literal[True] | Names = True
    """Beside a column nothing; under the table's `checks:` the columns that are unique together."""

    def breaks(self, asked: Asked) -> str:
        """Return true for a row whose values another row of the table has, too. Rows with a null pass.

        Limited by `where`, it looks for others among those rows alone.
        """
        names = [asked.column or ""] if self.value is True else [quote(n) for n in self.value]
        key = ", ".join(names)
        whole = f"({key})" if len(names) > 1 else key
        known = " and ".join(f"{name} is not null" for name in names)
        touched = "" if asked.staged in ("", asked.table) else f" and {whole} in (select {key} from {asked.staged})"
        rows = f"select {key} from {asked.table} where {known} and ({asked.where}){touched}"
        twice = f"{rows} group by {key} having count(*) > 1"
        return f"({known} and {whole} in ({twice}))"


Adapter = Unique
