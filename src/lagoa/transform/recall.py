"""Remembers how models are followed, so that a plan or a run of what is known need not even load the parser."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from threading import get_ident
from typing import Any

from lagoa.project.cache import made_by
from lagoa.spec.names import TableName
from lagoa.sql.incremental.analysis import Analysis, Leaf, Occurrence, Question, Ranged, Reach, Refused

_PLACE = Path(".lagoa", "cache", "followed")


def recalled(root: Path, name: TableName, question: Question, analyse: Callable[[], Analysis]) -> Analysis:
    """Return the analysis of a question, as it was found when the same one was last asked about this model.

    The files may be deleted at any time; a broken one is ignored. Raises Refused.
    """
    path, asked = root / _PLACE / f"{name}.json", _hash(question)
    known = _read(path, asked)
    if known is None:
        known = _found(analyse)
        _write(path, asked, known)
    if isinstance(known, str):
        raise Refused(known)
    return known


def _found(analyse: Callable[[], Analysis]) -> Analysis | str:
    try:
        return analyse()
    except Refused as refused:
        if refused.__cause__ is not None:
            raise  # what went wrong may go well the next time
        return str(refused)


def _hash(question: Question) -> str:
    text = json.dumps([made_by(), asdict(question)], default=str)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _read(path: Path, asked: str) -> Analysis | str | None:
    try:
        content = json.loads(path.read_bytes())
        if content["asked"] != asked:
            return None
        return str(content["refused"]) if "refused" in content else _from_json(content["analysis"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write(path: Path, asked: str, known: Analysis | str) -> None:
    """Write what was found; a folder that cannot be written is no error."""
    told = {"refused": known} if isinstance(known, str) else {"analysis": asdict(known)}
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps({"asked": asked, **told}, default=sorted), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _from_json(said: Mapping[str, Any]) -> Analysis:
    ranged = said["ranged"]
    return Analysis(
        [Occurrence(**o) for o in said["occurrences"]],
        said["rows"],
        [Leaf(**leaf) for leaf in said["leaves"]],
        {name: frozenset(columns) for name, columns in said["columns"].items()},
        Ranged(ranged["rows"], [Reach(**reach) for reach in ranged["reaches"]]) if ranged is not None else None,
    )
