"""What is proposed: files of a new project, and a note for everything that a person should know or finish."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lagoa.errors import CommandError, Place

REPORT = "TRANSLATION.md"
Sort = Literal["untranslated", "to complete", "decided", "sql"]
TITLES: Mapping[Sort, str] = {
    "untranslated": "Not translated",
    "to complete": "To be completed",
    "decided": "Decided",
    "sql": "SQL changed for DuckDB",
}
"""How each sort of note is headed, the most urgent first."""


@dataclass(frozen=True)
class Note:
    """Something that a person should know: what sort, where it stands in what was read, and in words."""

    sort: Sort
    place: Place
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass
class Proposal:
    """Files of a new project, by their path in it: text that was made, and files that are copied as they are."""

    files: dict[str, str] = field(default_factory=dict)
    copies: dict[str, Path] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    tests: int = 0
    """How many tests became checks."""
    made: dict[str, str] = field(default_factory=dict)
    """What became what: `model stg_orders` → `silver.stg_orders (view)`."""

    def note(self, sort: Sort, file: str, line: int | None, text: str) -> None:
        """Add a note, once."""
        found = Note(sort, Place(file, line), " ".join(text.split()))
        if found not in self.notes:
            self.notes.append(found)

    def of(self, sort: Sort) -> list[Note]:
        """Return the notes of a sort, by file and line."""
        return sorted((n for n in self.notes if n.sort == sort), key=lambda n: (n.place.file, n.place.line or 0))

    def write(self, folder: Path, title: str | None = None) -> int:
        """Write all of it into a folder, a report with it when it has a title; return how many files.

        Raises CommandError LG-603.
        """
        texts = {**self.files, **({REPORT: "\n".join(self.report(title)) + "\n"} if title else {})}
        try:
            for name, text in texts.items():
                _made(folder / name).write_text(text, encoding="utf-8")
            for name, source in self.copies.items():
                shutil.copyfile(source, _made(folder / name))
        except OSError as error:
            raise CommandError("LG-603", f"cannot write {folder}: {error.strerror or error}") from error
        return len(texts) + len(self.copies)

    def report(self, title: str) -> Iterator[str]:
        """Write the report as Markdown."""
        yield f"# {title}"
        for sort, head in TITLES.items():
            notes = self.of(sort)
            if notes:
                yield from ("", f"## {head}", "")
                yield from (f"- `{note.place}`: {note.text}" for note in notes)
        yield from ("", "## What became what", "", "| there | here |", "|---|---|")
        yield from (f"| {there} | {here} |" for there, here in sorted(self.made.items()))

    def to_json(self) -> dict[str, Any]:
        """Write what was found, for programs: `notes` with file and line, and `made`."""
        notes = [
            {"sort": n.sort, "file": n.place.file, "line": n.place.line, "text": n.text}
            for sort in TITLES
            for n in self.of(sort)
        ]
        return {"files": sorted([*self.files, *self.copies, REPORT]), "made": self.made, "notes": notes}


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
