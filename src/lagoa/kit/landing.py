"""A folder of files: which ones a path with `*` and `{levels}` means, never one outside the folder."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lagoa.errors import SourceError
from lagoa.kit.column_names import OWN

_LEVEL = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TOKEN = re.compile(r"\*\*|\*|\?|\{[A-Za-z_][A-Za-z0-9_]*\}")
_NUMBER = re.compile(r"\d+")


class Pack(Protocol):
    """How a file's bytes are had that do not lie on disk as they are: it is packed, or a member of an archive."""

    disk: int
    """Bytes of the file on disk when it was found."""

    def open(self) -> Any:
        """Open its bytes, unpacked."""

    def digest(self) -> str:
        """Return the SHA-256 of the file on disk."""

    def grew(self) -> bool:
        """Say whether the file on disk has another size now."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file: its real path, its name relative to the folder with `/`, its size, its levels' values.

    A member of an archive is called `archive.zip!inner.csv`, and `path` is the archive's. `exact` says whether
    reading it gives `size` bytes.
    """

    path: Path
    name: str
    size: int
    levels: tuple[tuple[str, str], ...] = ()
    pack: Pack | None = field(default=None, compare=False)
    exact: bool = True

    @property
    def expected(self) -> int:
        """Guess how many bytes reading it gives."""
        return self.size if self.exact else self.size * 8

    def digest(self) -> str:
        """Return the SHA-256 of its bytes on disk, of a member those of its archive."""
        if self.pack is not None:
            return self.pack.digest()
        with open_file(self.path) as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()

    def grew(self) -> bool:
        """Say whether it has another size on disk than when it was found."""
        return self.path.stat().st_size != self.size if self.pack is None else self.pack.grew()


def open_file(path: Path) -> Any:
    """Open a regular file to read its bytes. Raises OSError, also for a pipe or device: reading one may never end."""
    opened = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0)
    if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        opened.close()
        raise OSError("it is no file any more")
    return opened


def is_pattern(path: str) -> bool:
    """Say whether a path has a `*`, a `?` or a `{level}`; a `[` is a letter like any other."""
    return _TOKEN.search(path) is not None


def literal_folder(path: str) -> tuple[str, str]:
    """Split a path at the folder before its first segment with a `*`, `?` or `{level}`, or before the file's name."""
    parts = path.split("/")
    cut = next((i for i, part in enumerate(parts[:-1]) if is_pattern(part)), len(parts) - 1)
    return "/".join(parts[:cut]) or ("/" if path.startswith("/") else ""), "/".join(parts[cut:])


def find(base: Path, pattern: str) -> list[Found]:
    """Return the files under `base` that the pattern means, in natural order (`2.csv` before `10.csv`).

    `*` and `?` stay within a folder, `**` crosses folders, `{name}` is a level. Names that start with a dot, and the
    `~$…` that Excel leaves beside a workbook while it is open, are passed over unless the pattern spells their start.
    Raises SourceError LG-208 for a `..` or a link that leaves `base`.
    """
    segments = [s for s in pattern.split("/") if s not in ("", ".")]
    if ".." in segments:
        raise _outside(pattern, base)
    test = matcher(pattern)
    levels = {group: name.lower() for name, group in test.groupindex.items()}
    root = base.resolve()
    found = []
    for folder, entry, name in _walk(base, segments):
        hit = test.fullmatch(name)
        if hit is None:
            continue
        real = Path(entry.path).resolve() if entry.is_symlink() else folder / entry.name
        if not real.is_relative_to(root):
            raise _outside(name, base)
        found.append(Found(real, name, entry.stat().st_size, tuple((k, hit[g]) for g, k in levels.items())))
    return sorted(found, key=lambda f: natural(f.name))


def levels(files: Sequence[Found], columns: Collection[str]) -> tuple[str, ...]:
    """Name the levels of some files' paths. Raises SourceError LG-206 for one that is a column, too."""
    names = tuple(name for name, _ in files[0].levels) if files else ()
    for level in names:
        if level in columns or level in OWN:
            raise SourceError(
                "LG-206", f"`{level}` is a level of the path and a column of the files", hint="call the level otherwise"
            )
    return names


def matcher(pattern: str) -> re.Pattern[str]:
    """Return the expression that names fully match which a pattern means; levels are its groups."""
    segments = [s for s in pattern.split("/") if s not in ("", ".")]
    return re.compile("/".join(_expression(segments)).replace("(?:.+/)?/", "(?:.+/)?"), re.DOTALL)


def natural(name: str) -> str:
    """Return a key that sorts numbers within names by their value: one text, for there may be a million names."""
    return _NUMBER.sub(_sortable, name)


def _sortable(number: re.Match[str]) -> str:
    digits = number[0]
    if not digits.isascii():
        return f"\0{chr(sys.maxunicode)}{digits}\0"
    value = digits.lstrip("0")
    return f"\0{chr(1 + len(value))}{value}{digits}\0"


def _outside(name: str, base: Path) -> SourceError:
    return SourceError(
        "LG-208", f"`{printable(name)}` leads out of {base}", hint="name the other folder in the source's `path:`"
    )


def printable(name: str) -> str:
    """Show a file's name on one line, whatever it holds."""
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)


def _expression(segments: Sequence[str]) -> Iterator[str]:
    seen: set[str] = set()
    for nth, segment in enumerate(segments):
        if segment == "**":
            yield ".+" if nth == len(segments) - 1 else "(?:.+/)?"
            continue
        text, place = "", 0
        for token in _TOKEN.finditer(segment):
            text += re.escape(segment[place : token.start()]) + _one(token[0], seen)
            place = token.end()
        yield text + re.escape(segment[place:])


def _one(mark: str, seen: set[str]) -> str:
    if mark == "?":
        return "[^/]"
    if mark.startswith("*"):
        return "[^/]*"
    name = mark[1:-1]
    if name in seen:
        return f"(?P={name})"
    seen.add(name)
    return f"(?P<{name}>[^/]+)"


def _walk(base: Path, segments: Sequence[str]) -> Iterator[tuple[Path, os.DirEntry[str], str]]:
    """Visit only the folders that the pattern can mean: give files with their folder's real path and their name."""
    deep = "**" in segments
    depth = segments.index("**") if deep else len(segments) - 1
    tests = [re.compile(t, re.DOTALL) for t in _loose(segments[:depth])]
    hidden = tuple(mark for mark in (".", "~$") if not any(s.startswith(mark) for s in segments))
    stack = [("", 0)]
    while stack:
        folder, level = stack.pop()
        real = (base / folder).resolve()  # once for all of its files
        for entry in _entries(base / folder):
            if entry.name.startswith(hidden):
                continue
            name = f"{folder}{entry.name}"
            if level < len(tests) and not tests[level].fullmatch(entry.name):
                continue
            # below a `**` links are not followed: one to a folder above would be walked for ever
            if (level < depth or deep) and entry.is_dir(follow_symlinks=level < depth):
                stack.append((name + "/", level + 1))
            if level >= depth and _is_file(entry):
                yield real, entry, name


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        # a link in a circle
        return False


def _loose(segments: Sequence[str]) -> Iterator[str]:
    for segment in segments:
        place, text = 0, ""
        for token in _TOKEN.finditer(segment):
            text += re.escape(segment[place : token.start()]) + ("." if token[0] == "?" else ".*")
            place = token.end()
        yield text + re.escape(segment[place:])


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except PermissionError as error:
        raise SourceError("LG-201", f"{folder} cannot be read: {error.strerror}") from error
