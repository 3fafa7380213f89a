"""Judges one JSON value: valid by RFC 8259 or not, and rewritten where DuckDB would lose digits or keys."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

DOUBT = (
    r"\d{19}|\d[\d.]{16}|[eE][+-]?\d{2}"  # more digits than a bigint or a double may hold
    r"|NaN|Inf|inf|nan|,\s*[\]}]"  # what DuckDB takes and JSON does not have
    r"|\\u[dD][89a-fA-F]|\\u0000|\"\"\s*:"
)
"""A line that matches may be no JSON or lose digits, though DuckDB takes it: then `judged` decides."""
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_DEEPEST = 200


class Judge:
    """Judges values, one after the other."""

    def __init__(self) -> None:
        self._changed = False
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_float=self._float, parse_int=self._int, parse_constant=_no_constant
        )

    def judged(self, text: str) -> str:
        """Return the value as JSON on one line, an object in any case. Raises ValueError, saying why it is not valid.

        A number that neither a bigint nor a double holds exactly becomes text. Of a key that is there twice, the last
        value counts. What is no object becomes {"value": …}.
        """
        self._changed = False
        try:
            value = self.decoder.decode(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"it is not valid JSON: {error.msg}, at character {error.pos + 1}") from error
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        return self.written(text, value)

    def written(self, text: str, value: Any) -> str:
        """Write a value that `decoder` has read from `text` on one line."""
        if "\\u" in text and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
            raise ValueError("it holds half of a surrogate pair, which is no character")
        if text.count("[") + text.count("{") > _DEEPEST and _depth(value) > _DEEPEST:
            raise ValueError("it is nested too deeply")
        line = json.dumps(value, ensure_ascii=False) if self._changed else text.replace("\n", " ").replace("\r", " ")
        self._changed = False
        return line if isinstance(value, dict) else f'{{"value": {line}}}'

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if "" in found:
            # DuckDB has no columns without a name
            found.setdefault("unnamed", found.pop(""))
            self._changed = True
        if len(found) != len(pairs):
            self._changed = True
        return found

    def _int(self, text: str) -> int | str:
        if len(text) < 19 or -(2**63) <= int(text) < 2**63:
            return int(text)
        self._changed = True
        return text

    def _float(self, text: str) -> float | str:
        value = float(text)
        if len(text) < 16 and "e" not in text and "E" not in text:
            return value
        if abs(value) != float("inf") and Decimal(repr(value)) == Decimal(text):
            return value
        self._changed = True
        return text


def _depth(value: Any) -> int:
    """Measure how deep lists and objects are nested."""
    depth, inside = 0, [value]
    while inside := [
        v for i in inside if isinstance(i, dict | list) for v in (i.values() if isinstance(i, dict) else i)
    ]:
        depth += 1
        if depth > _DEEPEST:
            break
    return depth


def _no_constant(name: str) -> Any:
    raise json.JSONDecodeError(f"{name} is no JSON", name, 0)
