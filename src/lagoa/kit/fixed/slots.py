"""Where the columns of a line of fixed width stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Slot:
    """A column: its name, its first character counted from 1, how many there are."""

    name: str
    start: int
    width: int

    @property
    def end(self) -> int:
        """The number of its last character."""
        return self.start + self.width - 1


def slots(declared: Iterable[tuple[str, int | None, int | None]]) -> list[Slot]:
    """Place columns of (name, start, width): one without start follows the one before.

    Those without a width stand elsewhere, in the path, and are left out. Raises ValueError.
    """
    found: list[Slot] = []
    for name, start, width in declared:
        if width is None:
            if start is not None:
                raise ValueError(f"columns.{name}: `start` needs `width`")
            continue
        found.append(Slot(name, start or (found[-1].end + 1 if found else 1), width))
    if not found:
        raise ValueError("format: fixed needs columns with a `width:`, and with a `start:` after a gap")
    return found


def length(found: Sequence[Slot]) -> int:
    """Return how many characters a line has."""
    return max(slot.end for slot in found)
