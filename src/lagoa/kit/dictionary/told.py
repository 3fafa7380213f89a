"""A source's streams told what its dictionaries say, each file read once, all mistakes found together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lagoa.errors import Place, ProjectError, ProjectErrors, did_you_mean
from lagoa.kit.containers.members import DAMAGED
from lagoa.kit.dictionary.applied import Told, applied
from lagoa.kit.dictionary.declared import Dictionary
from lagoa.kit.dictionary.entries import Entry, about, entries
from lagoa.kit.dictionary.rows import read_rows, unusable
from lagoa.kit.excel.opened import Book
from lagoa.kit.spelled import spelling
from lagoa.spec.column import StreamColumn

Where = tuple[str | int, ...]


@dataclass
class Dictionaries:
    """The dictionaries of a project. `at` points at a key of the source; `column` is its class of columns."""

    project: Path
    at: Callable[[Where], Place]
    open: Callable[[Path], Book]
    column: type[StreamColumn]
    errors: dict[str, ProjectError] = field(default_factory=dict)
    _read: dict[str, list[Entry] | None] = field(default_factory=dict)

    def tell(
        self, name: str, stream: Told, declared: Dictionary, where: Where, rename: Mapping[str, str], options: Any
    ) -> Told:
        """Return a stream with what a dictionary, declared at `where`, says of it; mistakes go to `errors`."""
        found = self._entries(declared, where)
        if found is None:
            return stream
        try:
            meant = about(found, declared.only or name)
            if not meant and (declared.only or where[0] == "streams"):
                raise self._speaks_of_others(declared, name, found, where)
            told, types = applied(stream, meant, rename, self.column)
        except ValueError as error:
            place = self.at(("streams", name, "columns"))
            self._note(ProjectError("LG-102", str(error), place=place, hint="declare it once"))
            return stream
        except ProjectError as error:
            self._note(error)
            return stream
        for column, place in types.items():
            try:
                spelling(column, told.columns[column], options)
            except ValueError as error:
                self._note(unusable(str(error), place))
        return told

    def raise_all(self) -> None:
        """Raise ProjectErrors when anything is wrong."""
        if self.errors:
            raise ProjectErrors(self.errors.values())

    def _note(self, error: ProjectError) -> None:
        self.errors.setdefault(f"{error.place} {error.message}", error)

    def _entries(self, declared: Dictionary, where: Where) -> list[Entry] | None:
        key = declared.model_dump_json(exclude={"only"})
        if key not in self._read:
            try:
                path = self.project / Path(declared.path).expanduser()
                self._read[key] = entries(read_rows(path, declared.path, declared.sheet, self.open), declared)
            except ProjectError as error:
                self._note(error)
                self._read[key] = None
            except DAMAGED as error:
                why = (error.strerror if isinstance(error, OSError) else None) or str(error)
                message = f"the dictionary {declared.path} cannot be read: {why[:1].lower()}{why[1:]}"
                hint = "its path is relative to the project's folder" if isinstance(error, FileNotFoundError) else None
                self._note(unusable(message, self.at(where), hint))
                self._read[key] = None
        return self._read[key]

    def _speaks_of_others(self, declared: Dictionary, name: str, found: list[Entry], where: Where) -> ProjectError:
        wanted = declared.only or name
        others = sorted({entry.stream for entry in found if entry.stream})
        hint = (
            did_you_mean(wanted, others) or f"`only:` says what stands there for this stream: {', '.join(others[:5])}"
        )
        return unusable(f"no row of {declared.path} is about `{wanted}`", self.at(where), hint)
