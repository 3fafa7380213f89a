"""YAML: what a scalar means, and where everything stands."""

from __future__ import annotations

import pytest

from lagoa.errors import ProjectError
from lagoa.project.yaml import discreet, read


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("NO", "NO"),
        ("012", "012"),
        ("01310-100", "01310-100"),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("190:20", "190:20"),
        ("2020-01-01", "2020-01-01"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-7", -7),
        ("3.5", 3.5),
        ("1e3", 1000.0),
        ('"5"', "5"),
        ("'true'", "true"),
        ("12345678901234567890123", 12345678901234567890123),
        ("0.10", 0.1),
    ],
)
def test_a_plain_word_means_what_it_looks_like(written: str, meant: object) -> None:
    value = read(f"key: {written}", "f.yml").value["key"]
    assert value == meant
    assert type(value) is type(meant)


def test_every_key_and_value_knows_its_place() -> None:
    document = read("a:\n  b: [1, {c: x}]\n", "f.yml", first_line=10)
    assert str(document.key(("a", "b"))) == "f.yml:11:3"
    assert str(document.at(("a", "b", 0))) == "f.yml:11:7"
    assert str(document.key(("a", "b", 1, "c"))) == "f.yml:11:11"
    assert str(document.at(("a", "b", 1, "c"))) == "f.yml:11:14"
    assert document.at(("a", "b", 1, "c")).text == "  b: [1, {c: x}]"


def test_what_is_not_there_is_placed_at_what_would_hold_it() -> None:
    assert str(read("a:\n  b: 1\n", "f.yml").at(("a", "zz", "y"))) == "f.yml:2:3"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3", 3, "a second time (first on line 1)"),
        ("a:\n\tb: 1", 2, "a tab indents this line"),
        ("a: b: c", 1, "a `: ` stands where none can"),
        ("a: &x [*x]", 1, "refers to what holds it"),
        ("a: !python/object:os.system 1", 1, "means nothing here"),
        ("a: 1\n---\nb: 2", 2, "a second document"),
        ("a: [1,\n 2", 1, "a list `[` is never closed"),
        ("a: {b: 1", 1, "a mapping `{` is never closed"),
        ("a: 'b\n", 1, "a quote is never closed"),
        ("a: *b", 1, "an alias that nothing defines"),
        ("a: @b", 1, "begins no text"),
        ("a: 1\nb", 2, "lacks its `: `"),
        (" a: 1\nb: 2", 2, "the indentation does not fit"),
        ("? [a]\n: 1", 1, "a key is a word"),
        ("ok: 1\nbad: \x07", 2, "a character that YAML forbids"),
    ],
)
def test_what_is_not_yaml_is_told_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ProjectError) as caught:
        read(text, "f.yml")
    assert caught.value.code == "LG-104"
    assert words in caught.value.message
    assert caught.value.place is not None
    assert caught.value.place.line == line


def test_a_key_that_looks_like_a_number_or_a_boolean_stays_a_word() -> None:
    assert read("{1: a, true: b, null: c, on: d}", "f.yml").value == {"1": "a", "true": "b", "null": "c", "on": "d"}


@pytest.mark.parametrize(
    "line",
    ["password: hunter2", "  my_token: 'hunter2'", "connection: postgres://u:hunter2@h/db", "{senha: hunter2, x: 1}"],
)
def test_a_line_that_is_shown_hides_what_may_be_a_password(line: str) -> None:
    assert "hunter2" not in discreet(line)


def test_a_reference_to_a_secret_may_be_shown() -> None:
    assert discreet("connection: ${secret:erp}") == "connection: ${secret:erp}"
