"""The contract of sources finds what a source does wrong: a suite that nobody can fail would prove nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pytest

from lagoa.ports import SOURCE, Batch, Engine, Portion, Reading, Source
from lagoa.spec.stream import Stream
from lagoa.testing.sources import Reader, SourceContract

CANARY = "c4n@ry-token"


class Counting(Source):
    """Gives the numbers from 1 on, two in a batch, and does wrong what it is told to."""

    fault: str = ""
    """What it does wrong."""
    streams: Mapping[str, Stream]

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Read on from a number."""
        seen: Any = reading.since or 0
        for start in range(seen, 2 if self.fault == "is short" else 6, 2):
            names = ["id", "more"] if self.fault == "other columns" and start else ["id"]
            columns = {name: pa.array([start + 1, start + 2], pa.int64()) for name in names}
            rows = pa.table({**columns, SOURCE: pa.array(["rows", "rows"])})
            cursor = {"loses": start + 4, "repeats": start}.get(self.fault, start + 2)
            notes = [f"hello {CANARY}"] if self.fault == "tells" else []
            portion = Portion(rows.to_reader(), label=CANARY if self.fault == "labels" else "rows")
            yield Batch(iter([portion]), rows.drop_columns([SOURCE]).schema, partial(int, cursor), notes=notes)


class AtLeastOnce(Counting):
    """Says that rows may come twice."""

    guarantee: ClassVar[Literal["exactly once", "at least once"]] = "at least once"


class Contract(SourceContract):
    """The suite, with what belongs to the source."""

    secrets = (CANARY,)


Read = Callable[[Source], Reader]


@pytest.fixture
def read(engine: Engine, tmp_path: Path) -> Read:
    return lambda source: Reader(source, tmp_path, engine, tmp_path / "scratch")


def counting(fault: str = "", kind: type[Counting] = Counting, **stream: Any) -> Counting:
    return kind(type="counting", fault=fault, streams={"rows": Stream(cursor="id", **{"mode": "append", **stream})})


def killed(source: Source, read: Read) -> None:
    Contract().test_a_reading_that_is_killed_after_any_batch_is_taken_up(source, read(source))


def test_an_honest_source_passes(read: Read) -> None:
    killed(counting(), read)
    Contract().test_nothing_that_is_read_shows_a_secret(counting(), read(counting()))
    Contract().test_an_unknown_option_is_refused(counting())


@pytest.mark.parametrize("fault", ["loses", "repeats"])
def test_rows_that_a_kill_loses_or_repeats_are_found(fault: str, read: Read) -> None:
    with pytest.raises(AssertionError, match="killed after 1 batches"):
        killed(counting(fault), read)


def test_a_merge_may_read_rows_again_and_may_not_lose_them(read: Read) -> None:
    killed(counting("repeats", mode="merge", key="id"), read)
    with pytest.raises(AssertionError, match="killed after 1 batches"):
        killed(counting("loses", mode="merge", key="id"), read)


def test_who_says_at_least_once_may_repeat_and_may_not_lose(read: Read) -> None:
    killed(counting("repeats", AtLeastOnce), read)
    with pytest.raises(AssertionError):
        killed(counting("loses", AtLeastOnce), read)


def test_two_schemas_of_one_stream_are_found(read: Read) -> None:
    with pytest.raises(AssertionError, match="one stream, two schemas"):
        read(counting("other columns")).read("rows")


@pytest.mark.parametrize("fault", ["tells", "labels"])
def test_a_secret_in_what_people_read_is_found(fault: str, read: Read) -> None:
    source = counting(fault)
    with pytest.raises(AssertionError):
        Contract().test_nothing_that_is_read_shows_a_secret(source, read(source))


def test_a_stream_that_comes_in_one_batch_against_its_word_is_found(read: Read) -> None:
    class Promised(Contract):
        in_batches = ("rows",)

    many, one = counting(), counting("is short")
    Promised().test_a_reading_that_is_killed_after_any_batch_is_taken_up(many, read(many))
    with pytest.raises(AssertionError, match="rows comes in one batch"):
        Promised().test_a_reading_that_is_killed_after_any_batch_is_taken_up(one, read(one))


@pytest.mark.parametrize("kind", [Counting, AtLeastOnce])
def test_a_page_that_promises_something_else_is_found(kind: type[Counting], tmp_path: Path) -> None:
    class Paged(Contract):
        page = tmp_path / "counting.md"

    (tmp_path / "counting.md").write_text("**Exactly once**, or so it says.")
    if kind is Counting:
        Paged().test_the_page_states_the_guarantee(counting())
    else:
        with pytest.raises(AssertionError):
            Paged().test_the_page_states_the_guarantee(counting(kind=AtLeastOnce))
