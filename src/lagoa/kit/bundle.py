"""Records that were judged one by one: good ones gathered with their file and line, bad ones refused with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from lagoa.errors import SourceError
from lagoa.kit.encoding import Decoder
from lagoa.kit.landing import Found, printable
from lagoa.kit.pieces import Opened
from lagoa.ports import Reject, Settled

SMALL = 8 << 20
"""Bytes up to which a file is read record by record, together with others, and that a bundle gathers."""


@dataclass(slots=True)
class Record:
    """Good: its bytes without the last line end. Bad: `reason` says why, and `text` is the line given up."""

    line: int
    text: bytes
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """Good records, one after the other: the lines where they start, and their texts."""

    lines: Sequence[int]
    texts: Sequence[bytes]


@dataclass
class Noted:
    """What reading found out: each file's hash, and what a person should know."""

    digests: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def done(self, opened: Opened, decoder: Decoder | None = None) -> None:
        """Remember a file that was read to its end. Raises SourceError when it changed meanwhile."""
        name = printable(opened.found.name)
        before = self.digests.get(opened.found.name, opened.digest)
        if opened.changed() or before != opened.digest:
            raise SourceError(
                "LG-209",
                f"{name} changed while it was read",
                hint="run again when it is written; nothing was published",
                retry=True,
            )
        self.digests[opened.found.name] = opened.digest
        if decoder is not None and decoder.auto and decoder.chosen not in (None, "utf-8"):
            self.note(f"read {name} as {decoder.chosen}")

    def note(self, text: str) -> None:
        """Keep a note, once."""
        if text not in self.notes:
            self.notes.append(text)


@dataclass
class Bundle:
    """Records of several files with the same columns, rewritten as `file, line, record` for one portion."""

    arrives: tuple[str, ...] = ()
    files: list[Found] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    good: int = 0
    size: int = 0
    longest: int = 0

    def take(self, found: Found, records: Iterable[Record], delimiter: bytes) -> None:
        """Add a file's records."""
        self.take_runs(found, (r if r.reason is not None else Run((r.line,), (r.text,)) for r in records), delimiter)

    def take_runs(self, found: Found, runs: Iterable[Run | Record], delimiter: bytes) -> None:
        """Add a file's records: good ones in runs, bad ones alone."""
        if not self.files or self.files[-1] is not found:
            self.files.append(found)
        mark = delimiter.replace(b"%", b"%%")
        start = b"%d%b%%d%b" % (len(self.files) - 1, mark, mark)
        out: list[bytes] = []
        for run in runs:
            if isinstance(run, Run):
                out += [start % line + text for line, text in zip(run.lines, run.texts, strict=True)]
                self.longest = max(self.longest, max(map(len, run.texts)))
            else:
                raw = run.text.decode("utf-8", "backslashreplace")
                self.rejects.append(Reject(printable(found.name), run.line, run.reason or "", raw))
        self.good += len(out)
        self.parts.append(b"\n".join(out) + b"\n" if out else b"")
        self.size += len(self.parts[-1])

    def settled(self, hide: bool) -> Settled:
        """Return what became of the records; `hide` keeps no text of refused ones: dropped columns may be in it."""
        rejects = [replace(r, raw=None) for r in self.rejects] if hide else self.rejects
        return Settled(tuple(rejects), self.good + len(rejects))

    def label(self) -> str:
        """Name the files, for progress."""
        more = len(self.files) - 1
        first = printable(self.files[0].name) if self.files else ""
        return f"{first} and {more} more" if more > 0 else first
