"""Made-up values: the same for the same, never a real one, in the column's type, wherever the real one stood."""

from __future__ import annotations

import pyarrow as pa

from lagoa.run.trial.mask import masked

TEXT = pa.string()


def test_the_same_value_is_hidden_by_the_same_made_up_one_in_every_table() -> None:
    found = masked(
        {"a": {"cpf": ["529.982.247-25", None], "n": ["1", "2"]}, "b": {"doc": ["52998224725", "11144477735"]}},
        {"a": {"cpf": "cpf"}, "b": {"doc": "cpf"}},
        {"a": pa.schema([("cpf", TEXT), ("n", pa.int64())]), "b": pa.schema([("doc", TEXT)])},
    )
    assert found == {
        "a": {"cpf": ["000.000.001-91", None], "n": ["1", "2"]},
        "b": {"doc": ["00000000191", "00000000272"]},
    }


def test_a_made_up_value_is_never_a_real_one() -> None:
    schema = pa.schema([("m", TEXT)])
    found = masked({"a": {"m": ["person1@example.com", "x@y.org"]}}, {"a": {"m": "email"}}, {"a": schema})
    assert found["a"]["m"] == ["person2@example.com", "person3@example.com"]


def test_values_keep_the_type_of_their_column_and_what_has_no_like_is_null() -> None:
    schema = pa.schema(
        [("born", pa.date32()), ("rg", pa.int64()), ("ok", pa.bool_()), ("tags", pa.list_(TEXT)), ("empty", TEXT)]
    )
    cells: dict[str, list[str | None]] = {
        "born": ["1990-02-03"],
        "rg": ["12345678"],
        "ok": ["true"],
        "tags": ['["x"]'],
        "empty": [" "],
    }
    found = masked({"a": cells}, {"a": dict.fromkeys(cells, "personal") | {"born": "birth"}}, {"a": schema})["a"]
    assert found["born"] == ["2000-01-02"]
    assert found["rg"] is not None
    assert found["rg"] != ["12345678"]
    assert str(found["rg"][0]).isdigit()
    assert (found["ok"], found["tags"], found["empty"]) == ([None], [None], [" "])


def test_personal_values_are_hidden_where_nobody_called_them_personal() -> None:
    found = masked(
        {"a": {"name": ["Ana Souza", "Bo"], "note": ["ANA SOUZA called", "Bonfim 12"]}},
        {"a": {"name": "name"}},
        {"a": pa.schema([("name", TEXT), ("note", TEXT)])},
    )
    assert found["a"]["name"] == ["Person 1", "Person 2"]
    assert found["a"]["note"] == ["Person 1 called", "Bonfim 12"]


def test_a_cnpj_has_right_check_digits() -> None:
    found = masked({"a": {"c": ["11.222.333/0001-81"]}}, {"a": {"c": "cnpj"}}, {"a": pa.schema([("c", TEXT)])})
    assert found["a"]["c"] == ["00.000.001/0001-36"]
