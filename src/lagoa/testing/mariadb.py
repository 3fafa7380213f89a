"""A real MariaDB for tests, started from the machine's own packages on a free loopback port."""

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
from urllib.parse import quote

import pytest

from lagoa.testing.ports import free_port

PASSWORD = "c4n@ry:/p?w#d%+é'\"\\"
"""The user's password: a canary with every character that a connection string can stumble over."""
INSTALL = "sudo apt-get install mariadb-server"
_USER = "lagoa"
_UNSAFE_BUT_FAST = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=64M",
    "--skip-log-bin",
    "--skip-name-resolve",
)
_PATIENCE = 60.0  # seconds


def find_binaries() -> tuple[str, str, str] | None:
    """Find `mariadbd`, `mariadb-install-db` and the client; None when one is missing."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    found = [shutil.which(name, path=path) for name in ("mariadbd", "mariadb-install-db", "mariadb")]
    return (str(found[0]), str(found[1]), str(found[2])) if all(found) else None


@dataclass
class MariaServer:
    """A running server; `uri()` is how to reach it."""

    binaries: tuple[str, str, str]
    folder: Path
    port: int
    options: Sequence[str] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def uri(self, database: str = "test", *, password: str = PASSWORD, port: int | None = None) -> str:
        """Write the connection URI, the password percent-encoded."""
        return f"mysql://{_USER}:{quote(password, safe='')}@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [self.binaries[0], "--no-defaults", f"--datadir={self.folder / 'data'}", f"--user={_somebody()}"]
        # two servers must not share /tmp: each that starts deletes there the temporary tables of the other
        command.append(f"--tmpdir={self.folder}")
        command += [f"--socket={self.folder / 's'}", f"--port={self.port}", "--bind-address=127.0.0.1"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *_UNSAFE_BUT_FAST, *self.options, f"--pid-file={self.folder / 'pid'}"],
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the tests is not for the server
            )
        end = time.monotonic() + _PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"MariaDB did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        with contextlib.suppress(RuntimeError):
            self._client("select 1")
            return True
        return False

    def stop(self) -> None:
        """Stop the server in an orderly way."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None

    def kill(self) -> None:
        """Kill the server, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def sql(self, script: str, database: str = "") -> str:
        """Run a script and return what it prints, tabs between values, without headers. Raises RuntimeError."""
        return self._client(script, database)

    def _client(self, script: str, database: str = "") -> str:
        options = ["--no-defaults", "--default-character-set=utf8mb4", f"--socket={self.folder / 's'}", "-uroot"]
        done = subprocess.run(
            [self.binaries[2], *options, "-N", "-B", "-r", database],
            input=script.encode(),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout.decode()

    def database(self, name: str) -> str:
        """Make an empty database, anew if it is there, and return its name."""
        self.sql(f"drop database if exists `{name}`; create database `{name}` character set utf8mb4;")
        return name


def _somebody() -> str:
    """Name an unprivileged user to run as when we are root; else ourselves."""
    if os.geteuid() == 0:
        for name in ("mysql", "nobody"):
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name).pw_name
    return pwd.getpwuid(os.geteuid()).pw_name


@contextlib.contextmanager
def running_mariadb(*options: str) -> Iterator[MariaServer]:
    """Make a new server in a temporary folder and run it. Raises FileNotFoundError when there is no MariaDB.

    `options` are those of `mariadbd`, such as `--lower-case-table-names=1`.
    """
    binaries = find_binaries()
    if binaries is None:
        raise FileNotFoundError("MariaDB's server")
    folder = Path(tempfile.mkdtemp(prefix="lagoa-my-"))
    try:
        shutil.chown(folder, _somebody()) if os.geteuid() == 0 else None
        command = [binaries[1], "--no-defaults", f"--datadir={folder / 'data'}", f"--user={_somebody()}"]
        command += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        command.append(f"--tmpdir={folder}")  # what makes the tables is a server too: see MariaServer.start
        made = subprocess.run(command, capture_output=True, check=False)
        if made.returncode:
            raise RuntimeError(f"mariadb-install-db failed:\n{made.stderr.decode(errors='replace')}")
        server = MariaServer(binaries, folder, free_port(), options)
        try:
            server.start()
            said = PASSWORD.encode().hex()
            server.sql(
                f"execute immediate concat('create user {_USER}@127.0.0.1 identified by ', quote(x'{said}'));"
                f"grant all on *.* to {_USER}@127.0.0.1; create database test character set utf8mb4;"
            )
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaServer]:
    """A server for the whole session; without MariaDB the test is skipped with the command that installs it."""
    if find_binaries() is None:
        pytest.skip(f"needs MariaDB's server: {INSTALL}")
    with running_mariadb() as server:
        yield server
