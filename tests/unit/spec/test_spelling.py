"""The user's spelling of a column gives way to the table's."""

from __future__ import annotations

from lagoa.spec.model import ModelHeader
from lagoa.spec.spelling import spelled
from lagoa.spec.stream import Stream


def test_columns_keys_and_partitions_are_called_as_the_table_calls_them() -> None:
    header = ModelHeader.model_validate({"key": "ID", "partition_by": ["uf"], "columns": {"cpf": {"pii": "cpf"}}})
    found = spelled(header, ["Id", "CPF", "UF"])
    assert (found.key, found.partition_by, list(found.columns)) == (("Id",), ("UF",), ["CPF"])
    assert found.columns["CPF"].pii == "cpf"


def test_what_the_table_lacks_keeps_its_name() -> None:
    assert spelled(Stream.model_validate({"mode": "merge", "key": "nope"}), ["id"]).key == ("nope",)
