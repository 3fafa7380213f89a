"""Looks at what lies in a folder: which files hold data, in which format, and how they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lagoa.errors import LagoaError
from lagoa.kit.containers.members import expanded
from lagoa.kit.containers.streams import bare
from lagoa.kit.delimited.guess import Guess, guess
from lagoa.kit.encoding import Decoder
from lagoa.kit.landing import Found, find, printable
from lagoa.kit.pieces import Opened, last_line_end, pieces
from lagoa.propose.files.tagged import is_tagged, kinds_of

HEAD = 1 << 18
"""Bytes of a file that tell how it is written."""
LARGEST = 64 << 20
"""Bytes of the largest JSON document that is looked at: it can only be read whole."""
_LONGEST = 8 << 20
"""Bytes of the longest first lines that are looked at."""
_ALIKE = 20
"""How many files of those whose names differ only in numbers are looked at."""
_MOST = 2000
"""How many files are looked at in all."""
_FORMATS = {
    "csv": "csv",
    "txt": "csv",
    "dat": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "json": "json",
    "ndjson": "ndjson",
    "jsonl": "ndjson",
    "parquet": "parquet",
    "pq": "parquet",
    "xml": "xml",
    **dict.fromkeys(("xlsx", "xlsm", "xls", "xlsb", "ods"), "excel"),
}
TOLD = frozenset(_FORMATS) - {"dat"}
"""The endings by which the source itself knows the format."""
_NO_DATA = {
    "sql": "a script for a database: run it there, and give `--from` the database's URL",
    **dict.fromkeys(("md", "rst", "pdf", "doc", "docx", "html", "htm"), "a document"),
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "svg", "webp", "ico"), "a picture"),
    **dict.fromkeys(
        ("py", "sh", "js", "ts", "ipynb", "yml", "yaml", "toml", "ini", "cfg"), "a program or its settings"
    ),
    **dict.fromkeys(("license", "notice", "readme", "log"), "a text"),
    **dict.fromkeys(("crdownload", "part", "partial", "download", "tmp"), "a file that is still being written"),
    **dict.fromkeys(
        (
            "ofx",
            "qif",
            "dbf",
            "dbc",
            "mdb",
            "accdb",
            "sas7bdat",
            "xpt",
            "sav",
            "dta",
            "avro",
            "orc",
            "feather",
            "arrow",
        ),
        "a format that is not read: export it as CSV or Parquet",
    ),
    **dict.fromkeys(("rar", "7z", "xz", "lz4", "cab", "arj"), "packed in a way that is not read: pack it as .zip"),
}
_ENVELOPE = frozenset(
    (
        *("meta", "metadata", "page", "pages", "per_page", "total", "count", "limit", "offset", "cursor", "has_more"),
        *("next", "previous", "prev", "links", "status", "success", "help", "version", "message", "error", "errors"),
        *("type", "crs", "bbox"),
    )
)
"""Keys that stand beside a list of records, and are none of its data."""
_REGULAR = 0.8
"""Which share of a text's lines must have one number of fields, when its name does not say that it has columns."""
_WIDE = 20
"""From how many characters on lines of one length are records of fixed width."""
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Looked:
    """A file that holds data. `guess` says how it is delimited, `records` where a JSON document has its list."""

    found: Found
    format: str
    guess: Guess | None = None
    records: str | None = None
    keys: frozenset[str] = frozenset()
    """The keys of the first record of JSON."""


@dataclass
class Survey:
    """The data files of a folder, and why the other files were left out: (name, reason)."""

    base: Path
    files: list[Looked] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    databases: list[tuple[str, Path]] = field(default_factory=list)
    """Files that are databases: the type of source that reads them, and where they are."""


def survey(base: Path, pattern: str = "**") -> Survey:
    """Look at the start of each file under a folder that a pattern means. Raises SourceError LG-201, LG-208."""
    seen = Survey(base)
    alike: dict[str, list[Found]] = {}
    for found in _unpacked(find(base, pattern), seen):
        alike.setdefault(_NUMBER.sub("#", found.name), []).append(found)
    looks = 0
    for files in alike.values():
        step = max(1, len(files) // _ALIKE)
        several: list[Looked] = []
        for nth, found in enumerate(files):
            if (nth % step and several) or looks >= _MOST:
                # one of many whose names differ in numbers alone: taken to be like the one before
                seen.files += [Looked(found, k.format, k.guess, k.records, k.keys) for k in several]
                if not several:
                    seen.left_out.append((found.name, f"not looked at: there are more than {_MOST:,} kinds of files"))
                continue
            looks += 1
            try:
                if kind := database_in(found):
                    seen.databases.append((kind, found.path))
                    continue
                several = _look(found)
            except (LagoaError, Unusable) as error:
                seen.left_out.append((found.name, why_left_out(found, str(error))))
                continue
            seen.files += several
    return seen


def why_left_out(found: Found, said: str) -> str:
    """Say why a file is left out without its name and place: the name stands before it, the place is this machine's."""
    said = said.removeprefix(found.name).lstrip(": ")
    return said.replace(f" '{found.path}'", "").replace(str(found.path), found.name)


def database_in(found: Found) -> str | None:
    """Say which database a file is, by its first bytes."""
    if found.pack is not None:
        return None
    with found.path.open("rb") as file:
        start = file.read(16)
    return "sqlite" if start == b"SQLite format 3\0" else "duckdb" if start[8:12] == b"DUCK" else None


class Unusable(Exception):
    """A file that holds no data which can be read; says why."""


def _unpacked(files: Sequence[Found], seen: Survey) -> Iterator[Found]:
    for found in files:
        try:
            yield from expanded([found], None)
        except LagoaError as error:
            seen.left_out.append((found.name, why_left_out(found, error.message)))


def ending(name: str) -> str:
    """Return a name's ending without the dot, in small letters, below those that say how it is packed."""
    last = bare(name.lower()).rpartition("/")[2].rpartition("!")[2]
    return last.rpartition(".")[2] if "." in last else ""


def _look(found: Found) -> list[Looked]:
    tail = ending(found.name)
    if tail in _NO_DATA or found.name.rpartition("/")[2].lower() in _NO_DATA:
        raise Unusable(_NO_DATA.get(tail) or "a text")
    head, complete = head_of(found)
    if head.startswith(b"PAR1") or _FORMATS.get(tail) == "parquet":
        if found.pack is not None:
            raise Unusable("a packed Parquet file, which cannot be read in place: unpack it")
        return [Looked(found, "parquet")]
    known = _FORMATS.get(tail)
    if known in ("excel", "xml"):
        return [_whole(found, known)]
    if known is None and head.lstrip()[:1] in (b"{", b"["):
        known = "json"
    if known in ("json", "ndjson"):
        return _json(found, known, head, complete)
    if not known and (b"\0" in head or not head):
        raise Unusable("not a text" if head else "empty, and nothing tells what it should hold")
    seen = guess(head, complete, known == "tsv")
    if seen is None:
        return [Looked(found, known or "csv")]
    return [Looked(found, known or "csv", part) for part in _delimited(found, tail, seen, head, complete)]


def _delimited(found: Found, tail: str, seen: Guess, head: bytes, complete: bool) -> list[Guess]:
    if is_tagged(head, seen.dialect.delimiter) and (parts := kinds_of(found, seen.dialect)):
        return parts
    if (seen.width < 2 or seen.share < _REGULAR) and tail not in ("csv", "tsv", "tab"):
        raise Unusable(_without_columns(head, complete))
    return [seen]


def _without_columns(head: bytes, complete: bool) -> str:
    """Say why the lines of a text are no records of one width, and what may be done."""
    lines = [line for line in head.decode("utf-8", "replace").splitlines() if line]
    lines = lines[: len(lines) - (not complete and len(lines) > 1)]
    (width,) = {len(line) for line in lines} if len({len(line) for line in lines}) == 1 else (0,)
    if width >= _WIDE and len(lines) > 1:
        return f"every line has {width} characters: write its stream by hand, with `format: fixed` and its columns"
    return "a text without columns"


def _whole(found: Found, known: str) -> Looked:
    """Take a file that can only be read as a whole, unless that takes too long."""
    if found.expected > LARGEST:
        raise Unusable(f"more than {LARGEST >> 20} MB, which is not looked at: write its stream by hand")
    return Looked(found, known)


def head_of(found: Found, size: int = HEAD, encoding: str = "auto") -> tuple[bytes, bool]:
    """Return a file's first whole lines as UTF-8, and whether that is all of it. Raises SourceError."""
    decoder = Decoder(encoding, printable(found.name))
    with Opened(found, hashed=False) as opened:
        several = pieces(opened, decoder, last_line_end, size)
        text = b""
        for piece in several:
            text += piece.text()
            # a header may be longer than what is looked at: without a line below it nobody knows that it is one
            if len(text) >= _LONGEST or len(text[: size * 2].split(b"\n", 3)) > 3:
                break
        return text, len(text) < size // 2 and next(several, None) is None


def _json(found: Found, known: str, head: bytes, complete: bool) -> list[Looked]:
    first = _parsed(head.split(b"\n", 1)[0])
    keys = frozenset(first) if isinstance(first, dict) else frozenset()
    second = [*head.split(b"\n", 2), b""][1]
    if known == "ndjson" or (isinstance(first, dict) and isinstance(_parsed(second), dict)):
        return [Looked(found, "ndjson", keys=keys)]
    if not complete and found.expected > LARGEST:
        raise Unusable(f"a JSON document of more than {LARGEST >> 20} MB, which is not looked at")
    document = _parsed(head if complete else head_of(found, LARGEST)[0])
    if isinstance(document, list):
        first = next((d for d in document if isinstance(d, dict)), {})
        return [Looked(found, "json", keys=frozenset(first))]
    if isinstance(document, dict) and (lists := _lists(document)):
        return [Looked(found, "json", records=path, keys=frozenset(first)) for path, first in lists]
    return [Looked(found, "json", keys=frozenset(document) if isinstance(document, dict) else frozenset())]


def _parsed(text: bytes) -> object:
    try:
        return json.loads(text or b"null")
    except (ValueError, RecursionError):
        return None


def _lists(document: dict[str, object], path: str = "$") -> list[tuple[str, dict[str, object]]]:
    """Return where an object that is no record itself has its lists of records, with the first of each."""
    lists = {
        key: value
        for key, value in document.items()
        if isinstance(value, list) and value and all(isinstance(v, dict) for v in value)
    }
    said = {key: value for key, value in document.items() if key not in lists and key.lower() not in _ENVELOPE}
    if any(re.search(r"[.\[\]]", key) for key in (*lists, *said)):
        return []
    if not lists and len(said) == 1:  # {"meta": …, "data": {"items": […]}}
        ((key, inner),) = said.items()
        return _lists(inner, f"{path}.{key}") if isinstance(inner, dict) else []
    return [] if said else [(f"{path}.{key}", value[0]) for key, value in lists.items()]
