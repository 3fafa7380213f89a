"""Numbers and times read the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lagoa.cli.screen import duration, moment, size, some


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0.04, "0.0 s"), (59.94, "59.9 s"), (125, "2 min 05 s"), (3780, "1 h 03 min")],
)
def test_a_length_of_time_is_short(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(None, ""), (0, "0 B"), (999, "999 B"), (1500, "1.5 KB"), (2.5e8, "250 MB"), (3e12, "3.0 TB")],
)
def test_bytes_are_read_in_their_unit(count: int | None, words: str) -> None:
    assert size(count) == words


def test_a_noun_agrees_with_its_number() -> None:
    assert [some(n, "row") for n in (0, 1, 1200)] == ["0 rows", "1 row", "1,200 rows"]
    assert some(2, "table needs", "tables need") == "2 tables need"


def test_a_time_is_the_projects() -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    zone = "America/Sao_Paulo"
    assert moment(datetime(2026, 11, 20, 9, 14, tzinfo=UTC), zone, now) == "today 06:14"
    assert moment(datetime(2026, 11, 20, 1, 0, tzinfo=UTC), zone, now) == "2026-11-19 22:00"
    assert moment(None, zone, now) == ""
