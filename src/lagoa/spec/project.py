"""lagoa.yml as declared: the project's name and the targets on which it runs."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import Field, field_validator

from lagoa.errors import closest
from lagoa.spec.declared import Declared


class Target(Declared):
    """Where a project runs."""

    lake: str = "lake"
    """The lake's folder, relative to the project."""
    engine: str = "duckdb"
    """What executes SQL."""
    threads: int | None = Field(None, ge=1, le=1024)
    """How many threads the engine may use; all cores when left out."""
    memory: str | None = Field(None, pattern=r"^\d+(\.\d+)?\s*([KMGT]i?B|%)$")
    """How much memory the engine may use, such as 4GB; 60 % of the machine when left out."""
    defer: str | None = None
    """Another target, in whose lake every table is read that does not differ here; nothing is written there."""


class ProjectFile(Declared):
    """lagoa.yml."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=80)
    """The project's name."""
    timezone: str = "UTC"
    """The time zone in which times are shown, such as America/Sao_Paulo; what is stored is UTC."""
    targets: dict[str, Target] = Field(default_factory=dict)
    """Targets by name; `local` is there without being declared."""

    @field_validator("timezone")
    @classmethod
    def _exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            meant = closest(value, available_timezones()) or "America/Sao_Paulo"
            raise ValueError(f"{value!r} is not a time zone; did you mean {meant}?") from error
        return value

    def model_post_init(self, _context: Any, /) -> None:
        """Give every project its `local` target."""
        self.targets.setdefault("local", Target())
