"""The lake: a folder of layers, each a folder of Delta tables, opened at their newest version with every
guard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from lagoa.errors import LakeError
from lagoa.lake import log
from lagoa.lake.files import reading
from lagoa.lake.rust import asked
from lagoa.lake.state import load_state
from lagoa.lake.table import Table
from lagoa.spec.names import LAYERS, QUARANTINE, TableName, is_name

__all__ = ["Lake", "Table"]


class Lake:
    """The tables below one folder. Nothing is kept in memory: each opening looks at the disk.

    `elsewhere` are tables that are read, with their quarantines, in the lake of another folder, where nothing is ever
    written: a copy of such a table below this folder does not count.
    """

    def __init__(self, root: Path, elsewhere: Mapping[TableName, Path] | None = None) -> None:
        self.root = Path(root)
        self.elsewhere = elsewhere or {}

    def path(self, name: TableName) -> Path:
        """Return the folder of a table."""
        return self.elsewhere.get(name.guarded, self.root) / name.layer / name.name

    def owned(self, name: TableName) -> None:
        """Refuse to write a table that is read in another lake. Raises LakeError LG-310."""
        if name.guarded in self.elsewhere:
            raise LakeError("LG-310", f"{name} is read in another target's lake, where nothing is written from here")

    def names(self) -> list[TableName]:
        """List the tables that count and are on disk, quarantine tables included."""
        roots = {self.root, *self.elsewhere.values()}
        return sorted(n for root in roots for n in on_disk(root) if self.path(n).is_relative_to(root))

    def open(self, name: TableName, trust: bool = False) -> Table:
        """Pin the newest version; `version` is -1 when there is no table.

        Raises LakeError when somebody else changed it (LG-301), it is damaged (LG-302), holds rows without
        state (LG-303) or could forget (LG-304), or a newer Lagoa wrote it (LG-309). `trust` opens it
        nevertheless, but for LG-309, with the reason in `distrust`: so that it can be restored, accepted or
        rebuilt.
        """
        with reading(name):
            found = log.listing(self.path(name))
            if found is None:
                return Table(name, self.path(name))
            table = self._pin(name, found, found.newest)
        if trust:
            return replace(table, trusted=True)
        if table.distrust is not None:
            raise table.distrust
        return table

    def at(self, name: TableName, when: int | datetime) -> Table:
        """Pin an older version, or the newest one at a time (naive times are UTC). Raises LakeError
        LG-307."""
        with reading(name):
            found = log.listing(self.path(name))
            if found is None:
                raise LakeError(
                    "LG-307", f"{name} has no version: it has not been built yet", hint=f"lagoa run -s {name}"
                )
            version = when if isinstance(when, int) else self._version_at(name, found, when)
            if not 0 <= version <= found.newest:
                raise _no_version(name, f"version {version}")
            table = self._pin(name, found, version)
            if table.distrust is not None:
                table = replace(table, trusted=True)
        if table.broken:
            raise table.distrust or _no_version(name, f"version {version}")
        try:
            table.live.version()
        except LakeError as error:
            raise _no_version(name, f"version {version}", error) from error
        return table

    def _version_at(self, name: TableName, found: log.Log, when: datetime) -> int:
        moment = log.milliseconds(when)
        for version, at, _ in log.times(found, found.newest, name):
            if at <= moment:
                return version
        raise _no_version(name, f"version as of {when.isoformat(sep=' ', timespec='seconds')}")

    def _pin(self, name: TableName, found: log.Log, version: int) -> Table:
        path = self.path(name)
        if (broken := log.damage(found, name)) is not None:
            return Table(name, path, version, distrust=broken, broken=True)
        try:
            tail = log.tail(found, version, name)
        except LakeError as error:
            return Table(name, path, version, distrust=error, broken=True)
        if tail.state is None:
            return self._without_state(name, version, tail)
        return self._with_state(name, version, tail.state, tail)

    def _with_state(self, name: TableName, version: int, selected: int, tail: log.Tail) -> Table:
        path = self.path(name)
        try:
            state = load_state(path, selected)
        except LakeError as error:
            if error.code == "LG-309":
                raise
            return Table(name, path, version, None, selected, error)
        distrust = tail.suspect[1] if tail.suspect else None
        if tail.at is not None and state.version != tail.at:
            said = f"its version {tail.at} selects a state that speaks of version {state.version}"
            distrust = log.damaged(name, said)
        return Table(name, path, version, state, selected, distrust)

    def _without_state(self, name: TableName, version: int, tail: log.Tail) -> Table:
        """Judge a table of which no commit that is left is ours: cleaned up behind a checkpoint, or
        never ours."""
        path = self.path(name)
        table = Table(name, path, version, distrust=_stateless(name))
        try:
            with asked(name):
                handle = replace(table, trusted=True).live
                selected = handle.transaction_version(log.APP)
                empty = not handle.file_uris()
        except LakeError as error:
            return Table(name, path, version, distrust=error, broken=True)
        if selected is None:
            return Table(name, path, version) if empty else table
        kept = self._with_state(name, version, selected, tail)
        if kept.state is not None and kept.state.version < tail.bottom - 1:
            said = f"its commits since version {kept.state.version} were cleaned up by somebody else"
            return Table(name, path, version, kept.state, selected, log.damaged(name, said))
        return kept


def on_disk(root: Path) -> list[TableName]:
    """List the tables that lie below a lake's folder, quarantine tables included."""
    found = []
    for layer in (*LAYERS, QUARANTINE):
        home = root / layer
        entries = home.iterdir() if home.is_dir() else ()
        found += [TableName(layer, p.name) for p in entries if is_name(p.name) and (p / log.FOLDER).is_dir()]
    return sorted(found)


def _stateless(name: TableName) -> LakeError:
    return LakeError(
        "LG-303",
        f"{name} holds rows, but nothing in it says that Lagoa wrote them",
        hint="move the folder away; or rebuild the table with --full, or take its rows with --accept",
    )


def _no_version(name: TableName, what: str, why: LakeError | None = None) -> LakeError:
    said = f"{name} has no {what}" if why is None else f"{name}: {what} can no longer be read ({why.message})"
    return LakeError("LG-307", said, hint=f"`lagoa show {name}` lists its versions")
