"""Runs a foreign program that may hang, flood or die: in a group of its own, read patiently, ended for certain."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import IO

from lagoa.kit.patience import Patience, Pump

_READ, _LINE, _TAIL = 256 << 10, 128 << 20, 8 << 10
"""Bytes taken at once, of the longest line, and kept of what is said on stderr."""
_GRACE, _PATIENT = 1.0, 2.0
"""Seconds between asking a program to end and ending it, and until that is done."""
_PASSED = ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_PASSED_IN_PART = ("LC_", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "SSL_CERT_")


class LineTooLong(Exception):
    """A program's line is longer than any that is held in memory."""


def surroundings(environ: Mapping[str, str], *more: str) -> dict[str, str]:
    """Return the variables that a program may see: language, certificates, proxies; other people's secrets are not.

    `more` are the beginnings of further names.
    """
    begins = (*_PASSED_IN_PART, *(word.upper() for word in _PASSED_IN_PART), *more)
    return {name: value for name, value in environ.items() if name in _PASSED or name.startswith(begins)}


class Process:
    """A program that was started. Whoever starts it calls `kill` at last, also when it has ended."""

    def __init__(self, argv: Sequence[str], folder: Path, environ: Mapping[str, str], patience: Patience) -> None:
        """Start it. Raises OSError when it cannot be."""
        self._program = subprocess.Popen(  # noqa: S603  # what the project names is what is run
            argv,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._ended, self._said, self._kept = Event(), deque[bytes](), 0
        self._threads = [Thread(target=work, daemon=True) for work in (self._listen, self._await)]
        for thread in self._threads:
            thread.start()
        self._patience = patience
        self._pump = Pump(self._chunks, patience, self.kill, lambda error: error, ahead=4)

    def lines(self) -> Iterator[bytes]:
        """Give its output by lines. Raises Stopped, LineTooLong, and what the patience gives when it is late."""
        parts: list[bytes] = []
        held = 0
        for chunk in self._pump:
            first, *others = chunk.split(b"\n")
            parts.append(first)
            held += len(first)
            if others:
                yield b"".join(parts)
                yield from others[:-1]
                parts, held = [others[-1]], len(others[-1])
            if held > _LINE:
                raise LineTooLong
        if held:
            yield b"".join(parts)

    def ended(self) -> int:
        """Wait for its end and return its exit code, negative for the signal that ended it."""
        if not self._ended.wait(_PATIENT):  # it closed its output, and goes on
            self.kill()
        for thread in self._threads:
            thread.join(_PATIENT)
        return -signal.SIGKILL if self._program.returncode is None else self._program.returncode

    def said(self) -> str:
        """Return the last of what it wrote to stderr."""
        return b"".join(self._said)[-_TAIL:].decode("utf-8", "replace").strip()

    def kill(self) -> None:
        """End it and all that it has started: asked first, then not. Safe to call twice, and from any thread."""
        for sign, seconds in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, _PATIENT)):
            if self._ended.is_set():
                return
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._program.pid, sign)
            if self._ended.wait(seconds):
                return

    def close(self) -> None:
        """End it and let go of what it wrote."""
        self._pump.close()
        self.kill()
        for thread in self._threads:
            thread.join(_PATIENT)

    def _chunks(self) -> Iterator[bytes]:
        with _opened(self._program.stdout) as out:
            while chunk := os.read(out.fileno(), _READ):
                yield chunk

    def _listen(self) -> None:
        with _opened(self._program.stderr) as out:
            while chunk := os.read(out.fileno(), _READ):
                self._said.append(chunk[-_TAIL:])
                self._kept += len(self._said[-1])
                while self._kept - len(self._said[0]) > _TAIL:
                    self._kept -= len(self._said.popleft())

    def _await(self) -> None:
        pid = self._program.pid
        # what it leaves behind holds its output open; not yet reaped, its number is nobody else's
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        self._program.wait()
        self._ended.set()


def _opened(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise TypeError("it was started without a pipe")
    return stream
