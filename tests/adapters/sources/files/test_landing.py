"""A landing folder: which files are meant, what is news, and that nothing outside the folder is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lagoa.errors import SourceError

Load = Callable[..., Any]
Put = Callable[[str, bytes | str], Any]


def test_a_folder_level_becomes_a_column_exactly(load: Load, put: Put) -> None:
    put("in/c&a/orders.csv", "id\n1\n")
    put("in/renner/orders.csv", "id\n2\n")
    put("in/renner/old/orders.csv", "id\n3\n")
    loaded = load({"path": "{tenant}/orders.csv"}, source={"path": "in"})
    assert loaded.rows == [
        {"id": "1", "tenant": "c&a", "_source": "c&a/orders.csv:2"},
        {"id": "2", "tenant": "renner", "_source": "renner/orders.csv:2"},
    ]


def test_a_level_may_be_part_of_a_name_and_have_a_type(load: Load, put: Put) -> None:
    put("in/sales_2024.csv", "id\n1\n")
    put("in/sales_draft.csv", "id\n2\n")
    loaded = load({"path": "in/sales_{year}.csv", "columns": {"year": {"type": "integer"}}})
    assert loaded.column("year") == [2024]
    assert loaded.reasons() == ['in/sales_draft.csv:2 year: "draft" is not an integer']


def test_a_file_level_chooses_the_stream(load: Load, put: Put) -> None:
    put("in/a/orders.csv", "id\n1\n")
    put("in/a/customers.csv", "name\nAna\n")
    loaded = load({}, source={"path": "in/{tenant}/{stream}.csv"}, name="customers")
    assert loaded.rows == [{"name": "Ana", "tenant": "a", "_source": "a/customers.csv:2"}]


def test_a_level_called_like_a_column_is_an_error(load: Load, put: Put) -> None:
    put("in/a.csv", "id\n1\n")
    with pytest.raises(SourceError, match="`id` is a level of the path and a column"):
        load({"path": "in/{id}.csv"})


def test_files_come_in_natural_order_and_stars_stay_in_a_folder(load: Load, put: Put) -> None:
    for name in ("10.csv", "9.csv", "deep/11.csv", ".hidden.csv", "9.txt"):
        put(f"in/{name}", f"id\n{name}\n")
    assert load({"path": "in/*.csv"}).column("id") == ["9.csv", "10.csv"]
    assert load({"path": "in/**/*.csv"}).column("id") == ["9.csv", "10.csv", "deep/11.csv"]


@pytest.mark.parametrize("name", ["[x].csv", "a'b\".csv", "a;--.csv", "a\nb.csv", "{x}.csv", "%41.csv", "é ü.csv"])
def test_hostile_names_are_just_names(load: Load, put: Put, name: str) -> None:
    put(f"in/{name}", "id\n1\n")
    put("in/x.txt", "id\n2\n")
    loaded = load({"path": "in/*.csv"})
    assert loaded.column("id") == ["1"]
    assert "\n" not in loaded.rows[0]["_source"]


def test_a_bracket_in_a_path_is_a_letter(load: Load, put: Put) -> None:
    put("in/[x].csv", "id\n1\n")
    put("in/x.csv", "id\n2\n")
    assert load({"path": "in/[x].csv"}).column("id") == ["1"]


def test_nothing_outside_the_folder_is_read(load: Load, put: Put, tmp_path: Path) -> None:
    put("secret.csv", "id\n1\n")
    put("in/x.csv", "id\n2\n")
    with pytest.raises(SourceError, match="leads out of") as caught:
        load({"path": "../secret.csv"}, source={"path": "in"})
    assert caught.value.code == "LG-208"
    (tmp_path / "in/link.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(SourceError, match=r"`link\.csv` leads out of"):
        load({"path": "*.csv"}, source={"path": "in"})


def test_a_link_to_a_folder_outside_is_refused_and_one_in_a_circle_does_not_hang(
    load: Load, put: Put, tmp_path: Path
) -> None:
    put("other/x.csv", "id\n1\n")
    put("in/y.csv", "id\n2\n")
    (tmp_path / "in/again").symlink_to(tmp_path / "in")
    assert load({"path": "**/*.csv"}, source={"path": "in"}).column("id") == ["2"]
    (tmp_path / "in/out").symlink_to(tmp_path / "other")
    with pytest.raises(SourceError, match="leads out of"):
        load({"path": "{where}/x.csv"}, source={"path": "in"})


def test_no_file_is_an_error_that_names_folder_and_pattern(load: Load, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no file in .*in is called \*\.csv") as caught:
        load({"path": "*.csv"}, source={"path": "in"})
    assert caught.value.code == "LG-203"
    assert load({"path": "*.csv", "allow_missing": True}).rows == []


def test_only_new_files_are_read(load: Load, put: Put) -> None:
    put("in/1.csv", "id\n1\n")
    first = load({"path": "in/*.csv", "mode": "append"})
    assert load({"path": "in/*.csv", "mode": "append"}, since=first.cursor).batches == 0
    put("in/2.csv", "id\n2\n")
    second = load({"path": "in/*.csv", "mode": "append"}, since=first.cursor)
    assert second.column("id") == ["2"]
    assert set(second.cursor) == {"in/1.csv", "in/2.csv"}


def test_a_touched_file_is_no_news_and_a_changed_one_is_an_error(load: Load, put: Put, tmp_path: Path) -> None:
    path = put("in/1.csv", "id\n1\n")
    first = load({"path": "in/*.csv", "mode": "append"})
    path.touch()
    assert load({"path": "in/*.csv", "mode": "append"}, since=first.cursor).batches == 0
    path.write_text("id\n7\n")
    with pytest.raises(SourceError, match=r"in/1\.csv was loaded") as caught:
        load({"path": "in/*.csv", "mode": "append"}, since=first.cursor)
    assert caught.value.code == "LG-209"
    assert "changed: reload" in str(caught.value.hint)
    again = load({"path": "in/*.csv", "mode": "append", "changed": "reload"}, since=first.cursor)
    assert again.column("id") == ["7"]


def test_a_changed_file_is_read_again_by_a_merge(load: Load, put: Put) -> None:
    put("in/1.csv", "id\n1\n")
    first = load({"path": "in/*.csv", "mode": "merge", "key": "id"})
    put("in/1.csv", "id\n1\n2\n")
    assert load({"path": "in/*.csv", "mode": "merge", "key": "id"}, since=first.cursor).column("id") == ["1", "2"]


def test_a_replace_of_the_same_files_is_no_news(load: Load, put: Put, tmp_path: Path) -> None:
    put("in/1.csv", "id\n1\n")
    put("in/2.csv", "id\n2\n")
    first = load({"path": "in/*.csv"})
    assert load({"path": "in/*.csv"}, since=first.cursor).batches == 0
    (tmp_path / "in/1.csv").unlink()
    assert load({"path": "in/*.csv"}, since=first.cursor).column("id") == ["2"]


def test_a_file_that_grows_while_it_is_read_stops_the_reading(
    load: Load, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put("in/1.csv", "id\n1\n")
    from lagoa.kit.delimited import read

    columns = read.Delimited.columns

    def growing(self: Any, found: Any) -> Any:
        answer = columns(self, found)
        with path.open("a") as file:
            file.write("2\n")
        return answer

    monkeypatch.setattr(read.Delimited, "columns", growing)
    with pytest.raises(SourceError, match="changed while it was read") as caught:
        load({"path": "in/*.csv"})
    assert caught.value.retry


def test_an_absolute_path_and_an_environment_folder_are_fine(load: Load, put: Put, tmp_path: Path) -> None:
    path = put("elsewhere/x.csv", "id\n1\n")
    assert load({"path": str(path)}, folder=tmp_path / "project").rows == [{"id": "1", "_source": "x.csv:2"}]


def test_options_of_the_source_hold_for_streams_that_say_nothing(load: Load, put: Put) -> None:
    put("x.csv", "a;b\n1;2,5\n")
    source = {"delimiter": ";", "decimal": ","}
    columns = {"b": {"type": "decimal(5, 2)"}}
    assert str(load({"path": "x.csv", "columns": columns}, source=source).column("b")) == "[Decimal('2.50')]"
    assert list(load({"path": "x.csv", "delimiter": ","}, source=source).columns) == ["a_b"]
