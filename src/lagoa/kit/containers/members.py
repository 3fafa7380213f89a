"""Finds the members of archives that a stream means, each a file of its own, and refuses names that lead elsewhere."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from lagoa.errors import SourceError
from lagoa.kit.containers import tarred, zipped
from lagoa.kit.containers.entry import Entry
from lagoa.kit.containers.guard import unsafe
from lagoa.kit.containers.streams import bare, unpacked
from lagoa.kit.landing import Found, matcher, natural, printable

DAMAGED = (OSError, EOFError, zlib.error, pa.ArrowInvalid)
"""What reading damaged bytes raises."""
_ARCHIVES = (".zip", ".tar", ".tgz", ".tbz2", ".tzst")
_SHORT = {".tgz": ".tar.gz", ".tbz2": ".tar.bz2", ".tzst": ".tar.zst"}
_OTHERS = "name other members by `member:`"
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass
class Whole:
    """A file as it lies on disk, with other ones inside: known by its bytes, hashed once."""

    path: Path
    _digest: str | None = None
    _look: tuple[int, int, int] = field(default=(0, 0, 0))

    def digest(self) -> str:
        """Return the SHA-256 of the file."""
        look = _look(self.path)
        if self._digest is None or look != self._look:
            with self.path.open("rb") as file:
                self._digest = hashlib.file_digest(file, "sha256").hexdigest()
            self._look = look
        return self._digest

    def size(self) -> int:
        """Return its bytes on disk, now."""
        return self.path.stat().st_size


@dataclass
class Packed:
    """How a packed file or a member is had: what opens its bytes, and the file on disk that it is part of."""

    whole: Whole
    open: Callable[[], Any]
    disk: int

    def digest(self) -> str:
        """Return the SHA-256 of the file on disk."""
        return self.whole.digest()

    def grew(self) -> bool:
        """Say whether the file on disk has another size than when it was found."""
        return self.whole.size() != self.disk


def expanded(files: Sequence[Found], member: str | None) -> list[Found]:
    """Return the files with archives replaced by their members.

    Members come in natural order, those of a packed tar in its own: going back would unpack it again.
    Raises SourceError LG-202 for a damaged archive, LG-210 for a hostile one.
    """
    found: list[Found] = []
    for file in files:
        if is_archive(file.name):
            found += _members(file, member)
        elif bare(file.name) != file.name:
            opened = unpacked(printable(file.name), partial(file.path.open, "rb", buffering=0))
            found.append(replace(file, pack=Packed(Whole(file.path), opened, file.size), exact=False))
        else:
            found.append(file)
    return found


def is_archive(name: str) -> bool:
    """Say whether a file holds others, by its ending."""
    return bare(name.lower()).endswith(_ARCHIVES)


def _members(file: Found, member: str | None) -> list[Found]:
    name, test, whole = printable(file.name), matcher(member or "**"), Whole(file.path)
    found: dict[str, Found] = {}
    try:
        with closing(_entries(file)) as entries:
            for entry in entries:
                inner = _safe(entry.name, name)
                hit = test.fullmatch(inner)
                if hit is None or (member is None and _is_litter(inner)):
                    continue
                full = f"{file.name}!{inner}"
                if entry.link:
                    raise unsafe(f"{printable(full)} is a link, which is not followed", _OTHERS)
                if is_archive(inner):
                    raise unsafe(f"{printable(full)} is an archive inside an archive", _OTHERS)
                if full in found:
                    raise unsafe(f"{name} holds {printable(inner)} twice")
                entry.check()
                levels = (*file.levels, *((k.lower(), v) for k, v in hit.groupdict().items()))
                pack = Packed(whole, unpacked(printable(full), entry.open), file.size)
                found[full] = Found(file.path, full, entry.size, levels, pack, exact=bare(inner) == inner)
    except DAMAGED as error:
        raise unreadable(name, error) from error
    files = list(found.values())
    return files if _is_packed_tar(file.name) else sorted(files, key=lambda f: natural(f.name))


def _entries(file: Found) -> Generator[Entry]:
    name = file.name.lower()
    if bare(name).endswith(".zip"):
        if bare(name) != name:
            raise unsafe(f"{printable(file.name)} is an archive inside another", "unpack it once")
        return zipped.entries(file.path, printable(file.name))
    short = next((s for s in _SHORT if name.endswith(s)), "")
    return tarred.entries(file.path, name.removesuffix(short) + _SHORT.get(short, ""), _is_packed_tar(name))


def _is_packed_tar(name: str) -> bool:
    return not name.lower().endswith((".zip", ".tar"))


def _safe(name: str, archive: str) -> str:
    """Return a member's name with `/` between folders. Raises SourceError LG-208 for one that leads elsewhere."""
    plain = name.replace("\\", "/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if plain.startswith("/") or ".." in parts or _DRIVE.match(plain):
        raise SourceError(
            "LG-208",
            f"{archive} has a member called `{printable(name)}`, which leads out of it",
            hint="an honest archive has none; ask who made it",
        )
    return "/".join(parts)


def _is_litter(name: str) -> bool:
    """Say whether a member is what a Mac leaves in archives, or hidden."""
    return name.startswith("__MACOSX/") or any(part.startswith((".", "~$")) for part in name.split("/"))


def unreadable(name: str, error: Exception) -> SourceError:
    """Make the error of a file whose bytes cannot be read."""
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    hint = "unpack it with its password" if why == "it is encrypted" else "deliver it again; nothing was published"
    return SourceError("LG-202", f"{name} cannot be read: {why}", hint=hint)


def _look(path: Path) -> tuple[int, int, int]:
    seen = path.stat()
    return seen.st_size, seen.st_mtime_ns, seen.st_ino
