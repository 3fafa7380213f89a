"""A check as the user writes it: its kind, its value, and what happens when rows break it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema

from lagoa.spec.declared import Declared

OnFail = Literal["block", "quarantine", "warn"]
_EXTRAS = {"on_fail", "name", "where"}


class CheckSpec(Declared):
    """`unique`, or `{min: 0, on_fail: quarantine}`: one kind with its value, and how to react."""

    kind: str
    value: Any = None
    on_fail: OnFail = "block"
    name: str | None = None
    where: str | None = None

    def label(self, column: str | None) -> str:
        """Name the check in reports: its own name, or the column and the kind."""
        return self.name or (f"{column} {self.kind}" if column else self.kind)


def _read(value: Any) -> Any:
    if isinstance(value, CheckSpec):
        return value
    if isinstance(value, str):
        return CheckSpec(kind=value)
    if not isinstance(value, dict):
        raise ValueError("a check is a word (unique) or a mapping ({min: 0})")
    kinds = [k for k in value if k not in _EXTRAS]
    if len(kinds) != 1 or not isinstance(kinds[0], str):
        raise ValueError("a check names exactly one kind, such as {min: 0, on_fail: quarantine}")
    # a mapping, not a CheckSpec: pydantic then says where inside the check a value is wrong
    rest = {k: v for k, v in value.items() if k in _EXTRAS}
    return {"kind": kinds[0], "value": value[kinds[0]], **rest}


CheckEntry = Annotated[
    CheckSpec,
    BeforeValidator(_read),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {
                        "on_fail": {"enum": ["block", "quarantine", "warn"]},
                        "name": {"type": "string"},
                        "where": {"type": "string"},
                    },
                },
            ]
        }
    ),
]


class CheckHeader(Declared):
    """The header of a file in `checks/`: a query whose rows are violations."""

    table: str | None = None
    """The table that it guards, as layer.name; may be left out when the query reads just one."""
    description: str | None = None
    """What it proves, in a sentence."""
    on_fail: Literal["block", "warn"] = "block"
    """`block` keeps the table from being published, `warn` reports only."""
