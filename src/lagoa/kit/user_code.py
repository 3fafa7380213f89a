"""Runs a Python file of the project as it is now, and finds the line of it that raised."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import traceback
from pathlib import Path
from threading import Lock
from types import ModuleType

import pyarrow as pa

_LOADING = Lock()
_ROOTS: set[Path] = set()
"""Folders of projects whose modules may have been imported by this process."""


def load(path: Path, root: Path, name: str) -> ModuleType | None:
    """Run a file as the module `name`; None when Python cannot import such a file. Raises whatever the file raises.

    The project's own modules are read anew: what an editor changed must not be stale.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    with _LOADING:
        _make_importable(root)
        spec.loader.exec_module(module)
    return module


def _make_importable(root: Path) -> None:
    """Let a file import its own project's modules as they are now: not from before an edit, nor another project's."""
    _ROOTS.add(root)
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "/")
        if any(file.is_relative_to(r) for r in _ROOTS) and "site-packages" not in file.parts:
            del sys.modules[name]
    sys.path[:] = [str(root), *(p for p in sys.path if p not in map(str, _ROOTS))]
    sys.dont_write_bytecode = True  # it is told from a second's edit by its time alone, and is litter in the project
    importlib.invalidate_caches()


def line_and_words(file: str, error: BaseException) -> tuple[int | None, str]:
    """Find the line of the user's file that raised; Arrow hides what a generator raised in the text of its error."""
    text, name = str(error), Path(file).name
    if isinstance(error, pa.ArrowException) and "Traceback" in text:
        lines = re.findall(rf'File "[^"]*{re.escape(name)}", line (\d+)', text)
        return (int(lines[-1]) if lines else None), text.strip().splitlines()[-1]
    frames = traceback.extract_tb(error.__traceback__)
    line = next((f.lineno for f in reversed(frames) if Path(f.filename).name == name), None)
    return line, f"{type(error).__name__}: {text}"
