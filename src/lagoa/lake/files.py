"""The disk: what must survive a power cut is fsynced here, and what the disk refuses becomes an error with a
name."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from lagoa.errors import LakeError

NULL = "__HIVE_DEFAULT_PARTITION__"
"""The folder of rows whose partition value is null, as Hive and Spark call it."""
TARGET = 128 * 1024 * 1024
"""How large a file should be, in bytes."""
_FEWEST = 122_880
"""Rows of the smallest file that a large table is cut into: a row group of DuckDB."""
_FILES = 64
"""Into so many files a table is cut before they grow: a merge rewrites whole files."""
_LONGEST = 180
"""A folder's name may have 255 bytes; longer values are cut and told apart by their hash."""


def rows_per_file(rows: int, size: int) -> int | None:
    """Say how many rows a file should have of a table of so many rows and bytes; None: all may lie in one."""
    if rows <= _FEWEST:
        return None
    return max(_FEWEST, min(-(-rows // _FILES), TARGET * rows // max(size, 1)))


def fsync(path: Path) -> None:
    """Make a file or a folder's entries survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def folder(path: Path) -> Path:
    """Make a folder that survives a power cut, with every missing parent."""
    if not path.is_dir():
        folder(path.parent)
        path.mkdir(exist_ok=True)
        fsync(path.parent)
    return path


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet, and make it survive a power cut. Raises FileExistsError."""
    folder(path.parent)
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fsync(path.parent)


def new_id(parent: int | None = None) -> int:
    """Make a state id: 42 bits of milliseconds, 21 random ones, and always above the parent's, whatever
    the clocks say."""
    return max(time.time_ns() // 1_000_000 << 21, (parent or 0) + 1) + secrets.randbits(21)


def uuid7() -> str:
    """Make a UUID that sorts by time (RFC 9562, version 7)."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def hash_of(path: Path) -> str:
    """Return the first 32 hexadecimal digits of the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def hash_in(name: str) -> str | None:
    """Return the hash that a file's name carries; None when Lagoa did not name it."""
    stem = name.rsplit("/", 1)[-1].removesuffix(".parquet")
    last = stem.rsplit("-", 1)[-1]
    ours = name.endswith(".parquet") and stem.count("-") == 6 and len(last) == 32
    return last if ours and all(c in "0123456789abcdef" for c in last) else None


def hive(partition: Mapping[str, str | None]) -> str:
    """Return the folder of a partition, `column=value/…/`, names and values URL-encoded; '' when there is
    none."""
    return "".join(f"{_segment(column)}={NULL if v is None else _segment(v)}/" for column, v in partition.items())


def _segment(text: str) -> str:
    encoded = quote(text, safe=" ")
    if len(encoded) <= _LONGEST:
        return encoded
    return encoded[:_LONGEST].rsplit("%", 1)[0] + "-" + hashlib.sha256(text.encode()).hexdigest()[:12]


def place(staged: Path, root: Path, partition: Mapping[str, str | None] | None = None, prefix: str = "part") -> str:
    """Move a staged file into a table as `[column=value/]part-<uuidv7>-<hash of its bytes>.parquet`;
    return that path.

    The bytes are durable when it returns; the folder's entry is the caller's to fsync, once for many files.
    """
    with staged.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
        os.fsync(file.fileno())
    inside = hive(partition or {})
    name = f"{inside}{prefix}-{uuid7()}-{digest}.parquet"
    folder(root / inside)
    _move(staged, root / name)
    return name


def _move(staged: Path, to: Path) -> None:
    try:
        staged.rename(to)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        near = to.with_name(f".{to.name}.copy")  # the scratch folder is on another disk
        shutil.copyfile(staged, near)
        fsync(near)
        near.rename(to)
        staged.unlink()


@contextmanager
def writing(table: object) -> Iterator[None]:
    """Turn what the disk refuses to write into LakeError LG-306."""
    try:
        yield
    except OSError as error:
        raise unwritable(table, error) from error


@contextmanager
def reading(table: object) -> Iterator[None]:
    """Turn what the disk refuses to read into LakeError LG-302."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        said = f"{table} cannot be read: {error.strerror or plain(str(error))}{where}"
        hint = "give this user the right to read it; `lagoa doctor --verify` looks at every byte"
        raise LakeError("LG-302", said, hint=hint) from error


def is_refused(error: OSError) -> bool:
    """Say whether an error can only mean that the disk takes no more."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def unwritable(table: object, error: OSError) -> LakeError:
    """Say in LG-306 what the disk said."""
    said = error.strerror or plain(str(error))
    where = f" ({error.filename})" if error.filename else ""
    hints = {
        errno.ENOSPC: "free some space, then run again",
        errno.EDQUOT: "free some space, then run again",
        errno.EROFS: "the disk is read-only; mount it for writing, then run again",
        errno.EACCES: "give this user the right to write there, then run again",
        errno.EPERM: "give this user the right to write there, then run again",
    }
    hint = hints.get(error.errno or 0)
    return LakeError("LG-306", f"{table} cannot be written: {said}{where}", hint=hint)


def plain(text: str) -> str:
    """Put a library's many-line, coloured message on one line, without its stack trace."""
    lines = []
    for line in text.splitlines():
        bare = line.replace("\x1b[31m", "").replace("\x1b[0m", "").strip(" ↳\t")
        if bare.startswith("0: "):
            break
        if bare:
            lines.append(bare)
    return ": ".join(lines)[:400] or "no reason given"
