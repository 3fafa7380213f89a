"""What unpacking may cost: hostile archives are refused before they fill memory, disk or time."""

from __future__ import annotations

from dataclasses import dataclass

from lagoa.errors import SourceError

RATIO = 300
"""How many bytes one packed byte may become; columns full of one value reach about a hundred."""
FREE = 64 << 20
"""Unpacked bytes up to which the ratio does not matter."""
MEMBERS = 100_000
"""How many members an archive may have."""
LAYERS = 2
"""How often a file or member may be packed: `x.csv.gz` is packed once."""


@dataclass
class Guard:
    """Watches one file or member as it is unpacked. `name` is for messages, `taken` and `given` are bytes."""

    name: str
    taken: int = 0
    given: int = 0

    def took(self, count: int) -> None:
        """Count packed bytes."""
        self.taken += count

    def gave(self, count: int) -> None:
        """Count unpacked bytes. Raises SourceError LG-210 when they are too many for the packed ones."""
        self.given += count
        check_ratio(self.name, self.taken, self.given)


def check_ratio(name: str, packed: int, unpacked: int) -> None:
    """Refuse what unpacks to more than any honest file does. Raises SourceError LG-210."""
    if unpacked > FREE and unpacked > RATIO * max(packed, 1):
        raise unsafe(f"{name} unpacks to more than {RATIO} times its size")


def unsafe(what: str, hint: str = "if you trust it, unpack it yourself and read the files") -> SourceError:
    """Make the error of an archive that is refused."""
    return SourceError("LG-210", what, hint=hint)
