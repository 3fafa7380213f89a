"""One member of an archive, whatever the archive is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def _fine() -> None:
    """Find nothing wrong."""


@dataclass(frozen=True)
class Entry:
    """A member: its name as the archive spells it, its unpacked bytes, what opens it.

    `link`: it is a link or a device, never read. `check` raises what keeps it from being read (OSError, SourceError).
    """

    name: str
    size: int
    open: Callable[[], Any]
    link: bool = False
    check: Callable[[], None] = _fine
