"""The members of a zip archive, found by its directory and unpacked where they stand."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

from lagoa.kit.containers.entry import Entry
from lagoa.kit.containers.guard import MEMBERS, Guard, check_ratio, unsafe
from lagoa.kit.containers.streams import RAW_DEFLATE, Checked, Inflated, Part

_END, _END_64, _FIXED = b"PK\x05\x06", b"PK\x06\x06", 30
_DIRECTORY = 64 << 20
_ENCRYPTED, _LINK = 0x1, 0o120000
_OTHER = {9: "deflate64", 12: "bzip2", 14: "lzma", 93: "zstandard", 95: "xz"}
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def entries(path: Path, name: str) -> Generator[Entry]:
    """Yield the archive's members. Raises OSError for what is no zip, SourceError LG-210 for a bomb."""
    _look_at_end(path, name)
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise OSError(f"it is no whole zip archive ({error})") from error
    if not all(entry.filename for entry in found):
        raise OSError("it is no whole zip archive (a member has no name)")
    if len(found) > MEMBERS:
        raise unsafe(f"{name} has more than {MEMBERS:,} members")
    if sum(entry.compress_size for entry in found) > path.stat().st_size:
        raise unsafe(f"the members of {name} overlap")
    for entry in found:
        if entry.is_dir():
            continue
        yield Entry(
            entry.filename,
            entry.file_size,
            partial(_open, path, f"{name}!{entry.filename}", entry),
            link=entry.external_attr >> 16 & 0o170000 == _LINK,
            check=partial(_check, name, entry),
        )


def _look_at_end(path: Path, name: str) -> None:
    """Refuse a directory of millions of members before it is read."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - (1 << 16) - 128))
        tail = file.read()
    place, large = tail.rfind(_END), tail.rfind(_END_64)
    if place < 0 or len(tail) < place + 22:
        raise OSError("it is no whole zip archive (its directory is missing)")
    directory = struct.unpack_from("<L", tail, place + 12)[0]
    if directory == 0xFFFFFFFF and large >= 0 and len(tail) >= large + 48:
        directory = struct.unpack_from("<Q", tail, large + 40)[0]
    if directory > _DIRECTORY:
        raise unsafe(f"{name} has a directory of {directory:,} bytes")


def _check(archive: str, entry: zipfile.ZipInfo) -> None:
    name = f"{archive}!{entry.filename}"
    if entry.flag_bits & _ENCRYPTED:
        raise OSError("it is encrypted")
    if entry.compress_type not in _METHODS:
        kind = _OTHER.get(entry.compress_type, f"method {entry.compress_type}")
        raise OSError(f"it is compressed by {kind}; stored and deflated members are read")
    check_ratio(name, entry.compress_size, entry.file_size)


def _open(path: Path, name: str, entry: zipfile.ZipInfo) -> Any:
    file = path.open("rb")
    file.seek(entry.header_offset)
    header = file.read(_FIXED)
    if len(header) < _FIXED or not header.startswith(b"PK\x03\x04"):
        file.close()
        raise OSError("its header is damaged")
    named, extra = struct.unpack_from("<HH", header, 26)
    stream: Any = Part(file, entry.header_offset + _FIXED + named + extra, entry.compress_size)
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        stream = Inflated(stream, Guard(name), RAW_DEFLATE)
    return Checked(stream, entry.file_size, entry.CRC)
