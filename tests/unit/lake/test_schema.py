"""Types: what Delta keeps, and what widens without loss."""

from __future__ import annotations

import pyarrow as pa
import pytest

from lagoa.errors import LakeError
from lagoa.lake.schema import common, delta_type, from_delta, same, same_type, to_delta, twice_named, widens


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        (pa.large_string(), pa.string()),
        (pa.timestamp("ns"), pa.timestamp("us")),
        (pa.timestamp("s", "America/Sao_Paulo"), pa.timestamp("us", "UTC")),
        (pa.decimal64(5, 2), pa.decimal128(5, 2)),
        (pa.int8(), pa.int8()),
        (pa.list_(pa.large_string()), pa.list_(pa.field("element", pa.string()))),
        (pa.struct([("a", pa.timestamp("ms"))]), pa.struct([("a", pa.timestamp("us"))])),
        (pa.map_(pa.string(), pa.int64()), pa.map_(pa.string(), pa.int64())),
    ],
)
def test_types_arrive_as_delta_keeps_them(kind: pa.DataType, kept: pa.DataType) -> None:
    assert delta_type(kind, "c") == kept
    assert from_delta(to_delta(pa.schema([("c", kind)]))).field("c").type == kept
    assert same_type(kind, kept)


@pytest.mark.parametrize("kind", [pa.uint64(), pa.time64("us"), pa.null(), pa.decimal256(40, 2), pa.duration("s")])
def test_types_that_delta_lacks_are_refused_by_column(kind: pa.DataType) -> None:
    with pytest.raises(LakeError, match="`c`") as raised:
        to_delta(pa.schema([("c", kind)]))
    assert raised.value.code == "LG-308"


WIDER = [
    (pa.int32(), pa.int64()),
    (pa.int64(), pa.decimal128(19, 0)),
    (pa.int32(), pa.decimal128(12, 2)),
    (pa.float32(), pa.float64()),
    (pa.int32(), pa.float64()),
    (pa.decimal128(10, 2), pa.decimal128(12, 2)),
    (pa.decimal128(10, 2), pa.decimal128(12, 4)),
    (pa.date32(), pa.timestamp("us")),
]


@pytest.mark.parametrize(("narrow", "wide"), WIDER)
def test_a_wider_type_holds_every_value(narrow: pa.DataType, wide: pa.DataType) -> None:
    assert widens(narrow, wide)
    assert not widens(wide, narrow)
    assert common(narrow, wide) == common(wide, narrow) == wide


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (pa.int64(), pa.float64()),
        (pa.int64(), pa.decimal128(18, 0)),
        (pa.decimal128(10, 2), pa.decimal128(11, 4)),
        (pa.decimal128(10, 2), pa.float64()),
        (pa.int64(), pa.string()),
        (pa.timestamp("us"), pa.timestamp("us", "UTC")),
        (pa.date32(), pa.timestamp("us", "UTC")),
    ],
)
def test_what_could_lose_a_value_does_not_widen(narrow: pa.DataType, wide: pa.DataType) -> None:
    assert not widens(narrow, wide)


def test_a_common_type_may_be_neither_of_the_two() -> None:
    assert common(pa.int64(), pa.decimal128(5, 2)) == pa.decimal128(21, 2)
    assert common(pa.decimal128(10, 0), pa.decimal128(5, 4)) == pa.decimal128(14, 4)
    assert common(pa.decimal128(38, 0), pa.decimal128(5, 4)) is None
    assert common(pa.int64(), pa.float64()) is None


def test_schemas_are_the_same_only_in_order_and_type() -> None:
    a = pa.schema([("x", pa.int64()), ("y", pa.string())])
    assert same(a, pa.schema([("x", pa.int64()), ("y", pa.large_string())]))
    assert not same(a, pa.schema([("y", pa.string()), ("x", pa.int64())]))
    assert not same(a, pa.schema([("x", pa.int32()), ("y", pa.string())]))
    assert not same(a, pa.schema([("x", pa.int64())]))


def test_names_are_told_apart_without_case() -> None:
    twice_named(["a", "b"])
    with pytest.raises(LakeError, match="upper and lower"):
        twice_named(["Ação", "ação"])
