"""Paths into JSON, such as `$.data.items`: the few steps that answers of servers need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator

from lagoa.kit.json_records.document import EACH

_STEP = re.compile(r"\.([^.\[\]'\"*\s]+)|(\.\*|\[\*\])|\['([^']+)'\]")
_CONDITION = re.compile(r"(?P<path>.*?)\s*(?:(?P<not>!)?=\s*(?P<value>.*))?")
_WRONG = "must be a path such as $.data.items, $[*].rows or $['a b']"


def steps(path: str) -> tuple[str, ...]:
    """Take a path apart: keys, and `*` for each element or value. Raises ValueError."""
    if not path.startswith("$"):
        raise ValueError(_WRONG)
    found, place = [], 1
    while place < len(path):
        step = _STEP.match(path, place)
        if step is None:
            raise ValueError(_WRONG)
        found.append(step[1] or step[3] or EACH)
        place = step.end()
    return tuple(found)


def _checked(path: str) -> str:
    steps(path)
    return path


def _checked_condition(text: str) -> str:
    Condition.parse(text)
    return text


JsonPath = Annotated[str, AfterValidator(_checked)]
"""A path into a JSON answer."""
JsonCondition = Annotated[str, AfterValidator(_checked_condition)]
"""A path whose value says something by being there, or `PATH = value`, or `PATH != value`."""


def standing(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """Yield the values that stand at a path, none when nothing does."""
    if not path:
        yield value
        return
    step, rest = path[0], path[1:]
    if step == EACH and isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from standing(inner, rest)
    elif isinstance(value, dict) and step in value:
        yield from standing(value[step], rest)


def first(value: Any, path: str | None) -> Any:
    """Return the first value at a path; None when nothing stands there or no path is given."""
    return next(standing(value, steps(path)), None) if path else None


def records(value: Any, path: Sequence[str]) -> list[Any]:
    """Return the records at a path: the elements of the lists there, other values as they are."""
    found: list[Any] = []
    for one in standing(value, path):
        found += one if isinstance(one, list) else [one]
    return found


@dataclass(frozen=True)
class Condition:
    """What a value must be for an answer to be an error."""

    path: tuple[str, ...]
    value: str | None = None
    negated: bool = False

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read `$.error`, `$.status = error` or `$.ok != true`. Raises ValueError."""
        found = _CONDITION.fullmatch(text.strip())
        if found is None:
            raise ValueError(_WRONG)
        return cls(steps(found["path"]), found["value"], found["not"] is not None)

    def holds(self, whole: Any) -> bool:
        """Say whether it is so in an answer; without a value, anything but null, false, 0 and emptiness counts."""
        found = list(standing(whole, self.path))
        if self.value is None:
            return any(found)
        same = any(_written(one) == self.value for one in found)
        return not same if self.negated else same


def _written(value: Any) -> str:
    return {True: "true", False: "false", None: "null"}.get(value, "") if _is_word(value) else str(value)


def _is_word(value: Any) -> bool:
    return value is None or isinstance(value, bool)
