"""Certificates that the tests make themselves, with the machine's openssl."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_NEW = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


@dataclass
class Certificates:
    """An authority, a server's certificate that names `localhost` alone, and an authority that signed nothing."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.pem"

    @property
    def other(self) -> Path:
        """The certificate of the authority that signed nothing."""
        return self.folder / "other.pem"

    @property
    def server(self) -> Path:
        """The server's certificate."""
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        """The server's key, which every user of the machine can read."""
        return self.folder / "server.key"

    def owned(self, uid: int) -> Path:
        """Return the server's key as a file that only one user can read."""
        mine = self.folder / f"{uid}.key"
        shutil.copyfile(self.key, mine)
        mine.chmod(0o600)
        shutil.chown(mine, uid)
        return mine


@contextmanager
def certificates() -> Iterator[Certificates]:
    """Make them in a folder that servers can enter, whoever they run as."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl: sudo apt-get install openssl")
    folder = Path(tempfile.mkdtemp(prefix="lagoa-tls-"))
    folder.chmod(0o755)
    made = Certificates(folder)
    signed = ["-CA", str(made.ca), "-CAkey", str(folder / "ca.key"), "-addext", "subjectAltName=DNS:localhost"]
    try:
        for name, more in (("ca", []), ("other", []), ("server", signed)):
            out = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem"), "-subj", f"/CN={name}"]
            subprocess.run([openssl, "req", "-x509", *_NEW, *out, *more], check=True, capture_output=True)
        made.key.chmod(0o644)
        yield made
    finally:
        shutil.rmtree(folder)
