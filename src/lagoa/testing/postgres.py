"""A real PostgreSQL for tests, started from the machine's own packages on a free loopback port."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from lagoa.testing.ports import free_port

PASSWORD = "c4n@ry:/p?w#d%+é'\"\\"
"""The superuser's password: a canary with every character that a connection string can stumble over."""
INSTALL = "sudo apt-get install postgresql"
_USER = "lagoa"
_UNSAFE_BUT_FAST = (
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=64MB",
)  # yet what is committed survives kill -9
_PATIENCE = 30.0  # seconds


def find_binaries() -> Path | None:
    """Find the folder that holds `postgres` and `initdb`: on the path, or where the distributions put them."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: _number(p.parent.name), reverse=True)
    folders += sorted(Path("/opt/homebrew/opt").glob("postgresql*/bin"), reverse=True)
    return next((f for f in folders if (f / "postgres").exists() and (f / "initdb").exists()), None)


def _number(text: str) -> float:
    return float(text) if text.replace(".", "", 1).isdigit() else 0.0


@dataclass
class PostgresServer:
    """A running server; `uri()` is how to reach it. It refuses to run as root, so root starts it as somebody else."""

    binaries: Path
    folder: Path
    port: int
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def uri(self, database: str = "postgres", *, password: str = PASSWORD, port: int | None = None) -> str:
        """Write the connection URI, the password percent-encoded."""
        return f"postgresql://{_USER}:{quote(password, safe='')}@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = [f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}"]
        settings = [part for option in (*options, *_UNSAFE_BUT_FAST) for part in ("-c", option)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_not_outliving_us(), str(self.binaries / "postgres"), "-D", str(self.folder / "data"), *settings],
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the tests is not for the server
                **_somebody(),
            )
        end = time.monotonic() + _PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        ready = self.binaries / "pg_isready"
        done = subprocess.run([ready, "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False)
        return done.returncode == 0

    def stop(self) -> None:
        """Stop the server at once, in an orderly way."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None

    def kill(self) -> None:
        """Kill the server and all its workers, as a power cut would."""
        if self._process is None:
            return
        workers = _children(self._process.pid)
        self._process.kill()
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def sql(self, script: str, database: str = "postgres") -> str:
        """Run a script with psql and return what it prints, unaligned and without headers."""
        return self.psql(["-A", "-t", "-c", script] if "\n" not in script else ["-A", "-t"], database, script)

    def psql(self, arguments: Sequence[str], database: str = "postgres", script: str = "") -> str:
        """Run psql, the script on its standard input. Raises RuntimeError with what psql says."""
        command = [str(self.binaries / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]
        done = subprocess.run(
            [*command, "-p", str(self.port), "-U", _USER, "-d", database, *arguments],
            input=script.encode(),
            capture_output=True,
            check=False,
            env={"PATH": os.environ.get("PATH", ""), "PGPASSWORD": PASSWORD, "PGCLIENTENCODING": "UTF8"},
        )
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout.decode()

    def database(self, name: str) -> str:
        """Make an empty database, anew if it is there, and return its name."""
        self.psql(["-c", f'drop database if exists "{name}" with (force)'])
        self.psql(["-c", f'create database "{name}"'])
        return name


def _children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in listed.stdout.split()]


def _not_outliving_us() -> list[str]:
    """Where the system can, let the server stop when this process is killed."""
    found = shutil.which("setpriv")
    return [found, "--pdeathsig", "INT"] if found else []


def _somebody() -> dict[str, Any]:
    """Name an unprivileged user to run as when we are root: the server refuses root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": "/"}
    return {}


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Make a new cluster in a temporary folder and run it. Raises FileNotFoundError when there is no PostgreSQL."""
    binaries = find_binaries()
    if binaries is None:
        raise FileNotFoundError("PostgreSQL's server")
    folder = Path(tempfile.mkdtemp(prefix="lagoa-pg-"))
    somebody = _somebody()
    try:
        secret = folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        if somebody:
            for path in (folder, secret):
                os.chown(path, somebody["user"], somebody["group"])
        access = ["-U", _USER, "-A", "scram-sha-256", "--pwfile", str(secret)]
        made = subprocess.run(
            [str(binaries / "initdb"), "-D", str(folder / "data"), *access, "-E", "UTF8", "--locale", "C", "--no-sync"],
            capture_output=True,
            check=False,
            **somebody,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stderr.decode(errors='replace')}")
        server = PostgresServer(binaries, folder, free_port())
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server for the whole session; skips with the install command when PostgreSQL is missing."""
    if find_binaries() is None:
        pytest.skip(f"needs PostgreSQL's server: {INSTALL}")
    with running_postgres() as server:
        yield server
