"""Headers: where they end, and that the body keeps its place in the file."""

from __future__ import annotations

import pytest

from lagoa.errors import ProjectError
from lagoa.project.header import split_python, split_sql


def test_the_body_begins_on_the_line_below_the_header() -> None:
    split = split_sql("/*\nkind: view\n*/\nselect 1\n", "m.sql")
    assert split.header.value == {"kind": "view"}
    assert (split.body, split.body_line) == ("select 1\n", 4)


def test_a_file_without_header_is_all_body() -> None:
    split = split_sql("select 1 /* not a header */", "m.sql")
    assert (split.header.value, split.body_line) == (None, 1)


def test_a_query_on_the_header_s_last_line_keeps_its_columns() -> None:
    split = split_sql("/* kind: view */ select 1", "m.sql")
    assert split.body.index("select") == len("/* kind: view */ ")
    assert split.body_line == 1


def test_line_comments_may_stand_above_the_header() -> None:
    split = split_sql("-- (c) Loja\n\n/*\nkind: view\n*/\nselect 1", "m.sql")
    assert split.header.value == {"kind": "view"}
    assert split.body_line == 6


def test_the_header_knows_its_lines_in_the_file() -> None:
    split = split_sql("\n\n/*\nkind: view\n*/select 1", "m.sql")
    assert str(split.header.key(("kind",))) == "m.sql:4:1"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("/*\nkind: view\nselect 1", "m.sql:1:1", "never closed"),
        ("/*\ndescription: a /* b\n*/\nselect 1", "m.sql:2:16", "stands inside the header"),
        ("/*\ndescription: a */ b\n*/\nselect 1", "m.sql:2:16", "ends here, before its last line"),
        ("/*\npath: data/*/x.csv\n*/\nselect 1", "m.sql:2:12", "ends here, before its last line"),
        ("/* Copyright 2026 Loja */\nselect 1", "m.sql:1:1", "holds no `key: value`"),
    ],
)
def test_a_header_that_cannot_be_one_is_told(text: str, place: str, words: str) -> None:
    with pytest.raises(ProjectError) as caught:
        split_sql(text, "m.sql")
    assert caught.value.code == "LG-106"
    assert str(caught.value.place) == place
    assert words in caught.value.message


def test_comments_in_the_body_are_no_headers() -> None:
    assert split_sql("/* kind: view */\nselect 1 /* a */ , 2 /* b */", "m.sql").header.value == {"kind": "view"}


PYTHON = '''"""Who leaves.

---
inputs: {orders: silver.orders}
description: 'A pattern: \\d+'
"""

import nothing_that_exists


def model(orders):
    return orders
'''


def test_a_python_header_follows_three_dashes_and_nothing_is_imported() -> None:
    split = split_python(PYTHON, "m.py")
    assert split.header.value == {"inputs": {"orders": "silver.orders"}, "description": r"A pattern: \d+"}
    assert str(split.header.key(("inputs",))) == "m.py:4:1"
    assert split.body_line == 7
    assert split.body.lstrip().startswith("import nothing_that_exists")


def test_a_docstring_without_dashes_is_only_a_docstring() -> None:
    assert split_python('"""Words."""\ndef model(): ...\n', "m.py").header.value is None
    long = '"""Words.\n\nkind: of words, with a colon.\n"""\ndef model(): ...\n'
    assert split_python(long, "m.py").header.value is None


def test_python_that_cannot_be_read_is_told_with_its_line() -> None:
    with pytest.raises(ProjectError, match="cannot be read") as caught:
        split_python("def model(:\n    pass\n", "m.py")
    assert caught.value.code == "LG-115"
    assert str(caught.value.place) == "m.py:1:11"
