"""Where the columns of a line of fixed width stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lagoa.kit.encoding import is_single_byte
from lagoa.kit.fixed.stored import BINARY, WIDEST, Stored


@dataclass(frozen=True)
class Slot:
    """A column: its name, its first character counted from 1, how many there are."""

    name: str
    start: int
    width: int
    stored: Stored | None = None
    """How a mainframe stores its number; None: as text."""

    @property
    def end(self) -> int:
        """The number of its last character."""
        return self.start + self.width - 1


def slots(declared: Iterable[tuple[str, int | None, int | None, Stored | None]]) -> list[Slot]:
    """Place columns of (name, start, width, stored): one without start follows the one before.

    Those without a width stand elsewhere, in the path, and are left out. Raises ValueError.
    """
    found: list[Slot] = []
    for name, start, width, stored in declared:
        if width is None:
            if start is not None or stored is not None:
                raise ValueError(f"columns.{name}: `{'start' if start else 'stored'}` needs `width`")
            continue
        if stored in ("binary", "unsigned") and width > WIDEST:
            raise ValueError(f"columns.{name}: a whole number is stored in 1 to {WIDEST} bytes")
        found.append(Slot(name, start or (found[-1].end + 1 if found else 1), width, stored))
    if not found:
        raise ValueError("format: fixed needs columns with a `width:`, and with a `start:` after a gap")
    return found


def length(found: Sequence[Slot]) -> int:
    """Return how many characters a line has."""
    return max(slot.end for slot in found)


def binary(found: Iterable[Slot]) -> list[Slot]:
    """Return the columns whose bytes are no characters."""
    return [slot for slot in found if slot.stored in BINARY]


def fits(stream: str, found: Sequence[Slot], record_length: int | None, encoding: str) -> None:
    """Refuse binary columns of a file whose bytes cannot be told from text. Raises ValueError."""
    if not (numbers := binary(found)):
        return
    first = f"{stream}: columns.{numbers[0].name} is stored {numbers[0].stored}"
    if record_length is None:
        raise ValueError(f"{first}, so the file's `record_length:` must be said")
    if length(found) > record_length:
        raise ValueError(f"{stream}: `record_length: {record_length}` is shorter than its columns, {length(found)}")
    if not is_single_byte("latin-1" if encoding == "auto" else encoding):
        raise ValueError(f"{first}, but {encoding} has characters of several bytes; say cp037 or cp500")
