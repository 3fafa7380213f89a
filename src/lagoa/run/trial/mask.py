"""Puts made-up values in the place of personal ones, each always by the same, so that what joined joins still."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import count

import pyarrow as pa

from lagoa.kit.types import is_nested

Cells = list[str | None]
_FIRST_DAY = date(2000, 1, 1)
_SHORTEST = 4
"""A personal value of fewer letters is not looked for inside other texts: it would be found everywhere."""
_DIGITS = ("cpf", "cnpj", "phone", "telefone", "celular", "rg", "cep")
"""Kinds of personal data that are digits, whatever stands between them."""


class Mask:
    """Gives each personal value its made-up one. First `learn` all values, then `hide` them everywhere."""

    def __init__(self) -> None:
        self._fakes: dict[str, str] = {}
        self._real: set[str] = set()
        self._numbers: dict[str, Iterator[int]] = {}
        self._pattern: re.Pattern[str] | None = None
        self._by_text: dict[str, str] = {}

    def learn(self, values: Sequence[str | None], kind: str) -> None:
        """Note the values of a personal column; `kind` is what was declared of it."""
        self._real |= {value.strip().casefold() for value in values if value is not None}
        digits = kind in _DIGITS
        for value in values:
            if value is not None and value.strip():
                self._fakes.setdefault(_same(value, digits), kind)

    def settle(self) -> None:
        """Make up the values, none of which is a real one."""
        for identity, kind in list(self._fakes.items()):
            numbers = self._numbers.setdefault(kind, count(1))
            made = next(m for n in numbers if (m := _made(kind, n)).casefold() not in self._real)
            self._fakes[identity] = made
            self._by_text[identity] = made
        for value in self._real:
            self._by_text.setdefault(value, self._made_for(value))
        long = sorted((v for v in self._by_text if len(v) >= _SHORTEST), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, long)), re.IGNORECASE) if long else None

    def _made_for(self, value: str) -> str:
        return self._fakes.get(_same(value, digits=False)) or self._fakes.get(_same(value, digits=True), "")

    def personal(self, values: Sequence[str | None], kind: str, held: pa.DataType) -> Cells:
        """Replace the values of a personal column, in its type; what has no like is null."""
        fit = _fitting(held)
        return [
            None if v is None or fit is None else v if not v.strip() else fit(v, self._fake(v, kind)) for v in values
        ]

    def _fake(self, value: str, kind: str) -> str:
        return self._fakes[_same(value, kind in _DIGITS)]

    def elsewhere(self, values: Sequence[str | None]) -> Cells:
        """Replace personal values that stand in a column which nobody called personal."""
        pattern = self._pattern
        if pattern is None:
            return list(values)
        return [v if v is None else pattern.sub(lambda m: self._by_text.get(m[0].casefold(), ""), v) for v in values]


def _same(value: str, digits: bool) -> str:
    """Tell values apart as people do: by their digits, or without case and blanks around."""
    if digits and (found := re.sub(r"\D", "", value)):
        return found
    return value.strip().casefold()


def _made(kind: str, number: int) -> str:
    if kind == "cpf":
        return _with_check_digits(f"{number:09}", (10, 11))
    if kind == "cnpj":
        return _with_check_digits(f"{number:08}0001", (5, 6))
    if "mail" in kind:
        return f"person{number}@example.com"
    if kind in _DIGITS:
        return f"{number:011}"
    word = re.sub(r"\W+", " ", kind).strip() or "person"
    return f"{'Person' if word in ('name', 'nome') else word} {number}"


def _with_check_digits(digits: str, weights: tuple[int, int]) -> str:
    for first in weights:
        falling = [*range(first, 1, -1), *range(9, 1, -1)][: len(digits)]
        rest = sum(int(d) * w for d, w in zip(digits, falling, strict=True)) % 11
        digits += str(0 if rest < 2 else 11 - rest)
    return digits


def _fitting(held: pa.DataType) -> Callable[[str, str], str] | None:
    """Say how a made-up value becomes one of a type; None: it cannot."""
    t = pa.types
    if t.is_string(held):
        return _shaped
    if is_nested(held) or t.is_boolean(held) or t.is_binary(held):
        return None
    if t.is_date(held) or t.is_timestamp(held):
        return lambda _, fake: str(_FIRST_DAY + timedelta(days=_number(fake) % 3_000))
    return lambda _, fake: str(_number(fake))


def _number(fake: str) -> int:
    return int(re.sub(r"\D", "", fake) or 0)


def _shaped(real: str, fake: str) -> str:
    """Put the signs between digits where the real value has them: 000.000.001-91."""
    if not fake.isdigit() or sum(c.isdigit() for c in real) != len(fake) or any(c.isalpha() for c in real):
        return fake
    digits = iter(fake)
    return "".join(next(digits) if c.isdigit() else c for c in real)


def masked(
    tables: Mapping[str, Mapping[str, Sequence[str | None]]],
    kinds: Mapping[str, Mapping[str, str]],
    types: Mapping[str, pa.Schema],
) -> dict[str, dict[str, Cells]]:
    """Mask the columns of tables, by table and column; `kinds` names the personal ones in lower case."""
    mask = Mask()
    for table, columns in tables.items():
        for column, values in columns.items():
            if (kind := kinds[table].get(column.lower())) is not None:
                mask.learn(values, kind)
    mask.settle()
    found: dict[str, dict[str, Cells]] = {}
    for table, columns in tables.items():
        found[table] = {}
        for column, values in columns.items():
            kind = kinds[table].get(column.lower())
            held = types[table].field(column).type
            if kind is not None:
                found[table][column] = mask.personal(values, kind, held)
            else:
                found[table][column] = mask.elsewhere(values) if pa.types.is_string(held) else list(values)
    return found
