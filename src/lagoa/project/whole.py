"""What `streams: {"*": …}` stands for: asked of the source, and remembered so that a project loads without it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lagoa.errors import LagoaError, Place, ProjectError
from lagoa.ports import Source
from lagoa.project.reading import Reading
from lagoa.project.words import declared
from lagoa.project.yaml import Document

_AT = ("streams", "*")
_FOLDER = Path(".lagoa", "streams")


def whole_streams(reading: Reading, name: str, source: Source, written: Any, document: Document) -> Mapping[str, Any]:
    """Return the streams that `*` stands for, by name, with their keys. Raises ProjectError, ProjectErrors.

    Who asks for news (`reading.fresh`) gets it from the source, or what is remembered when that cannot be reached.
    """
    place = document.key(_AT)
    kind = type(source).whole
    if kind is None:
        said = f"a source of type {source.type} takes no `*`"
        raise ProjectError("LG-102", said, place=place, hint="name each stream that is wanted")
    whole = declared(kind, written, document, _AT)
    path = reading.tree.root / _FOLDER / f"{name}.json"
    known = _remembered(path, reading.target, written)
    if known is not None and not reading.fresh:
        return known
    try:
        found = source.discover(whole, reading.tree.root)
    except LagoaError as error:
        if known is not None and getattr(error, "retry", False):
            return known
        raise _placed(error, place) from None
    _remember(path, {"target": reading.target, "whole": written, "streams": found})
    return found


def _placed(error: LagoaError, place: Place) -> ProjectError:
    return ProjectError(error.code, error.message, place=place, hint=error.hint)


def _remembered(path: Path, target: str, written: Any) -> Mapping[str, Any] | None:
    try:
        held = json.loads(path.read_bytes())
        fits = (held["target"], held["whole"]) == (target, written)
        streams: Mapping[str, Any] = held["streams"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return streams if fits and isinstance(streams, dict) else None


def _remember(path: Path, content: Mapping[str, Any]) -> None:
    """Write it down; a folder that cannot be written is no error: the source is asked again."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
