"""The parts of a workbook that is a zip (.xlsx, .ods), under guard: names, sizes and ratios are looked at first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lagoa.kit.containers import zipped
from lagoa.kit.containers.entry import Entry
from lagoa.kit.containers.guard import unsafe

_LARGEST = 4 << 30
_STEP = 1 << 20


@dataclass
class Package:
    """A zip's parts by their small-letter names. Raises OSError for what is none, SourceError LG-210 for a bomb."""

    path: Path
    name: str
    parts: dict[str, Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        total = 0
        for entry in zipped.entries(self.path, self.name):
            entry.check()
            total += entry.size
            self.parts[entry.name.lstrip("/").lower()] = entry
        if total > _LARGEST:
            raise unsafe(f"{self.name} unpacks to {total:,} bytes")

    def pieces(self, part: str) -> Iterator[bytes]:
        """Yield a part's bytes, unpacked. Raises OSError when there is no such part."""
        entry = self.parts.get(part)
        if entry is None:
            raise OSError(f"it has no part {part}")
        memory = memoryview(bytearray(_STEP))
        stream: Any = entry.open()
        try:
            while count := stream.readinto(memory):
                yield bytes(memory[:count])
        finally:
            stream.close()
