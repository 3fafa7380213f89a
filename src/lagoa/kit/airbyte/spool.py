"""Records on their way, on disk: how many lie between two states is the connector's affair."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from lagoa.kit.landing import Found

_BYTES, _SECONDS = 64 << 20, 60.0
"""How much is read between two commits, at least: connectors give states as often as they like."""


class Spool:
    """A file of records, of which those before the last state may be published."""

    def __init__(self, path: Path) -> None:
        self.path, self.state = path, None
        self._file = path.open("wb")
        self._began = time.monotonic()
        self._size = self._safe = 0
        self.rows = self.safe_rows = 0

    def add(self, line: bytes) -> None:
        """Take a record; line breaks inside it are blanks."""
        text = line.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"
        self._file.write(text)
        self._size += len(text)
        self.rows += 1

    def mark(self, state: Any) -> None:
        """Let a state stand for all that came before it."""
        self.state, self._safe, self.safe_rows = state, self._size, self.rows

    def is_full(self) -> bool:
        """Say whether what came up to the last state is worth a commit."""
        return self.safe_rows > 0 and (self._safe >= _BYTES or time.monotonic() - self._began > _SECONDS)

    def cut(self) -> None:
        """Forget the records after the last state."""
        self._file.truncate(self._safe)
        self._file.seek(self._safe)
        self._size, self.rows = self._safe, self.safe_rows

    def found(self) -> list[Found]:
        """Close the file and return it, nothing when it is empty."""
        self._file.close()
        return [Found(self.path, self.path.stem, self._size)] if self.rows else []

    def remove(self) -> None:
        """Close and remove the file."""
        self._file.close()
        self.path.unlink(missing_ok=True)
