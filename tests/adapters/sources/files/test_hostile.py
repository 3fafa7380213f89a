"""Hostile names and content stay inside the project, and end soon and clearly."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lagoa.errors import SourceError
from lagoa.kit.delimited.read import Delimited
from lagoa.kit.json_records.read import JsonRecords
from lagoa.kit.pieces import pieces

Load = Callable[..., Any]
Put = Callable[[str, bytes | str], Any]
SECONDS = 20.0  # 5 on a quiet machine; what matters is that it ends soon


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Nothing hostile takes long."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SECONDS


@pytest.mark.parametrize(
    "name",
    ["'; DROP TABLE x; --.csv", "🙂.csv", "a\nb\x1b[31m.csv", "$(id).csv", "\u202egnp.csv", "-rf.csv"],
)
def test_a_name_is_never_more_than_a_name(load: Load, put: Put, name: str) -> None:
    put(f"in/{name}", "id\n1\n")
    loaded = load({"path": "in/*.csv", "mode": "append"})
    assert loaded.column("id") == ["1"]
    assert loaded.rows[0]["_source"].isprintable()
    assert load({"path": "in/*.csv", "mode": "append"}, since=loaded.cursor).batches == 0


def test_pipes_devices_and_sockets_are_no_files(load: Load, put: Put, tmp_path: Path) -> None:
    put("in/x.csv", "id\n1\n")
    os.mkfifo(tmp_path / "in/pipe.csv")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "in/socket.csv"))
        assert load({"path": "in/*.csv"}).column("id") == ["1"]


@pytest.mark.parametrize("to", ["/dev/zero", "/etc/passwd", "/proc/self/mem"])
def test_a_link_out_of_the_folder_is_never_followed(load: Load, put: Put, tmp_path: Path, to: str) -> None:
    put("in/x.csv", "id\n1\n")
    (tmp_path / "in/y.csv").symlink_to(to)
    if Path(to).is_file():
        with pytest.raises(SourceError, match="leads out of") as caught:
            load({"path": "*.csv"}, source={"path": "in"})
        assert caught.value.code == "LG-208"
    else:
        assert load({"path": "*.csv"}, source={"path": "in"}).column("id") == ["1"]


def test_links_that_lead_nowhere_or_in_a_circle_are_no_files(load: Load, put: Put, tmp_path: Path) -> None:
    put("in/x.csv", "id\n1\n")
    (tmp_path / "in/gone.csv").symlink_to(tmp_path / "in/nowhere")
    (tmp_path / "in/round.csv").symlink_to(tmp_path / "in/round.csv")
    assert load({"path": "in/*.csv"}).column("id") == ["1"]


class Interrupted:
    """Does something to a file once the columns of all files are known, before it is read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
        schema = Delimited.schema

        def acting(this: Delimited, files: Any) -> Any:
            found = schema(this, files)
            act()
            return found

        monkeypatch.setattr(Delimited, "schema", acting)


def test_a_file_that_vanishes_while_it_is_read_is_a_clear_error(
    load: Load, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put("in/x.csv", "id\n1\n")
    Interrupted(monkeypatch, path.unlink)
    with pytest.raises(SourceError, match=r"in/x\.csv cannot be read: No such file") as caught:
        load({"path": "in/*.csv"})
    assert caught.value.code == "LG-202"


def test_a_file_that_is_cut_while_it_is_read_is_a_clear_error(
    load: Load, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put("in/x.csv", "id\n1\n2\n")
    Interrupted(monkeypatch, lambda: path.write_text("id\n1\n"))
    with pytest.raises(SourceError, match="changed while it was read") as caught:
        load({"path": "in/*.csv"})
    assert (caught.value.code, caught.value.retry) == ("LG-209", True)


def test_a_file_that_becomes_a_pipe_does_not_hang(
    load: Load, put: Put, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = put("in/x.csv", "id\n1\n")

    def swap() -> None:
        path.unlink()
        os.mkfifo(path)

    Interrupted(monkeypatch, swap)
    with pytest.raises(SourceError, match=r"in/x\.csv cannot be read: it is no file any more"):
        load({"path": "in/*.csv"})


def test_a_file_that_may_not_be_read_is_a_clear_error(load: Load, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put("in/x.csv", "id\n1\n")
    path.chmod(0)
    if os.geteuid() == 0:
        # root may read everything, so the system's answer is given in its place
        def refused(*_: Any) -> Any:
            raise PermissionError(13, "Permission denied")

        Interrupted(monkeypatch, lambda: monkeypatch.setattr("lagoa.kit.pieces.open_file", refused))
    with pytest.raises(SourceError, match=r"in/x\.csv cannot be read: Permission denied") as caught:
        load({"path": "in/*.csv"})
    assert caught.value.code == "LG-202"


def test_a_line_that_does_not_end_is_refused_before_memory_does(
    load: Load, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("x.csv", b"a,b\n" + b"1," + b"x" * 3_000_000)
    cut = partial(pieces, longest=1 << 20)
    monkeypatch.setattr("lagoa.kit.delimited.read.pieces", cut)
    monkeypatch.setattr("lagoa.adapters.sources.files.Delimited", partial(Delimited, piece=1 << 18))
    with pytest.raises(SourceError, match=r"x\.csv cannot be read: no record ends within 1 MB") as caught:
        load({"path": "x.csv"})
    assert caught.value.code == "LG-202"


def test_a_document_that_is_too_large_is_refused_with_a_way_out(
    load: Load, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Short(JsonRecords):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            self.longest, self.piece = 1 << 20, 1 << 18

    monkeypatch.setattr("lagoa.adapters.sources.files.JsonRecords", Short)
    put("x.json", b"[" + b'{"a": 1},' * 300_000 + b'{"a": 1}]')
    with pytest.raises(SourceError, match="no record ends within 1 MB") as caught:
        load({"path": "x.json"})
    assert "NDJSON" in str(caught.value.hint)


@pytest.mark.parametrize("line", ['1,"x', '1,"",",', '"","",', '1,2" 3', '","', '1,"""', '"a""'])
def test_quotes_in_every_line_do_not_take_quadratic_time(load: Load, put: Put, line: str) -> None:
    put("x.csv", "a,b\n" + f"{line}\n" * 30_000)
    loaded = load({"path": "x.csv"})
    assert loaded.rows or loaded.rejects
