"""A table's state: the immutable file, selected by a commit, that says what the commit made true beside the
rows."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from lagoa.errors import LakeError
from lagoa.lake.files import folder, fsync, write_new
from lagoa.ports import Json

FORMAT = 1
"""What this version of Lagoa writes; a state with a greater number was written by a newer one."""
HOME = "_lagoa"
STATES = f"{HOME}/state"
CHANGES = f"{HOME}/changes"
BIG_CURSOR = 64 * 1024
"""A cursor whose JSON is longer lies in a file of its own, compressed."""
Mode = Literal["append", "merge", "replace", "schema", "retype", "restore", "accept"]


@dataclass(frozen=True)
class Input:
    """What a table has consumed of another: ours by its data state, a foreign one by its id and data
    version."""

    state: int | None = None
    table_id: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class CheckResult:
    """What a check found when the commit was made."""

    name: str
    on_fail: str
    violations: int


@dataclass(frozen=True)
class Placed:
    """A file that a state names: its path below its table's folder, and the partition it belongs to."""

    path: str
    rows: int
    size: int
    partition: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """What `_lagoa/state/<id>.json` says. `version` is certain: the commit is a compare-and-swap on it."""

    id: int
    parent: int | None
    version: int
    data: int
    """The newest state, this one included, that changed rows: what a consumer records as consumed."""
    mode: Mode
    rows: int
    """Rows of the table after it; compaction keeps it, a lost commit does not."""
    table: str = ""
    """Delta's JSON of the table's columns."""
    partition_by: Sequence[str] = ()
    definition: Json = None
    inputs: Mapping[str, Input] = field(default_factory=dict)
    cursor: Json = None
    added: Sequence[Placed] = ()
    """The files that an append added; they are the changed rows."""
    changes: Sequence[str] | None = None
    """None: everything changed; []: the added files are the changed rows; else files below _lagoa/changes."""
    sides: int | None = None
    """Rows in `changes`: a row that changed counts twice, as it was and as it is."""
    size: int | None = None
    """Bytes of the table's files, but for what a compaction saved since; None when nobody counted."""
    checks: Sequence[CheckResult] = ()
    bad: Sequence[Placed] = ()
    """Files of quarantined rows, in the quarantine table's folder, that are true since this state."""
    bad_at: int | None = None
    """The newest state, this one included, that the quarantine table must follow."""
    bad_before: int | None = None
    """The one before `bad_at`: quarantining states form a chain of their own."""
    personal: Sequence[str] = ()
    run: str = ""
    at: int = 0
    """When, in milliseconds since 1970 UTC; for people only."""
    format: int = FORMAT

    @property
    def news(self) -> bool:
        """Say whether this state changed rows."""
        return self.data == self.id


def state_file(table: Path, id: int) -> Path:
    """Return the path of a state's file."""
    return table / STATES / f"{id}.json"


def cursor_file(table: Path, id: int) -> Path:
    """Return the path of a state's big cursor, if it has one."""
    return table / STATES / f"{id}.cursor.json.gz"


def write_state(table: Path, state: State) -> None:
    """Write a state, durably, under a name that nobody has used. Raises FileExistsError."""
    body = asdict(state)
    cursor = json.dumps(state.cursor)
    if len(cursor) > BIG_CURSOR:
        body["cursor"] = None
        body["cursor_file"] = True
        write_new(cursor_file(table, state.id), gzip.compress(cursor.encode(), 6, mtime=0))
    text = json.dumps(body)
    write_new(state_file(table, state.id), f'{text[:-1]}, "sum": "{_sum(text)}"}}'.encode())


def load_state(table: Path, id: int, cursor: bool = True) -> State:
    """Read a state. Raises LakeError LG-302 when it is missing or damaged, LG-309 when a newer Lagoa
    wrote it.

    `cursor=False` leaves a big cursor unread.
    """
    path = state_file(table, id)
    try:
        body = _parsed(path.read_text("utf-8"))
        if body.get("format", 1) > FORMAT:
            raise LakeError(
                "LG-309",
                f"{table.parent.name}.{table.name} was written by a newer Lagoa",
                hint="pip install --upgrade lagoa",
            )
        if body.pop("cursor_file", False) and cursor:
            body["cursor"] = json.loads(gzip.decompress(cursor_file(table, id).read_bytes()))
        return _revived(body)
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        why = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error}"
        raise LakeError(
            "LG-302",
            f"{table.parent.name}.{table.name}: the state that its newest commit selects, {path.name}, {why}",
            hint="restore it from a copy; rebuild the table with --full, or take its rows with --accept",
        ) from error


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _parsed(text: str) -> dict[str, Any]:
    """Read a state's JSON, which ends with a sum over the rest: a flipped digit must not move a cursor."""
    head, mark, tail = text.rpartition(', "sum": "')
    if not mark or tail != _sum(head + "}") + '"}':
        raise ValueError("its bytes are not those that were written")
    parsed: dict[str, Any] = json.loads(head + "}")
    return parsed


def _revived(body: dict[str, Any]) -> State:
    known = {f.name for f in fields(State)}
    body["inputs"] = {name: Input(**i) for name, i in body["inputs"].items()}
    body["checks"] = [CheckResult(**c) for c in body["checks"]]
    for name in ("added", "bad"):
        body[name] = [Placed(**p) for p in body[name]]
    return State(**{k: v for k, v in body.items() if k in known})


def chain(table: Path, state: State | None) -> Iterator[State]:
    """Walk from a state down its parents, without their big cursors; stop where a state file is missing."""
    while state is not None:
        yield state
        if state.parent is None:
            return
        try:
            state = load_state(table, state.parent, cursor=False)
        except LakeError:
            return


def on_disk(table: Path) -> list[int]:
    """List the ids of the state files that lie in a table's folder, selected by a commit or not."""
    home = table / STATES
    found = [p.name.removesuffix(".json") for p in home.iterdir()] if home.is_dir() else []
    return sorted(int(name) for name in found if name.isdigit())


def state_folder(table: Path) -> None:
    """Make the folder of states, durably."""
    fsync(folder(table / STATES))
