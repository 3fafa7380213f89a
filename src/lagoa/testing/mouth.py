"""What a command says, for tests that run one in their own process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """The exit code of a command, its data (stdout) and its conversation (stderr)."""

    code: int
    out: str
    err: str


Lagoa = Callable[..., Said]
"""Runs a command line, given as its words."""
