"""A Python environment for one connector, made once and kept aside: what it needs never meets what Lagoa needs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from lagoa.errors import SourceError, Stopped
from lagoa.kit.airbyte.process import Process, surroundings
from lagoa.kit.patience import Patience

FOLDER = Path(".lagoa", "airbyte")
_READY = ".ready"
_SILENT = 600.0
"""Seconds that an installer may say nothing."""
_SHOWN = 6
"""The installer's last lines that an error shows."""
_TICK = 0.1
_ARCHIVES = (".whl", ".tar.gz", ".zip")


def where_uv_may_be() -> str:
    """Return the folders in which uv is looked for: Lagoa's own programs first, since pip puts it there."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


@dataclass(frozen=True)
class Environment:
    """Where a requirement such as `airbyte-source-faker==7.2.1` is installed. `python` is an interpreter, or `3.11`.

    uv makes it when it is in one of the folders of `uv`, Python's own venv and pip otherwise.
    """

    project: Path
    requirement: str
    python: str | None = None
    uv: str = field(default_factory=where_uv_may_be)

    @property
    def folder(self) -> Path:
        """Return its folder, which may be deleted whenever no run uses it."""
        what = f"{self.requirement}\0{self.python or sys.version_info[:2]}"
        return self.project / FOLDER / hashlib.sha256(what.encode()).hexdigest()[:16]

    def programs(self, stopped: Event) -> Path:
        """Return the folder of its programs; make the environment if there is none. Raises SourceError LG-201."""
        if not self._is_ready():
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self.folder.with_suffix(".lock"), stopped):
                if not self._is_ready():
                    self._make(stopped)
        return self.folder / "bin"

    def _is_ready(self) -> bool:
        return (self.folder / _READY).is_file() and (self.folder / "bin" / "python").exists()

    def _make(self, stopped: Event) -> None:
        self._refuse_a_file_that_is_not_there()
        shutil.rmtree(self.folder, ignore_errors=True)
        inside, uv, python = str(self.folder / "bin" / "python"), shutil.which("uv", path=self.uv), self._interpreter()
        if uv:  # which may fetch an interpreter that the machine lacks
            self._run([uv, "venv", "--no-project", "--python", python or str(self.python), str(self.folder)], stopped)
            self._run([uv, "pip", "install", "--python", inside, self.requirement], stopped)
        elif python is None:
            raise self._no_interpreter("")
        else:
            self._run([python, "-m", "venv", str(self.folder)], stopped)
            quiet = ["--disable-pip-version-check", "--no-input", "--quiet"]
            self._run([inside, "-m", "pip", "install", *quiet, self.requirement], stopped)
        (self.folder / _READY).write_text(self.requirement, encoding="utf-8")

    def _refuse_a_file_that_is_not_there(self) -> None:
        written = self.requirement.partition("[")[0].strip()
        is_path = "@" not in written and ("/" in written or written.endswith(_ARCHIVES))
        if is_path and not (self.project / written).exists():
            said = f"no environment for `{self.requirement}`: there is no such file"
            raise SourceError(
                "LG-201", said, hint="correct the path in `connector:`; it begins at the project's folder"
            )

    def _interpreter(self) -> str | None:
        if self.python is None:
            return sys.executable
        names = [self.python, f"python{self.python}"]
        return next((path for name in names if (path := shutil.which(name))), None)

    def _no_interpreter(self, said: str) -> SourceError:
        fetched = f", and uv cannot fetch one: {said}" if said else ""
        return SourceError(
            "LG-201",
            f"`python: {self.python}`: there is no such interpreter{fetched}",
            hint="install it, or leave `python:` out to use Lagoa's own",
        )

    def _run(self, argv: list[str], stopped: Event) -> None:
        patience = Patience(stopped, _SILENT, lambda: self._failed(argv, "it said nothing for ten minutes"))
        environ = surroundings(os.environ, "PIP_", "UV_", "XDG_", "TMPDIR")
        try:
            process = Process(argv, self.project, environ, patience)
        except OSError as error:
            raise self._failed(argv, str(error.strerror)) from None
        try:
            last = deque((line.decode("utf-8", "replace") for line in process.lines()), maxlen=_SHOWN)
            if process.ended() != 0:
                said = [*last, *process.said().splitlines()][-_SHOWN:]
                raise self._failed(argv, "\n".join(line.rstrip() for line in said))
        finally:
            process.close()

    def _failed(self, argv: list[str], said: str) -> SourceError:
        if "venv" in argv and self._interpreter() is None:
            return self._no_interpreter(said)
        tool = "uv" if Path(argv[0]).name == "uv" else " ".join(argv[1:3]).removeprefix("-m ")
        return SourceError(
            "LG-201",
            f"no environment for `{self.requirement}`: {tool} says\n{said}",
            hint="check the requirement, the network and `python:`, then run again",
            retry=False,
        )


@contextmanager
def _locked(path: Path, stopped: Event) -> Iterator[None]:
    """Wait until no other run makes this environment. Raises Stopped."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if stopped.is_set():
                raise Stopped("LG-503", "the run was stopped")
            time.sleep(_TICK)
        yield
    finally:
        os.close(handle)
