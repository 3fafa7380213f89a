"""How mainframes store numbers, as SQL that gives their digits as text; what is broken stays text that is no number."""

from __future__ import annotations

import re
from typing import Literal

from lagoa.kit.text import literal

Stored = Literal["packed", "zoned", "binary", "unsigned"]
BINARY = ("packed", "binary", "unsigned")
"""Those whose bytes are no characters."""
WIDEST = 8
"""Bytes of the widest whole number that is stored in binary."""


def packed(hex: str) -> str:
    """Read packed decimals (COMP-3): two digits a byte, the last half byte is the sign."""
    digits = f"left({hex}, -1)"
    return (
        f"case when regexp_full_match({hex}, '[0-9]+[ACEF]') then {digits} "
        f"when regexp_full_match({hex}, '[0-9]+[BD]') then '-' || {digits} else {_broken(hex)} end"
    )


def binary(hex: str, width: int, signed: bool) -> str:
    """Read whole numbers (COMP, COMP-4, COMP-5), the highest byte first, negative ones as complement of two."""
    value = f"try_cast('0x' || {hex} as hugeint)"
    if signed:
        half = 1 << (8 * width - 1)
        value = f"case when {value} >= {half}::hugeint then {value} - {2 * half}::hugeint else {value} end"
    return f"coalesce(({value})::varchar, {_broken(hex)})"


def zoned(text: str, encoding: str) -> str:
    """Read digits whose last one carries the sign (overpunch); a sign of its own before them, or none, is fine, too."""
    plus, minus = _zones(encoding)
    signed, plain = plus + minus, "0123456789" * ((len(plus) + len(minus)) // 10)
    last = f"right({text}, 1)"
    sign = f"case when contains({literal(minus)}, {last}) then '-' else '' end"
    digits = f"left({text}, -1) || translate({last}, {literal(signed)}, {literal(plain)})"
    pattern = rf"[0-9]*[{re.escape(signed)}]"
    return f"case when regexp_full_match({text}, {literal(pattern)}) then {sign} || {digits} else {text} end"


def _zones(encoding: str) -> tuple[str, str]:
    """Return the characters of the last digits 0 to 9 that are positive, and of those that are negative."""
    if b"\xf0".decode(encoding, "replace") == "0":
        return bytes(range(0xC0, 0xCA)).decode(encoding), bytes(range(0xD0, 0xDA)).decode(encoding)
    # translated from EBCDIC; and as compilers on other machines write it
    return "{ABCDEFGHI", "}JKLMNOPQR" + "pqrstuvwxy"


def _broken(hex: str) -> str:
    return f"'x''' || {hex} || ''''"
