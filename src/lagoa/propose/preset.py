"""Sources that Lagoa ships as plain files: `lagoa init NAME --from preset:ibge` writes one as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from lagoa.errors import CommandError, did_you_mean
from lagoa.propose.files.names import free_source_name
from lagoa.propose.proposed import Column, Proposed, Stream

PRESET = "preset:"
"""What stands before a preset's name."""
TO_FILL_IN = "fill-in"
"""What stands for a secret that only the user has."""
_FOLDER = Path(__file__).resolve().parent.parent / "examples" / "presets"
_SECRET = re.compile(r"\$\{secret:([\w.-]+)\}")


@dataclass
class Preset(Proposed):
    """A source whose file is written already."""

    written: str = ""
    secrets: dict[str, str] = field(default_factory=dict)
    """What it refers to and the user fills in."""

    def text(self) -> str:
        """Return the file as it is."""
        return self.written


def presets() -> list[str]:
    """List the names of the presets."""
    return sorted(path.stem for path in _FOLDER.glob("*.yml"))


def preset_named(name: str, taken: Sequence[str] = ()) -> Preset:
    """Read a preset. Raises CommandError LG-601 when there is none of that name."""
    known = presets()
    if name not in known:
        hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
        raise CommandError("LG-601", f"there is no preset `{name}`", hint=hint)
    text = (_FOLDER / f"{name}.yml").read_text(encoding="utf-8")
    value = yaml.safe_load(text)
    said = {key: inner for key, inner in value.items() if key != "streams"}
    found = Preset(free_source_name(name, taken), said, written=text)
    found.secrets = dict.fromkeys((name.upper() for name in _SECRET.findall(text)), TO_FILL_IN)
    for stream, keys in value["streams"].items():
        columns = [Column(n, c) for n, c in keys.get("columns", {}).items()]
        said = {key: inner for key, inner in keys.items() if key != "columns"}
        found.streams.append(Stream(stream, said, columns, width=len(columns)))
    return found
