"""Draws values from a seed and a row's number by whole-number arithmetic, so that they are equal on every machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from lagoa.kit.text import listed

MASK = 4294967295
"""Numbers stay below 2³², so that a product of two fits an unsigned 64-bit number."""
_ROUNDS = ((16, 2146121005), (15, 2221713035))  # shifts and odd factors of the mixer `lowbias32`


def salt(*words: object) -> int:
    """Make a number below 2³² of some words."""
    return int.from_bytes(sha256("/".join(map(str, words)).encode()).digest()[:4], "big")


def mixed(rows: str, draws: Mapping[str, str], *salted: object) -> str:
    """Give each row more columns: 32 bits drawn from a key (a whole number below 2³²), `salted` and the column's name.

    DuckDB's own `hash()` and `random()` would differ from version to version.
    """
    keys = (f"xor(({key})::ubigint, {salt(*salted, name)}::ubigint) as {name}" for name, key in draws.items())
    found = f"select *, {', '.join(keys)} from ({rows})"
    for shift, factor in _ROUNDS:
        turned = (f"(xor({name}, {name} >> {shift}) * {factor}) & {MASK} as {name}" for name in draws)
        found = f"select * replace ({', '.join(turned)}) from ({found})"
    last = (f"xor({name}, {name} >> 16) as {name}" for name in draws)
    return f"select * replace ({', '.join(last)}) from ({found})"


def below(draw: str, end: str | int) -> str:
    """Draw a number from zero up to, without, an end of at most 2³²; each is as likely."""
    return f"((({draw}) * ({end})::ubigint) >> 32)::bigint"


def pick(draw: str, values: Sequence[str] | Sequence[int], *, first_more: bool = False) -> str:
    """Draw one of a list; with `first_more`, the earlier ones stand for most, as names and cities do."""
    square = f"(({draw} * {draw}) >> 32)" if first_more else draw
    texts = [v for v in values if isinstance(v, str)]
    return f"({listed(texts) if texts else list(values)})[1 + {below(square, len(values))}]"


def chance(draw: str, percent: int) -> str:
    """Say yes in so many of a hundred rows."""
    return f"({draw} % 100 < {percent})"


def instant(epoch_day: int, day: str, second: str) -> str:
    """Write a timestamp: a day counted from `epoch_day` (days since 1970), and a second of it."""
    return f"make_timestamp((({epoch_day} + {day})::bigint * 86400 + ({second})::bigint) * 1000000)"


def reais(cents: str) -> str:
    """Write an amount of cents as a decimal; no floating number comes near it."""
    return f"(({cents})::decimal(14, 0) * 0.01::decimal(3, 2))::decimal(12, 2)"
