"""Looks after one table: fewer files, no litter, a fresh checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from lagoa.errors import LakeError
from lagoa.lake.maintain import checkpoint, compact, vacuum
from lagoa.lake.store import Lake
from lagoa.ports import Session
from lagoa.spec.names import TableName


@dataclass(frozen=True)
class Cared:
    """What was done for a table: files fewer to read, old files removed, their bytes; or why it could not be."""

    table: TableName
    fewer: int = 0
    removed: int = 0
    freed: int = 0
    error: LakeError | None = None


def look_after(
    lake: Lake,
    sessions: Callable[[], AbstractContextManager[Session]],
    name: TableName,
    scratch: Path,
    run: str,
    keep: timedelta,
    oldest: datetime,
) -> Cared:
    """Compact a table, remove what neither a version younger than `keep` nor a run since `oldest` needs, checkpoint."""
    try:
        with sessions() as session:
            fewer = compact(lake, session, name, scratch, run=run)
        removed = vacuum(lake, name, keep, oldest)
        checkpoint(lake, name)
    except LakeError as error:
        return Cared(name, error=error)
    return Cared(name, fewer, removed.files, removed.size)
