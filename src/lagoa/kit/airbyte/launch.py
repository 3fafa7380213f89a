"""How a connector's program is started: installed beside Lagoa, or in a container of its own."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import uuid
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import ClassVar, Protocol

from lagoa.errors import SourceError
from lagoa.kit.airbyte.process import Process, surroundings
from lagoa.kit.patience import Patience

_ENGINES = ("docker", "podman")
_INSIDE = "/lagoa"
"""The folder in which a container sees what it is told."""
_SILENT, _REMOVED = 600.0, 30.0
"""Seconds that an engine may say nothing while it fetches an image, and until a container must be gone."""
_SHOWN = 6


class Launch(Protocol):
    """A way to start a program. `passed` are beginnings of names of variables that it may see, beyond the usual."""

    passed: ClassVar[Sequence[str]]
    readable: ClassVar[int]
    """The mode of the files that it is told something in; their folder is the user's alone."""

    def started(self, command: Sequence[str], told: Mapping[str, Path]) -> AbstractContextManager[list[str]]:
        """Give the whole command line; at its end nothing of what it started goes on."""


@dataclass(frozen=True)
class Installed:
    """A program of this machine, with its first words."""

    passed: ClassVar[Sequence[str]] = ()
    readable: ClassVar[int] = 0o600
    program: Sequence[str]

    @contextmanager
    def started(self, command: Sequence[str], told: Mapping[str, Path]) -> Iterator[list[str]]:
        """Give the command line; whoever runs it ends what it started."""
        yield [*self.program, *command, *(word for name, path in told.items() for word in (f"--{name}", str(path)))]


@dataclass(frozen=True)
class Contained:
    """An image, run by a container engine: its files are read-only, it is removed at its end."""

    passed: ClassVar[Sequence[str]] = ("DOCKER_", "CONTAINER", "XDG_")
    readable: ClassVar[int] = 0o644  # the container's user is another; nobody else gets into the folder
    engine: str
    image: str

    @contextmanager
    def started(self, command: Sequence[str], told: Mapping[str, Path]) -> Iterator[list[str]]:
        """Give the command line; the container ends with the block, also when only its client was killed."""
        name, mounts, words = f"lagoa-{uuid.uuid4().hex}", list[str](), list[str]()
        for role, path in told.items():
            inside = f"{_INSIDE}/{path.name}"
            mounts += ["--mount", self._mount(path, inside)]
            words += [f"--{role}", inside]
        gone = False
        try:
            yield [self.engine, "run", "--rm", "--name", name, *mounts, self.image, *command, *words]
            gone = True
        finally:
            if not gone:
                self._remove(name)

    def fetch(self, project: Path, stopped: Event) -> None:
        """Let the engine have the image. Raises SourceError LG-201, Stopped."""
        if self._said(["image", "inspect", self.image], project, stopped)[0] != 0:
            code, said = self._said(["pull", self.image], project, stopped)
            if code != 0:
                raise self._failed(said)

    def _mount(self, path: Path, inside: str) -> str:
        """Write a mount as the engines take it: fields of CSV, of which a path may need quotes."""
        fields = ["type=bind", f"source={path}", f"target={inside}", "readonly"]
        if Path(self.engine).name == "podman":
            fields.append("relabel=private")  # where SELinux would keep the container from reading it
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(fields)
        return line.getvalue()

    def _said(self, words: Sequence[str], project: Path, stopped: Event) -> tuple[int, str]:
        late = Patience(stopped, _SILENT, lambda: self._failed("it said nothing for ten minutes"))
        try:
            process = Process([self.engine, *words], project, surroundings(os.environ, *self.passed), late)
        except OSError as error:
            raise self._failed(str(error.strerror)) from None
        try:
            last = deque((line.decode("utf-8", "replace") for line in process.lines()), maxlen=_SHOWN)
            code = process.ended()
            return code, "\n".join([*last, *process.said().splitlines()][-_SHOWN:])
        finally:
            process.close()

    def _remove(self, name: str) -> None:
        environ = surroundings(os.environ, *self.passed)
        with suppress(OSError, subprocess.TimeoutExpired):  # an engine that does not answer cannot be made to
            subprocess.run(  # noqa: S603  # the engine that was found
                [self.engine, "rm", "--force", name], env=environ, capture_output=True, timeout=_REMOVED, check=False
            )

    def _failed(self, said: str) -> SourceError:
        return SourceError(
            "LG-201",
            f"no image `{self.image}`: {Path(self.engine).name} says\n{said}",
            hint="check `image:`, the network, and that the engine runs, then run again",
            retry=False,
        )


def contained(image: str) -> Contained:
    """Choose the container engine of this machine. Raises SourceError LG-201 when there is none."""
    engine = next((path for name in _ENGINES if (path := shutil.which(name))), None)
    if engine is None:
        said = f"`image: {image}` needs a container engine, and neither docker nor podman is on the PATH"
        raise SourceError("LG-201", said, hint="install one of them, or name the connector's package: `connector:`")
    return Contained(engine, image)
