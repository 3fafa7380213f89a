"""A person sees the first rows as text, and how many more there are."""

from __future__ import annotations

import pytest

from lagoa.ports import Session
from lagoa.serve import sample as module
from lagoa.serve.sample import sample


def test_the_first_rows_are_text_and_the_others_are_counted(session: Session) -> None:
    found = sample(session, "select range as n, null as x, [1.50, null] as l from range(1000)", 2)
    assert found.headers == ["n", "x", "l"]
    assert found.rows == [["0", None, "[1.50,null]"], ["1", None, "[1.50,null]"]]
    assert (found.more, found.open_end, found.right) == (998, False, frozenset([0]))


def test_counting_ends_where_it_would_cost_more_than_it_tells(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COUNTED", 100)
    found = sample(session, "select * from range(1_000_000)", 5)
    assert (len(found.rows), found.more, found.open_end) == (5, 100, True)
