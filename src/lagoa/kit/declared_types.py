"""Types as users declare them, made into Arrow types by the engine that will write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lagoa.errors import Place, StepError
from lagoa.kit.text import quote
from lagoa.ports import Session


def arrow_types(session: Session, declared: Mapping[str, str], file: str, text: str = "") -> dict[str, Any]:
    """Give the Arrow type of each column's declared one.

    Raises StepError LG-102 for what is no type, at the line of the file's text that says it.
    """
    found = {}
    for name, kind in declared.items():
        try:
            found[name] = session.schema(f"select null::{kind} as {quote(name)}").field(0).type
        except StepError as error:
            lines = text.splitlines()
            line = next((n for n, said in enumerate(lines, 1) if kind in said and name in said), None)
            place = Place(file, line, None, lines[line - 1] if line else None)
            hint = "text, bigint, decimal(12, 2), double, date, timestamp, timestamptz and boolean are types"
            raise StepError("LG-102", f"column `{name}`: `{kind}` is not a type", place=place, hint=hint) from error
    return found
