"""Finds an adapter by its file's name or entry point, so that adding one edits nothing else."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from lagoa.errors import LagoaError, ProjectError, did_you_mean

_ADAPTERS = Path(__file__).parent / "adapters"


@cache
def _built_in(port: str) -> dict[str, str]:
    """Map names to modules: `in_.py` is the kind `in`, because `in` is no module's name."""
    files = (path.stem for path in (_ADAPTERS / port).glob("*.py") if not path.name.startswith("_"))
    return {stem.rstrip("_"): f"lagoa.adapters.{port}.{stem}" for stem in files}


@cache
def _entry_points() -> Any:
    # once for all ports: it looks into every package that is installed
    return entry_points()


@cache
def _plugged_in(port: str) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in _entry_points().select(group=f"lagoa.{port}"):
        rival = found.get(point.name)
        ours = _built_in(port).get(point.name)
        if ours or (rival and rival.value != point.value):
            raise LagoaError(
                "LG-111",
                f"two packages offer `{point.name}` for lagoa.{port}: "
                f"{ours or (rival and rival.value)} and {point.value}",
                hint="uninstall one of them",
            )
        found[point.name] = point
    return found


def names(port: str) -> list[str]:
    """List the adapters of a port ("sources", "engines", "checks", "secrets"), sorted.

    Raises LagoaError when two packages offer the same name.
    """
    return sorted({*_built_in(port), *_plugged_in(port)})


def adapter(port: str, name: str) -> type[Any]:
    """Load one adapter's class, and no other module. Raises ProjectError LG-111 when there is none."""
    plugged = _plugged_in(port)
    if name in plugged:
        loaded = plugged[name].load()
        return loaded if isinstance(loaded, type) else _class_in(loaded)
    module = _built_in(port).get(name)
    if module is None:
        known = names(port)
        raise ProjectError(
            "LG-111",
            f"`{name}` is not one of the {port}: {', '.join(known) or 'there are none'}",
            hint=did_you_mean(name, known),
        )
    return _class_in(import_module(module))


def _class_in(module: Any) -> type[Any]:
    found = getattr(module, "Adapter", None)
    if not isinstance(found, type):
        raise LagoaError("LG-111", f"{module.__name__} binds no class to the name `Adapter`")
    return found
