"""The Delta log as files: which commits there are, whether they are whole, and what the newest ones did."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lagoa.errors import LakeError
from lagoa.lake.files import fsync

APP = "lagoa"
"""The application id of our transactions; their version is a state's id."""
FOLDER = "_delta_log"
FORGETFUL = "delta.setTransactionRetentionDuration"
"""The property that lets Spark drop what we have consumed."""
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(\.\d{10}\.\d{10}|\.[0-9a-f-]{36})?\.(parquet|json)")
Action = dict[str, Any]


@dataclass(frozen=True)
class Log:
    """A listing of `_delta_log`: sizes of commits by version, versions with a checkpoint."""

    path: Path
    commits: dict[int, int]
    checkpoints: frozenset[int]

    @property
    def newest(self) -> int:
        """The newest version."""
        return max(max(self.commits, default=-1), max(self.checkpoints, default=-1))

    @property
    def since_checkpoint(self) -> int:
        """How many commits a reader must replay."""
        return self.newest - max(self.checkpoints, default=-1)


def commit_file(table: Path, version: int) -> Path:
    """Return the path of a commit."""
    return table / FOLDER / f"{version:020}.json"


def listing(table: Path) -> Log | None:
    """List the log; None when the folder holds no Delta table."""
    commits: dict[int, int] = {}
    checkpoints = set()
    try:
        with os.scandir(table / FOLDER) as entries:
            for entry in entries:
                if found := _COMMIT.fullmatch(entry.name):
                    commits[int(found[1])] = entry.stat().st_size
                elif found := _CHECKPOINT.fullmatch(entry.name):
                    checkpoints.add(int(found[1]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Log(table, commits, frozenset(checkpoints)) if commits or checkpoints else None


def damage(log: Log, label: object) -> LakeError | None:
    """Find an empty commit, which delta-rs reads as a commit of nothing, or a gap between commits."""
    empty = sorted(v for v, size in log.commits.items() if not size)
    if empty:
        name = commit_file(log.path, empty[0]).name
        return damaged(label, f"its commit {name} is empty (a power cut?), so what it did is lost")
    base = max((v for v in log.checkpoints if v <= log.newest), default=-1)
    for version in range(base + 1, log.newest + 1):
        if version not in log.commits:
            return damaged(label, f"its commit {commit_file(log.path, version).name} is missing")
    return None


def damaged(label: object, what: str) -> LakeError:
    """Make the error LG-302 of a table."""
    hint = "restore that file from a copy, or rebuild with --full; `lagoa doctor --verify` looks at every byte"
    return LakeError("LG-302", f"{label}: {what}", hint=hint)


def read_commit(table: Path, version: int, label: object) -> list[Action]:
    """Read a commit's actions. Raises LakeError LG-302 when it is torn, FileNotFoundError when it was
    cleaned up."""
    data = commit_file(table, version).read_bytes()
    try:
        actions = [json.loads(line) for line in data.splitlines() if line.strip()]
        if not actions or not all(isinstance(a, dict) for a in actions):
            raise ValueError("it holds no actions")
    except ValueError as error:
        raise damaged(label, f"its commit {commit_file(table, version).name} is torn") from error
    return actions


def txn_of(actions: Sequence[Action]) -> int | None:
    """Return the state that a commit selects, if it is one of ours."""
    found = [a["txn"]["version"] for a in actions if "txn" in a and a["txn"].get("appId") == APP]
    return int(found[-1]) if found else None


def changes_data(actions: Sequence[Action]) -> bool:
    """Say whether a commit changed rows, rather than only how they are stored."""
    files = (a.get("add") or a.get("remove") or {} for a in actions)
    return any(f.get("dataChange", True) for f in files if f)


def info_of(actions: Sequence[Action]) -> dict[str, Any]:
    """Return what a commit says of itself: timestamp, operation, our run."""
    return next((dict(a["commitInfo"]) for a in actions if "commitInfo" in a), {})


@dataclass(frozen=True)
class Tail:
    """The commits down to the newest of ours.

    `state` is the state that it selects, `at` its version; both None when no commit that is left is ours.
    `bottom` is the oldest version that was read; `suspect` the oldest later commit that is not ours and
    changed more than storage.
    """

    state: int | None
    at: int | None
    bottom: int
    suspect: tuple[int, LakeError] | None = None


def tail(log: Log, newest: int, label: object) -> Tail:
    """Read the log backwards from `newest` to the newest commit of ours. Raises LakeError LG-302 for a
    torn commit."""
    suspect = None
    version = newest
    while version >= 0:
        try:
            actions = read_commit(log.path, version, label)
        except FileNotFoundError:
            return Tail(None, None, version + 1, suspect)
        if (state := txn_of(actions)) is not None:
            return Tail(state, version, version, suspect)
        if (error := _judge(actions, version, label)) is not None:
            suspect = (version, error)
        version -= 1
    return Tail(None, None, 0, suspect)


def _judge(actions: Sequence[Action], version: int, label: object) -> LakeError | None:
    for action in actions:
        configuration = (action.get("metaData") or {}).get("configuration") or {}
        if FORGETFUL in configuration:
            return forgetful(label)
    if not changes_data(actions) and not any("metaData" in a for a in actions):
        return None
    info = info_of(actions)
    who = " by ".join(str(info[k]) for k in ("operation", "engineInfo") if k in info) or "unknown"
    return LakeError(
        "LG-301",
        f"{label}: version {version} ({who}) was written by somebody else",
        hint="`lagoa restore` goes back to a version of ours, --full rebuilds it, --accept takes it as it is",
    )


def forgetful(label: object) -> LakeError:
    """Make the error LG-304 of a table."""
    return LakeError(
        "LG-304",
        f"{label}: the property {FORGETFUL} would make it forget what Lagoa has consumed",
        hint=f"alter table … unset tblproperties ('{FORGETFUL}'), then run again",
    )


def durable(table: Path, first: int, last: int) -> None:
    """Make commits survive a power cut, whoever made them: nobody builds on, or acknowledges, one that
    may vanish."""
    for version in range(first, last + 1):
        path = commit_file(table, version)
        if path.exists():
            fsync(path)
    fsync(table / FOLDER)
    if first <= 0:
        fsync(table)  # where the folder of the log itself is an entry


def times(log: Log, newest: int, label: object) -> Iterator[tuple[int, int, list[Action]]]:
    """Walk the commits that are left, newest first: version, time in milliseconds since 1970 UTC, actions."""
    for version in range(newest, -1, -1):
        try:
            actions = read_commit(log.path, version, label)
        except FileNotFoundError:
            return
        info = info_of(actions)
        at = info.get("inCommitTimestamp") or info.get("timestamp")
        if at is None:
            at = int(commit_file(log.path, version).stat().st_mtime * 1000)
        yield version, int(at), actions


def milliseconds(when: datetime) -> int:
    """Return a time as milliseconds since 1970 UTC; a naive one is UTC."""
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
