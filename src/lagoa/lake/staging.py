"""The scratch folder of a run inside the lake, with a lease that says whether the run still lives."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

from lagoa.lake.files import writing

FOLDER = ".staging"


class Staging:
    """`<lake>/.staging/<run>/`: on the lake's own disk, so that files move into their table by a rename.

    The lease is a lock on `<run>.lock`, which the system lets go when the process dies, however it dies. So
    any process can tell what is litter.
    """

    def __init__(self, lake: Path, run: str) -> None:
        """Raises LakeError LG-306 when the lake cannot be written."""
        home = lake / FOLDER
        self.folder = home / run
        self._lock = home / f"{run}.lock"
        with writing("the lake"):
            home.mkdir(parents=True, exist_ok=True)
            self._handle = _locked(self._lock)
            self.folder.mkdir(exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder and let the lease go."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            self._lock.unlink()
        os.close(self._handle)


def _locked(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(handle, fcntl.LOCK_EX)
        with suppress(OSError):
            if path.stat().st_ino == os.fstat(handle).st_ino:
                return handle
        os.close(handle)  # a sweep took the file between our two calls


def live(lake: Path) -> list[str]:
    """List the runs that are being carried out now, oldest first: their ids sort by time."""
    return sorted(run for run, alive in _leases(lake) if alive)


def sweep(lake: Path) -> int:
    """Remove what dead runs left in the scratch folder; return how many runs that were."""
    dead = [run for run, alive in _leases(lake) if not alive]
    for run in dead:
        shutil.rmtree(lake / FOLDER / run, ignore_errors=True)
        with suppress(OSError):
            (lake / FOLDER / f"{run}.lock").unlink()
    return len(dead)


def _leases(lake: Path) -> Iterator[tuple[str, bool]]:
    home = lake / FOLDER
    names = {p.name.removesuffix(".lock") for p in home.iterdir()} if home.is_dir() else set()
    for run in sorted(names):
        yield run, _held(home / f"{run}.lock")


def _held(lock: Path) -> bool:
    try:
        handle = os.open(lock, os.O_RDONLY)  # a lease of another user's run may be read and not written
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
