"""Lagoa, a lakehouse in a folder: the public API, loaded lazily so that `import lagoa` stays light."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lagoa.app import Project as Project
    from lagoa.errors import LagoaError as LagoaError
    from lagoa.lake.table import Table as Table
    from lagoa.plan.step import Plan as Plan
    from lagoa.run.report import Run as Run

__version__ = "0.1.0"
__all__ = ["LagoaError", "Plan", "Project", "Run", "Table"]

_HOMES = {
    "LagoaError": "lagoa.errors",
    "Plan": "lagoa.plan.step",
    "Project": "lagoa.app",
    "Run": "lagoa.run.report",
    "Table": "lagoa.lake.table",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'lagoa' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
