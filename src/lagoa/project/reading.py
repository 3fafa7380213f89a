"""What every part of loading shares: the folder, the findings so far, and how a file's text is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lagoa.errors import Place, ProjectError
from lagoa.project.cache import QueryCache
from lagoa.project.refer import References
from lagoa.project.tree import Tree
from lagoa.project.words import Findings
from lagoa.project.yaml import Document, read
from lagoa.spec.names import TableName


@dataclass(frozen=True)
class Mention:
    """A place where one table's file names another table; whether that exists is known once all files are read."""

    by: TableName
    written: str
    place: Place
    words: str
    """The beginning of the error: '`silver.orders` reads'."""

    @property
    def table(self) -> TableName | None:
        """The table meant, or None when it is not of the form layer.name."""
        try:
            return TableName.parse(self.written.lower())
        except ValueError:
            return None


@dataclass(frozen=True)
class Reading:
    """One loading of one project."""

    tree: Tree
    findings: Findings
    references: References
    cache: QueryCache
    target: str = "local"
    fresh: bool = False
    """Whether sources that take a whole schema are asked for it again."""
    mentions: list[Mention] = field(default_factory=list)
    """Every place where a table is named, to be looked up at the end."""
    broken_sources: set[str] = field(default_factory=set)
    """Sources whose streams are not known because their file cannot be read."""


def text_of(path: Path, name: str, code: str) -> str:
    """Read a file of the project. Raises ProjectError with `code` when it cannot be read or is not UTF-8."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProjectError(code, f"the file cannot be read: {error.strerror}", place=Place(name)) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"the file is not UTF-8: byte 0x{data[error.start]:02x} cannot stand here"
        raise ProjectError(code, message, place=Place(name, line), hint="save it as UTF-8") from None
    return text.replace("\r\n", "\n")


def mapping_of(path: Path, name: str) -> Document:
    """Read a YAML file that holds a mapping. Raises ProjectError LG-104, LG-102."""
    document = read(text_of(path, name, "LG-104"), name)
    if not isinstance(document.value, (dict, type(None))):
        place = document.at(())
        raise ProjectError("LG-102", "the file must hold `key: value` lines", place=place)
    return document


def later(message: str, place: Place, hint: str | None = None) -> ProjectError:
    """Refuse by name what a later version will do."""
    return ProjectError("LG-110", f"this version does not do {message} yet", place=place, hint=hint)
