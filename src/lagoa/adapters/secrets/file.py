"""Secrets from files, one file a secret: how Docker, Kubernetes and systemd hand them over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lagoa.ports import SecretStore

_MOUNTED = Path("/run/secrets")


class File(SecretStore):
    """Looks for a file of the secret's name in LAGOA_SECRETS_DIR, then in /run/secrets."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        named = environ.get("LAGOA_SECRETS_DIR")
        self._folders = (*([Path(named)] if named else []), _MOUNTED)

    def find(self, name: str) -> str | None:
        """Return the content of the first file that can be read and is not empty."""
        for folder in self._folders:
            try:
                text = (folder / name).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError):
                continue
            if text:
                return text
        return None

    def where(self, name: str) -> str:
        """Name the files, in the order in which they are tried."""
        named = "" if len(self._folders) > 1 else " (LAGOA_SECRETS_DIR names another folder)"
        return "file " + " or ".join(str(folder / name) for folder in self._folders) + named


Adapter = File
