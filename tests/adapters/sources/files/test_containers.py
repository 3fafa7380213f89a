"""Packed files and archives: each member is a file of its own, and no hostile archive gets anywhere."""

from __future__ import annotations

import bz2
import gzip
import io
import random
import tarfile
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lagoa.errors import SourceError

Load = Callable[..., Any]
Put = Callable[[str, bytes | str], Path]
SECONDS = 20.0  # 5 on a quiet machine; what matters is that it ends soon


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return into.getvalue()


def tarred(members: Mapping[str, bytes], mode: Any = "w", format: int = tarfile.PAX_FORMAT) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode=mode, format=format) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return into.getvalue()


def zst(data: bytes) -> bytes:
    into = pa.BufferOutputStream()
    with pa.CompressedOutputStream(into, "zstd") as stream:
        stream.write(data)
    return bytes(into.getvalue())


MEMBERS = {"10.csv": b"id\n10\n", "9.csv": b"id\n9\n", "deep/11.csv": b"id\n11\n"}
PACKERS: dict[str, Callable[[Mapping[str, bytes]], bytes]] = {
    "zip": zipped,
    "tar": tarred,
    "tar.gz": lambda m: tarred(m, "w:gz"),
    "tgz": lambda m: tarred(m, "w:gz"),
    "tar.bz2": lambda m: tarred(m, "w:bz2"),
    "tar.zst": lambda m: zst(tarred(m)),
    "TAR": lambda m: tarred(m, format=tarfile.GNU_FORMAT),
    "ZIP": lambda m: zipped(m, zipfile.ZIP_STORED),
}


@pytest.mark.parametrize("ending", PACKERS)
def test_each_member_is_a_file_of_its_own(load: Load, put: Put, ending: str) -> None:
    put(f"in/a.{ending}", PACKERS[ending](MEMBERS))
    loaded = load({"path": "in/*"})
    packed = ending.lower() not in ("zip", "tar")
    names = ["10.csv", "9.csv", "deep/11.csv"] if packed else ["9.csv", "10.csv", "deep/11.csv"]
    assert [r["_source"] for r in loaded.rows] == [f"in/a.{ending}!{n}:2" for n in names]
    assert sorted(loaded.column("id")) == ["10", "11", "9"]
    assert set(loaded.cursor) == {f"in/a.{ending}!{n}" for n in names}


@pytest.mark.parametrize("ending", PACKERS)
def test_members_are_chosen_by_a_pattern_whose_levels_are_columns(load: Load, put: Put, ending: str) -> None:
    put(f"in/x.{ending}", PACKERS[ending]({**MEMBERS, "read.me": b"\x00\x01", "deep/12.csv": b"id\n12\n"}))
    loaded = load({"path": "{at}/x.*", "member": "{folder}/*.csv"})
    assert [(r["id"], r["at"], r["folder"]) for r in loaded.rows] == [("11", "in", "deep"), ("12", "in", "deep")]


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("zst", zst), ("bz2", bz2.compress)])
def test_packed_files_are_unpacked_also_inside_an_archive(
    load: Load, put: Put, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    put(f"x.csv.{ending}", pack(b"id\n1\n") + pack(b"2\n"))
    put("y.zip", zipped({f"z.csv.{ending}": pack(b"id\n3\n")}))
    assert load({"path": f"x.csv.{ending}"}).column("id") == ["1", "2"]
    assert load({"path": "y.zip"}).rows == [{"id": "3", "_source": f"y.zip!z.csv.{ending}:2"}]


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("zst", zst), ("bz2", bz2.compress)])
def test_a_torn_packed_file_is_an_error(load: Load, put: Put, ending: str, pack: Callable[[bytes], bytes]) -> None:
    lines = b"id,x\n" + b"".join(b"%d,%d\n" % (i, hash(str(i)) % 10**9) for i in range(50_000))
    put(f"x.csv.{ending}", pack(lines)[:-1000])
    with pytest.raises(SourceError, match=rf"x\.csv\.{ending} cannot be read") as caught:
        load({"path": f"x.csv.{ending}"})
    assert (caught.value.code, caught.value.hint) == ("LG-202", "deliver it again; nothing was published")


@pytest.mark.parametrize("ending", PACKERS)
def test_a_torn_archive_is_an_error(load: Load, put: Put, ending: str) -> None:
    noise = random.Random(1).randbytes(200_000).hex().encode()
    put(f"a.{ending}", PACKERS[ending]({"a.csv": b"id\n1\n", "b.csv": b"id\n" + noise})[:-60_000])
    with pytest.raises(SourceError, match=rf"a\.{ending}.* cannot be read") as caught:
        load({"path": f"a.{ending}"})
    assert caught.value.code == "LG-202"


def test_a_member_whose_bytes_were_changed_is_an_error(load: Load, put: Put) -> None:
    data = bytearray(zipped({"a.csv": b"id\n12345\n"}, zipfile.ZIP_STORED))
    data[data.index(b"12345")] ^= 1
    put("a.zip", bytes(data))
    with pytest.raises(SourceError, match=r"a\.zip!a\.csv cannot be read: it is not what the archive's directory says"):
        load({"path": "a.zip"})


def test_all_formats_are_read_from_archives(load: Load, put: Put) -> None:
    sheet = io.BytesIO()
    pq.write_table(pa.table({"id": [1]}), sheet)
    put("j.zip", zipped({"a.ndjson": b'{"id": 1}\n', "b.ndjson": b'{"id": 2}\n'}))
    put("p.zip", zipped({"a.parquet": sheet.getvalue()}))
    put("q.tar.gz", tarred({"a.parquet": sheet.getvalue()}, "w:gz"))
    assert load({"path": "j.zip"}).column("id") == [1, 2]
    assert load({"path": "p.zip"}).rows == [{"id": 1, "_source": "p.zip!a.parquet:1"}]
    assert load({"path": "q.tar.gz"}).column("id") == [1]


def test_names_without_a_known_ending_are_read_as_declared(load: Load, put: Put) -> None:
    put("Empresas1.zip", zipped({"K3241.K03200Y0.D30513.EMPRECSV": '"1";"SÃO"\n'.encode("latin-1")}))
    loaded = load(
        {"path": "Empresas*.zip", "format": "csv", "delimiter": ";", "names": ["id", "nome"], "header": False}
    )
    assert loaded.rows == [{"id": "1", "nome": "SÃO", "_source": "Empresas1.zip!K3241.K03200Y0.D30513.EMPRECSV:1"}]
    assert loaded.notes == ["read Empresas1.zip!K3241.K03200Y0.D30513.EMPRECSV as cp1252"]


def test_what_a_mac_leaves_behind_is_passed_over(load: Load, put: Put) -> None:
    put("a.zip", zipped({"a.csv": b"id\n1\n", "__MACOSX/._a.csv": b"\x00", ".DS_Store": b"\x00"}))
    assert load({"path": "a.zip"}).column("id") == ["1"]


# ---------------------------------------------------------------- news
def test_an_archive_is_news_once(load: Load, put: Put) -> None:
    put("in/1.zip", zipped(MEMBERS))
    first = load({"path": "in/*.zip", "mode": "append"})
    assert load({"path": "in/*.zip", "mode": "append"}, since=first.cursor).batches == 0
    put("in/2.tar.gz", tarred({"n.csv": b"id\n77\n"}, "w:gz"))
    second = load({"path": "in/*", "mode": "append"}, since=first.cursor)
    assert second.column("id") == ["77"]
    put("in/1.zip", zipped({**MEMBERS, "9.csv": b"id\n8\n"}))
    with pytest.raises(SourceError, match=r"in/1\.zip!9\.csv was loaded") as caught:
        load({"path": "in/*", "mode": "append"}, since=second.cursor)
    assert caught.value.code == "LG-209"
    again = load({"path": "in/*", "mode": "append", "changed": "reload"}, since=second.cursor)
    assert sorted(again.column("id")) == ["10", "11", "8"]


def test_an_archive_that_changes_while_it_is_read_stops_the_reading(load: Load, put: Put, tmp_path: Path) -> None:
    from lagoa import registry
    from lagoa.ports import Reading

    path = put("a.zip", zipped(MEMBERS))
    source = registry.adapter("sources", "files")(type="files", streams={"s": {"path": "a.zip"}})
    (batch,) = source.read(Reading("s", None, tmp_path, tmp_path, "bronze.files_s"))
    path.write_bytes(zipped({**MEMBERS, "9.csv": b"id\n8\n"}))
    with pytest.raises(SourceError) as caught:
        list(batch.portions)
    assert caught.value.code in ("LG-209", "LG-202")


# ---------------------------------------------------------------- hostile archives
@pytest.mark.parametrize("name", ["../x.csv", "/etc/x.csv", "a/../../x.csv", "..\\x.csv", "C:\\x.csv", "C:/x.csv"])
@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_a_member_that_leads_out_is_refused(load: Load, put: Put, tmp_path: Path, ending: str, name: str) -> None:
    put(f"in/a.{ending}", PACKERS[ending]({"ok.csv": b"id\n1\n", name: b"id\n2\n"}))
    with pytest.raises(SourceError, match="leads out of it") as caught:
        load({"path": "in/*", "member": "ok.csv"})
    assert caught.value.code == "LG-208"
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize(
    "name", ["[x].csv", "a'b\".csv", "'; DROP TABLE x; --.csv", "a\nb.csv", "😀.csv", "{x}.csv", "a!b.csv"]
)
@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_hostile_names_of_members_are_just_names(load: Load, put: Put, ending: str, name: str) -> None:
    put(f"in/a.{ending}", PACKERS[ending]({name: b"id\n1\n", "x.csv": b"id\n2\n"}))
    loaded = load({"path": "in/*"})
    assert sorted(loaded.column("id")) == ["1", "2"]
    assert not any("\n" in row["_source"] for row in loaded.rows)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_link_in_a_tar_is_refused(load: Load, put: Put, kind: bytes) -> None:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w") as archive:
        info = tarfile.TarInfo("x.csv")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    put("a.tar", into.getvalue())
    with pytest.raises(SourceError, match=r"a\.tar!x\.csv is a link") as caught:
        load({"path": "a.tar"})
    assert caught.value.code == "LG-210"


def test_a_link_in_a_zip_is_refused(load: Load, put: Put) -> None:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        info = zipfile.ZipInfo("x.csv")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    put("a.zip", into.getvalue())
    with pytest.raises(SourceError, match="is a link"):
        load({"path": "a.zip"})


def test_a_member_without_a_name_is_a_clear_error(load: Load, put: Put) -> None:
    data = bytearray(zipped({"x.csv": b"id\n1\n"}))
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 28] = 0
    put("a.zip", bytes(data))
    with pytest.raises(SourceError, match=r"a\.zip cannot be read: it is no whole zip archive"):
        load({"path": "a.zip"})


def test_an_encrypted_member_is_a_clear_error(load: Load, put: Put) -> None:
    data = bytearray(zipped({"x.csv": b"id\n1\n"}))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    put("a.zip", bytes(data))
    with pytest.raises(SourceError, match=r"a\.zip cannot be read: it is encrypted") as caught:
        load({"path": "a.zip"})
    assert caught.value.hint == "unpack it with its password"


def test_an_unknown_compression_is_a_clear_error(load: Load, put: Put) -> None:
    put("a.zip", zipped({"x.csv": b"id\n1\n"}, zipfile.ZIP_LZMA))
    with pytest.raises(SourceError, match="it is compressed by lzma"):
        load({"path": "a.zip"})


def test_two_members_of_one_name_are_refused(load: Load, put: Put) -> None:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr("x.csv", "id\n1\n")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x.csv", "id\n2\n")
    put("a.zip", into.getvalue())
    with pytest.raises(SourceError, match=r"holds x\.csv twice"):
        load({"path": "a.zip"})


def bomb(kind: str) -> tuple[str, bytes]:
    """Make a small file that unpacks to 1.5 GB of nothing."""
    zeros, times = b"\x00" * (1 << 20), 1500
    level = 1 if kind == "modest gz" else 9
    if kind.endswith("gz"):
        into = io.BytesIO()
        with gzip.GzipFile(fileobj=into, mode="wb", compresslevel=level) as packed:
            for _ in range(times):
                packed.write(zeros)
        return "x.csv.gz", into.getvalue()
    if kind == "zst":
        return "x.csv.zst", zst(zeros * times)
    into = io.BytesIO()
    with (
        zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive,
        archive.open("x.csv", "w") as to,
    ):
        for _ in range(times):
            to.write(zeros)
    data = bytearray(into.getvalue())
    if kind == "lying zip":
        # the directory says 1,000 bytes
        place = data.rindex(b"PK\x01\x02")
        data[place + 24 : place + 28] = (1000).to_bytes(4, "little")
    return "x.zip", bytes(data)


@pytest.mark.parametrize("kind", ["gz", "modest gz", "zst", "zip", "lying zip"])
def test_a_bomb_is_refused_at_once(load: Load, put: Put, kind: str) -> None:
    name, data = bomb(kind)
    put(name, data)
    began = time.monotonic()
    with pytest.raises(SourceError) as caught:
        load({"path": name})
    assert time.monotonic() - began < SECONDS
    assert caught.value.code == ("LG-202" if kind in ("lying zip", "modest gz") else "LG-210")


def test_what_honestly_shrinks_a_hundredfold_is_read(load: Load, put: Put) -> None:
    lines = b"".join(b"%d,%b\n" % (i, b"blank" * 150) for i in range(100_000))
    packed = gzip.compress(b"id,name\n" + lines)
    assert len(lines) > 100 * len(packed)
    put("x.csv.gz", packed)
    assert len(load({"path": "x.csv.gz", "columns": {"name": {"drop": True}}}).rows) == 100_000


def test_members_that_overlap_are_refused(load: Load, put: Put) -> None:
    data = zipped({"a.csv": b"id\n" + random.Random(1).randbytes(5000).hex().encode()})
    place = data.rindex(b"PK\x01\x02")
    end = data.rindex(b"PK\x05\x06")
    entry = data[place:end]
    many = b"".join(entry.replace(b"a.csv", b"%c.csv" % c) for c in range(ord("a"), ord("k")))
    tail = bytearray(data[end:])
    tail[8:12] = (10).to_bytes(2, "little") * 2
    tail[12:16] = len(many).to_bytes(4, "little")
    put("a.zip", data[:place] + many + bytes(tail))
    with pytest.raises(SourceError, match="overlap") as caught:
        load({"path": "a.zip"})
    assert caught.value.code == "LG-210"


def test_a_million_members_are_refused_at_once(load: Load, put: Put) -> None:
    entry = b"PK\x01\x02" + b"\x00" * 24 + (20).to_bytes(2, "little") + b"\x00" * 16 + b"x" * 20
    many = entry * 1_100_000
    end = b"PK\x05\x06" + b"\x00" * 4 + b"\xff\xff" * 2 + len(many).to_bytes(4, "little") + b"\x00" * 6
    put("a.zip", many + end)
    began = time.monotonic()
    with pytest.raises(SourceError) as caught:
        load({"path": "a.zip"})
    assert time.monotonic() - began < SECONDS
    assert caught.value.code == "LG-210"


def test_archives_in_archives_and_files_packed_again_and_again_are_refused(load: Load, put: Put) -> None:
    put("a.zip", zipped({"b.zip": zipped(MEMBERS)}))
    with pytest.raises(SourceError, match=r"a\.zip!b\.zip is an archive inside an archive") as caught:
        load({"path": "a.zip"})
    assert caught.value.code == "LG-210"
    put("a.csv.gz.gz.gz", gzip.compress(gzip.compress(gzip.compress(b"id\n1\n"))))
    with pytest.raises(SourceError, match="packed more than 2 times") as caught:
        load({"path": "a.csv.gz.gz.gz"})
    assert caught.value.code == "LG-210"


def test_headers_of_a_tar_that_would_fill_memory_are_refused(load: Load, put: Put) -> None:
    data = bytearray(tarred({"x" * 200: b"id\n1\n"}))
    data[124:136] = b"77777777777\x00"
    data[148:156] = b"%06o\x00 " % (sum(data[:148]) + 256 + sum(data[156:512]))
    put("a.tar", bytes(data))
    with pytest.raises(SourceError) as caught:
        load({"path": "a.tar"})
    assert caught.value.code == "LG-210"


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.zst", "a.csv.gz", "a.csv.zst", "a.csv.bz2"])
def test_noise_is_an_error_that_names_the_file(load: Load, put: Put, name: str) -> None:
    for seed in range(20):
        put(name, random.Random(seed).randbytes(2000))
        with pytest.raises(SourceError, match=name.replace(".", r"\.")) as caught:
            load({"path": name})
        assert caught.value.code in ("LG-202", "LG-210")


def test_no_member_is_an_error_that_names_the_pattern(load: Load, put: Put) -> None:
    put("a.zip", zipped(MEMBERS))
    with pytest.raises(SourceError, match=r"holds a member called \*\.txt") as caught:
        load({"path": "a.zip", "member": "*.txt"})
    assert caught.value.code == "LG-203"
    assert load({"path": "a.zip", "member": "*.txt", "allow_missing": True}).rows == []
