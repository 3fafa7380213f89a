"""Encodings are found out or given, and the choice is told."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from lagoa.errors import SourceError

Load = Callable[..., Any]
Put = Callable[[str, bytes | str], Any]
TEXT = "nome,x\nJoão – “ação” €,1\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-32"])
def test_the_encoding_is_found_out(load: Load, put: Put, encoding: str) -> None:
    put("x.csv", TEXT.encode(encoding))
    loaded = load({"path": "x.csv"})
    assert loaded.rows == [{"nome": "João – “ação” €", "x": "1", "_source": "x.csv:2"}]
    assert loaded.notes == ([] if encoding.startswith("utf-8") else [f"read x.csv as {encoding}"])


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "windows-1252"])
def test_latin_1_means_windows_1252_as_on_the_web(load: Load, put: Put, encoding: str) -> None:
    put("x.csv", TEXT.encode("cp1252"))
    assert load({"path": "x.csv", "encoding": encoding}).column("nome") == ["João – “ação” €"]


def test_bytes_that_windows_1252_leaves_undefined_are_kept(load: Load, put: Put) -> None:
    put("x.csv", b"a,b\n\x81\x8d\x8f\x90\x9d\xe3,1\n")
    assert load({"path": "x.csv"}).column("a") == ["\x81\x8d\x8f\x90\x9dã"]


def test_other_encodings_are_read_when_named(load: Load, put: Put) -> None:
    put("x.csv", "имя,ц\nПривет,1\n".encode("cp1251"))
    assert load({"path": "x.csv", "encoding": "cp1251"}).rows == [{"имя": "Привет", "ц": "1", "_source": "x.csv:2"}]
    put("y.csv", "a,b\n日本語,1\n".encode("shift_jis"))
    assert load({"path": "y.csv", "encoding": "shift_jis"}).column("a") == ["日本語"]
    put("z.csv", "a,b\nação,1\n".encode("utf-16-le"))
    assert load({"path": "z.csv", "encoding": "utf-16-le"}).column("a") == ["ação"]


def test_damaged_utf_8_is_refused_record_by_record(load: Load, put: Put) -> None:
    put("x.csv", b"a,b\n" + "ção,1\nção,2\n".encode() + b"a\xffb,3\n")
    loaded = load({"path": "x.csv"})
    assert loaded.column("b") == ["1", "2"]
    assert loaded.reasons() == ["x.csv:4 it is not valid utf-8"]
    assert loaded.rejects[0].raw == "a\\xffb,3"


def test_utf_8_that_was_asked_for_is_never_read_as_anything_else(load: Load, put: Put) -> None:
    put("x.csv", "a,b\nação,1\nx,2\n".encode("cp1252"))
    loaded = load({"path": "x.csv", "encoding": "utf-8"})
    assert (loaded.column("b"), len(loaded.rejects)) == (["2"], 1)


def test_a_broken_multi_byte_text_is_an_error(load: Load, put: Put) -> None:
    put("x.csv", "a,b\nx,1\n".encode("utf-16") + b"\x00")
    with pytest.raises(SourceError, match=r"x\.csv is not valid utf-16"):
        load({"path": "x.csv"})


def test_compressed_files_are_unpacked(load: Load, put: Put) -> None:
    put("x.csv.gz", gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n"))
    put("y.ndjson.gz", gzip.compress(b'{"a": 1}\n'))
    assert load({"path": "x.csv.gz"}).column("b") == ["2", "4"]
    assert load({"path": "y.ndjson.gz"}).column("a") == [1]


def test_a_torn_compressed_file_is_an_error_that_names_it(load: Load, put: Put) -> None:
    put("x.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 1000)[:-20])
    with pytest.raises(SourceError, match=r"x\.csv\.gz cannot be read"):
        load({"path": "x.csv.gz"})


def test_an_unknown_encoding_is_refused(load: Load) -> None:
    with pytest.raises(ValueError, match="is no known encoding"):
        load({"path": "x.csv", "encoding": "latin-99"})
