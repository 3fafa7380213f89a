"""Every error that a user can meet: what happened, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

CODES: dict[str, tuple[str, str]] = {
    # 1xx: the project's files
    "LG-101": ("Unknown key", "Remove the key or correct its spelling; the reference lists the keys of every file."),
    "LG-102": ("Wrong value", "Give the key a value of the type that the message names."),
    "LG-103": ("Unknown table", "Name a table that a source or a model of this project makes, as layer.name."),
    "LG-104": ("Unreadable YAML", "Mend the line that the message shows; YAML indents with spaces."),
    "LG-105": ("Unreadable SQL", "Mend the SQL at the place shown; it is read in DuckDB's dialect."),
    "LG-106": ("Broken header", "A model opens with one block comment that holds YAML and nothing else."),
    "LG-107": ("Duplicate table", "Two files make the same table; rename or remove one of them."),
    "LG-108": ("Cycle", "A table cannot read itself, even through others; cut one of the edges shown."),
    "LG-109": ("Unknown file or folder", "Move the file where it belongs; the tree of a project is in the docs."),
    "LG-110": (
        "Not yet supported",
        "This version of Lagoa knows the word but cannot do it yet; the changelog says when.",
    ),
    "LG-111": ("Unknown kind", "Use one of the kinds that the message lists (sources, checks, engines)."),
    "LG-112": (
        "No project here",
        "Go to the folder that holds lagoa.yml, give -C, or make one with `lagoa init NAME`.",
    ),
    "LG-113": (
        "Unresolved reference",
        "Set the environment variable or the secret; the message lists where it was looked for.",
    ),
    "LG-114": (
        "Not allowed in a model",
        "A model is one query over declared tables; read files and servers through a source.",
    ),
    "LG-115": (
        "Unusable Python model",
        "A Python model defines `model(...)`, whose parameters are the names under `inputs:`.",
    ),
    "LG-116": (
        "Unusable dictionary",
        "Each row of a dictionary says of one column what it is called; mend the row that the message shows.",
    ),
    # 2xx: sources
    "LG-201": ("Source unreachable", "Check address, network and credentials, then run again: nothing was written."),
    "LG-202": ("Source failed", "The system said no; its words are in the message. Nothing was written."),
    "LG-203": ("No such stream", "The table, file or folder that the stream names is not there."),
    "LG-204": (
        "Schema drift",
        "The source changed its columns; change the stream's `schema:` or `columns:`, or mend the source.",
    ),
    "LG-205": ("Rows unaccounted for", "Rows read, loaded and quarantined do not add up; nothing was published."),
    "LG-206": (
        "Unusable column names",
        "Rename the columns with `names:`; two of them differ only in case or are empty.",
    ),
    "LG-207": (
        "Cursor unusable",
        "The cursor column must exist, be ordered and never be null; or use `mode: replace`.",
    ),
    "LG-208": ("Unsafe path", "Files are read only inside the source's folder: no `..`, no link that leads out of it."),
    "LG-209": ("File changed", "A file that was loaded is not the same any more; see `changed:` of the stream."),
    "LG-210": (
        "Unsafe archive",
        "It unpacks to far too much, or holds links or archives; unpack it where that is safe.",
    ),
    "LG-211": (
        "Address refused",
        "Servers are asked at public addresses; `allow_private: true` lets those of this machine and network be asked.",
    ),
    # 3xx: the lake
    "LG-301": (
        "Somebody else wrote",
        "Look at the table's history, then `lagoa run --full` (rebuild) or `--accept` (take it as it is).",
    ),
    "LG-302": (
        "Damaged table",
        "`lagoa doctor --verify` names what is broken; restore it from a copy, or rebuild with --full.",
    ),
    "LG-303": (
        "Rows without state",
        "This folder holds a table that Lagoa did not write; move it away, or --full, or --accept.",
    ),
    "LG-304": ("Unsafe table property", "Unset the property: it would make Lagoa forget what it has consumed."),
    "LG-305": ("Another run won", "Another run published first; run again to go on from what it wrote."),
    "LG-306": (
        "Lake unwritable",
        "Free space or mend permissions, then run again; the published tables are untouched.",
    ),
    "LG-307": ("No such version", "`lagoa show TABLE` lists the versions that can be read."),
    "LG-308": (
        "Type does not fit",
        "The values cannot be kept in the table's type without loss; see the stream's `columns:`.",
    ),
    "LG-309": ("Made by a newer Lagoa", "Upgrade Lagoa: this lake was written by a later version."),
    "LG-310": (
        "Read elsewhere",
        "Name the target that holds the table with -t; a target that defers writes only what differs there.",
    ),
    "LG-311": (
        "Personal values in the log",
        "`lagoa run --full -s TABLE` writes the table without them; `lagoa doctor` says which columns.",
    ),
    # 4xx: checks
    "LG-401": ("Check failed", "Readers still see the last good version; mend the data or the check, then run again."),
    "LG-402": ("Check unusable", "The check does not fit its column or table; the message says why."),
    # 5xx: runs
    "LG-501": ("Query failed", "DuckDB refused the query; its words and the place in your file are shown."),
    "LG-502": (
        "Python model failed",
        "Your model raised; the line in your file is shown. --debug shows the whole trace.",
    ),
    "LG-503": ("Stopped", "The run was stopped; run again and it goes on from where it was."),
    "LG-504": ("Out of memory", "Raise the target's `memory`, or select fewer tables at a time."),
    "LG-505": (
        "History cannot go on",
        "A model of kind `scd2` gives one row for each key (and time), never null; the message says what is wrong.",
    ),
    "LG-506": (
        "Reads what goes",
        "The plan takes a column away that this table or its check reads; change them, or keep the column.",
    ),
    "LG-507": ("Plan out of date", "The lake or the project is not what the plan was made for; plan again."),
    # 6xx: the command
    "LG-601": ("Wrong command", "`lagoa COMMAND --help` shows what it takes."),
    "LG-602": ("Missing extra", "Install what the message names."),
    "LG-603": ("Already there", "Choose another name or an empty folder."),
    "LG-604": ("Query refused", "`lagoa query` takes one SELECT over the project's tables."),
    "LG-605": ("Bug in Lagoa", "Please report it with the output of --debug; your published tables are untouched."),
}


def closest(word: str, options: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the option that a user who wrote `word` may have meant, or None."""
    by_lower = {option.lower(): option for option in options}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=likeness)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, options: Iterable[str]) -> str | None:
    """Write the hint that names the closest option; None when nothing is close."""
    found = closest(word, options)
    return f"did you mean `{found}`?" if found else None


@dataclass(frozen=True)
class Place:
    """A position in a user's file: 1-based line and column, with the line's text when it is known."""

    file: str
    line: int | None = None
    column: int | None = None
    text: str | None = None

    def __str__(self) -> str:
        return ":".join(str(p) for p in (self.file, self.line, self.column) if p is not None)


class LagoaError(Exception):
    """The root of every error that Lagoa raises on purpose; `code` is a key of CODES.

    `exit` is what the command ends with: 1 for data and steps, 2 for the project and the command.
    """

    exit = 1

    def __init__(self, code: str, message: str, *, place: Place | None = None, hint: str | None = None) -> None:
        if code not in CODES:
            raise ValueError(f"{code} is not in lagoa.errors.CODES")
        super().__init__(message)
        self.code, self.message, self.place, self.hint = code, message, place, hint

    def __str__(self) -> str:
        return self.message


class ProjectError(LagoaError):
    """A file of the project is wrong."""

    exit = 2


class ProjectErrors(LagoaError):
    """All that is wrong with a project, reported at once; `errors` holds at least one."""

    exit = 2

    def __init__(self, errors: Iterable[ProjectError]) -> None:
        self.errors: Sequence[ProjectError] = tuple(errors)
        first = self.errors[0]
        super().__init__(first.code, first.message, place=first.place, hint=first.hint)


class CommandError(LagoaError):
    """The command line asks for something that cannot be."""

    exit = 2


class MissingExtra(CommandError):
    """A driver is not installed; the hint is the command that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__("LG-602", f"{what} needs a driver that is not installed", hint=f"pip install 'lagoa[{extra}]'")


class SourceError(LagoaError):
    """An external system failed; `retry` says that the same call may succeed later."""

    def __init__(
        self, code: str, message: str, *, place: Place | None = None, hint: str | None = None, retry: bool = False
    ) -> None:
        super().__init__(code, message, place=place, hint=hint)
        self.retry = retry


class LakeError(LagoaError):
    """A table of the lake is not as our last commit left it, or cannot be written."""


class Conflict(LakeError):
    """A rival published first; what was staged is void and the step must be redone."""


class CheckFailed(LagoaError):
    """A blocking check found violations; the published table is untouched."""


class StepError(LagoaError):
    """The user's query or Python model failed."""


class Stopped(LagoaError):
    """The run was asked to stop."""
