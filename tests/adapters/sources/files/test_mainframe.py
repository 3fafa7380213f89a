"""Numbers as mainframes store them: exact, or in the quarantine with their bytes; never another number."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

Load = Callable[..., Any]
Put = Callable[[str, bytes | str], Path]
NUMBERS: dict[str, Any] = {"n": {"width": 4, "stored": "packed", "type": "decimal(7, 2)"}}


def packed(value: int, width: int, sign: str = "") -> bytes:
    """Write a packed decimal, by the rule of IBM's Principles of Operation: two digits a byte, the sign at the end."""
    return bytes.fromhex(f"{abs(value):0{2 * width - 1}d}{sign or ('D' if value < 0 else 'C')}")


def zoned(value: int, width: int) -> bytes:
    """Write EBCDIC digits of which the last one's zone is the sign."""
    digits = f"{abs(value):0{width}d}"
    return digits[:-1].encode("cp037") + bytes([(0xD0 if value < 0 else 0xC0) + int(digits[-1])])


def read(load: Load, columns: dict[str, Any], length: int, **more: Any) -> Any:
    stream = {"path": "x.dat", "format": "fixed", "encoding": "cp037", "record_length": length, "columns": columns}
    return load({**stream, **more})


@pytest.mark.parametrize("encoding", ["cp037", "cp500", "cp273"])
def test_every_way_to_store_a_number_is_read_exactly(load: Load, put: Put, encoding: str) -> None:
    columns = {
        "name": {"width": 5},
        "paid": {"width": 4, "stored": "packed", "type": "decimal(7, 2)"},
        "owed": {"width": 6, "stored": "zoned", "type": "decimal(6, 2)"},
        "count": {"width": 2, "stored": "binary", "type": "integer"},
        "big": {"width": 8, "stored": "unsigned", "type": "decimal(20, 0)"},
        "city": {"width": 3},
    }
    rows = [
        ("João", 1234567, -1234, -2, 2**64 - 1, "Rio"),
        ("", -1, 0, 2**15 - 1, 0, "São"),
        ("x", 0, 999999, 0, 1, ""),
    ]
    put(
        "x.dat",
        b"".join(
            name.ljust(5).encode(encoding)
            + packed(paid, 4)
            + zoned(owed, 6)
            + count.to_bytes(2, "big", signed=True)
            + big.to_bytes(8, "big")
            + city.ljust(3).encode(encoding)
            for name, paid, owed, count, big, city in rows
        ),
    )
    loaded = read(load, columns, 28, encoding=encoding)
    assert loaded.reasons() == []
    assert [tuple(row[name] for name in columns) for row in loaded.rows] == [
        (name or None, Decimal(paid) / 100, Decimal(owed) / 100, count, big, city or None)
        for name, paid, owed, count, big, city in rows
    ]
    assert [row["_source"] for row in loaded.rows] == ["x.dat:1", "x.dat:2", "x.dat:3"]


def test_no_byte_in_a_packed_number_gives_a_wrong_one(load: Load, put: Put) -> None:
    put("x.dat", b"".join(bytes.fromhex("000123") + bytes([byte]) for byte in range(256)))
    loaded = read(load, NUMBERS, 4)
    truth, refused = {}, []
    for byte in range(256):
        digit, sign = divmod(byte, 16)
        if digit < 10 and sign > 9:
            truth[f"x.dat:{byte + 1}"] = Decimal(1230 + digit) / (-100 if sign in (0xB, 0xD) else 100)
        else:
            refused.append(f"x.dat:{byte + 1} n: \"x'000123{byte:02X}'\" is not a decimal(7, 2)")
    assert {row["_source"]: row["n"] for row in loaded.rows} == truth
    assert loaded.reasons() == refused


def test_no_byte_in_a_zoned_number_gives_a_wrong_one(load: Load, put: Put) -> None:
    put("x.dat", b"".join("12".encode("cp037") + bytes([byte]) for byte in range(256)))
    loaded = read(load, {"n": {"width": 3, "stored": "zoned", "type": "integer"}}, 3)
    places = [divmod(byte, 16) for byte in range(256)]
    assert {row["_source"]: row["n"] for row in loaded.rows} == {
        f"x.dat:{nth}": -(120 + digit) if zone == 0xD else 120 + digit
        for nth, (zone, digit) in enumerate(places, 1)
        if zone in (0xC, 0xD, 0xF) and digit < 10
    }
    assert len(loaded.rows) + len(loaded.reasons()) == 256


def test_an_unsigned_number_of_whole_bytes_is_no_text(load: Load, put: Put) -> None:
    """Blanks of EBCDIC are a number, too, when the field is binary."""
    put("x.dat", b"\x40\x40")
    loaded = read(load, {"n": {"width": 2, "stored": "binary", "type": "integer"}}, 2)
    assert loaded.column("n") == [0x4040]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("12{", 120), ("12A", 121), ("12I", 129), ("12}", -120), ("12J", -121), ("12R", -129), ("12p", -120)),
        *(("12y", -129), ("123", 123), ("-12", -12), ("+12", 12), (" 1{", 10), ("   ", None)),
    ],
)
def test_zoned_numbers_in_lines_of_ascii_are_read_in_both_conventions(
    load: Load, put: Put, text: str, value: int | None
) -> None:
    put("x.dat", f"{text}|\n")
    columns: dict[str, Any] = {"n": {"width": 3, "stored": "zoned", "type": "integer"}, "end": {"width": 1}}
    assert load({"path": "x.dat", "format": "fixed", "columns": columns}).column("n") == [value]


@pytest.mark.parametrize("text", ["12S", "12z", "1A2", "A-1", "12[", "1-2", "12 "])
def test_zoned_numbers_that_are_none_are_refused(load: Load, put: Put, text: str) -> None:
    put("x.dat", f"{text}|\n")
    columns: dict[str, Any] = {"n": {"width": 3, "stored": "zoned", "type": "integer"}, "end": {"width": 1}}
    loaded = load({"path": "x.dat", "format": "fixed", "columns": columns})
    assert loaded.reasons() == [f'x.dat:1 n: "{text}" is not an integer']


def test_blanks_and_low_values_are_null_when_that_is_said(load: Load, put: Put) -> None:
    put("x.dat", b"\x40" * 4 + b"\0" * 4 + packed(1, 4))
    assert read(load, NUMBERS, 4).column("n") == [Decimal("0.01")]
    loaded = read(load, NUMBERS, 4, null_values=["x'40404040'", "x'00000000'"])
    assert loaded.column("n") == [None, None, Decimal("0.01")]


def test_line_ends_in_numbers_are_bytes_and_in_text_refused(load: Load, put: Put) -> None:
    ends = ["\n".encode("cp037"), "\r".encode("cp037"), b"\n", b"\r"]
    columns: dict[str, Any] = {"t": {"width": 2}, "n": {"width": 2, "stored": "unsigned", "type": "integer"}}
    put("x.dat", b"".join("ab".encode("cp037") + end + end for end in ends) + "a\nxx".encode("cp037"))
    loaded = read(load, columns, 4)
    assert loaded.column("n") == [int.from_bytes(end * 2, "big") for end in ends]
    assert loaded.reasons() == ["x.dat:5 it holds the control character 0x01 or a line end"]


def test_a_record_that_is_torn_is_refused(load: Load, put: Put) -> None:
    put("x.dat", packed(1, 4) + packed(2, 4)[:3])
    loaded = read(load, NUMBERS, 4)
    assert loaded.column("n") == [Decimal("0.01")]
    assert loaded.reasons() == ["x.dat:2 it has 3 characters where 4 are expected"]


def test_a_number_that_its_type_cannot_hold_is_refused(load: Load, put: Put) -> None:
    put("x.dat", packed(1234567, 4) + packed(-100, 4))
    loaded = read(load, {"n": {"width": 4, "stored": "packed", "type": "decimal(5, 2)"}}, 4)
    assert loaded.column("n") == [Decimal("-1.00")]
    assert loaded.reasons() == ['x.dat:1 n: "1234567" is not a decimal(5, 2)']


def test_fields_that_redefine_each_other_are_each_read(load: Load, put: Put) -> None:
    columns: dict[str, Any] = {
        "whole": {"width": 4, "stored": "unsigned", "type": "bigint"},
        "low": {"start": 3, "width": 2, "stored": "binary", "type": "integer"},
        "end": {"start": 5, "width": 1},
    }
    put("x.dat", b"\x00\x01\xff\xfe" + "z".encode("cp037"))
    assert [list(row.values())[:3] for row in read(load, columns, 5).rows] == [[0x1FFFE, -2, "z"]]


def test_types_of_records_and_dropped_numbers_go_together(load: Load, put: Put) -> None:
    put("x.dat", b"".join(k.encode("cp037") + packed(7, 2) + packed(9, 2) for k in "HDDT") + b"\xc4\x00\x00" * 2)
    columns: dict[str, Any] = {
        "kind": {"width": 1},
        "secret": {"width": 2, "stored": "packed", "drop": True},
        "n": {"width": 2, "stored": "packed", "type": "integer"},
    }
    loaded = read(load, columns, 5, lines="D*")
    assert loaded.column("n") == [9, 9]
    assert [row["_raw"] for row in loaded.refused] == ["D C400"]
    assert "secret" not in loaded.columns


@pytest.mark.parametrize(
    ("column", "more", "words"),
    [
        ({"stored": "packed", "width": 4}, {"record_length": None}, "`record_length:` must be said"),
        ({"stored": "packed", "width": 4}, {"record_length": 3}, "is shorter than its columns"),
        ({"stored": "packed", "width": 4}, {"encoding": "utf-8"}, "characters of several bytes"),
        ({"stored": "binary", "width": 9}, {}, "1 to 8 bytes"),
        ({"stored": "zoned"}, {}, "`stored` needs `width`"),
        ({"stored": "zoned", "width": 4, "decimal": ","}, {}, "has no decimal separator"),
    ],
)
def test_what_cannot_be_meant_is_refused(load: Load, column: dict[str, Any], more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        read(load, {"n": column}, 4, **more)


def test_many_records_are_read_piece_by_piece(load: Load, put: Put) -> None:
    random, count = Random(1), 200_000
    values = [random.randrange(-(10**15), 10**15) for _ in range(count)]
    put("x.dat", b"".join(packed(v, 8) + (v % 60000).to_bytes(4, "big") + "ç".encode("cp037") * 40 for v in values))
    columns: dict[str, Any] = {
        "n": {"width": 8, "stored": "packed", "type": "decimal(15, 0)"},
        "b": {"width": 4, "stored": "binary", "type": "integer"},
        "t": {"width": 40},
    }
    loaded = read(load, columns, 52)
    assert loaded.column("n") == values
    assert loaded.column("b") == [v % 60000 for v in values]
    assert {row["t"] for row in loaded.rows} == {"ç" * 40}
