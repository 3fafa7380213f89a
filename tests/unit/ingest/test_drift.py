"""What becomes of a stream's columns when they are not the table's any more."""

from __future__ import annotations

from typing import Any, Literal

import pyarrow as pa
import pytest

from lagoa.errors import SourceError
from lagoa.ingest.drift import settle
from lagoa.spec.stream import Stream

Policy = Literal["evolve", "freeze", "quarantine"]


def schema(**columns: Any) -> pa.Schema:
    return pa.schema([pa.field(name, kind) for name, kind in columns.items()])


def stream(policy: Policy = "evolve") -> Stream:
    return Stream.model_validate({"schema": policy})


HELD = schema(id=pa.int64(), name=pa.string())


def test_columns_that_come_in_another_order_are_the_same_columns() -> None:
    drift = settle(schema(name=pa.string(), id=pa.int64()), HELD, stream("freeze"), {}, "erp.x")
    assert drift.schema == HELD
    assert not drift.notes


def test_a_new_column_is_added_at_the_end_and_said() -> None:
    drift = settle(schema(id=pa.int64(), email=pa.string(), name=pa.string()), HELD, stream(), {}, "erp.x")
    assert drift.schema.names == ["id", "name", "email"]
    assert drift.added == ["email"]
    assert drift.notes == ["new column email"]


def test_a_column_that_no_longer_arrives_stays_and_is_said() -> None:
    drift = settle(schema(id=pa.int64()), HELD, stream(), {}, "erp.x")
    assert drift.schema == HELD
    assert drift.missing == ["name"]
    assert "name no longer arrives" in drift.notes[0]


def test_a_renamed_column_is_one_that_went_and_one_that_came() -> None:
    drift = settle(schema(id=pa.int64(), nome=pa.string()), HELD, stream(), {}, "erp.x")
    assert (drift.missing, drift.added) == (["name"], ["nome"])


def test_a_frozen_stream_refuses_every_change_by_name() -> None:
    with pytest.raises(SourceError, match="new column nome; column name no longer arrives") as caught:
        settle(schema(id=pa.int64(), nome=pa.string()), HELD, stream("freeze"), {}, "erp.x")
    assert caught.value.code == "LG-204"


def test_under_quarantine_a_new_column_is_kept_out_of_the_table() -> None:
    drift = settle(schema(id=pa.int64(), name=pa.string(), x=pa.string()), HELD, stream("quarantine"), {}, "erp.x")
    assert drift.schema == HELD
    assert (drift.added, drift.refused) == ([], ["x"])


def test_names_that_differ_only_in_case_from_the_tables_are_the_tables() -> None:
    drift = settle(schema(ID=pa.int64(), Name=pa.string()), HELD, stream("freeze"), {}, "erp.x")
    assert drift.arriving == {"id": "ID", "name": "Name"}


def test_two_columns_that_differ_only_in_case_are_refused() -> None:
    with pytest.raises(SourceError) as caught:
        settle(schema(id=pa.int64(), ID=pa.int64()), None, stream(), {}, "erp.x")
    assert caught.value.code == "LG-206"


def test_a_narrower_type_arrives_in_the_tables_own() -> None:
    drift = settle(schema(id=pa.int32(), name=pa.string()), HELD, stream("freeze"), {}, "erp.x")
    assert drift.schema == HELD
    assert not drift.doubtful


def test_a_wider_type_widens_the_table_when_it_loses_nothing() -> None:
    drift = settle(schema(id=pa.int64()), schema(id=pa.int32()), stream(), {}, "erp.x")
    assert drift.schema == schema(id=pa.int64())
    assert drift.widened == ["id"]


def test_a_type_that_fits_only_sometimes_leaves_the_table_and_doubts_the_values() -> None:
    drift = settle(schema(id=pa.string(), name=pa.string()), HELD, stream(), {}, "erp.x")
    assert drift.schema == HELD
    assert drift.doubtful == ["id"]


def test_a_declared_type_wins_over_what_arrives() -> None:
    declared = {"id": pa.decimal128(20, 0)}
    drift = settle(schema(id=pa.int64()), None, stream(), declared, "erp.x")
    assert drift.schema == schema(id=pa.decimal128(20, 0))
    assert not drift.doubtful
    drift = settle(schema(id=pa.string()), None, stream(), {"id": pa.int64()}, "erp.x")
    assert drift.doubtful == ["id"]
