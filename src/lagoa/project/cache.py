"""Remembers what the parser found, so that loading a project again need not even load the parser."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lagoa.sql import parse as sql
from lagoa.sql.parse import Query

_PLACE = Path(".lagoa", "cache", "queries.json")


class QueryCache:
    """Parsed queries by the hash of their text. The file may be deleted at any time; a broken one is ignored."""

    def __init__(self, root: Path) -> None:
        self._path = root / _PLACE
        self._made_by = made_by()
        self._known = self._read()
        self._used: dict[str, Any] = {}
        self._news = False

    def parse(self, text: str, file: str, first_line: int) -> Query:
        """Return the query in a text; only a new text is parsed. Raises ProjectError LG-105."""
        key = blake2b(f"{first_line}\n{text}".encode(), digest_size=16).hexdigest()
        try:
            query = Query.from_json(text, file, self._known[key])
            self._used[key] = self._known[key]
        except (KeyError, TypeError, IndexError):
            query = sql.parse(text, file, first_line)
            self._used[key] = query.to_json()
            self._news = True
        return query

    def save(self) -> None:
        """Write what this project uses now, when it is news; a folder that cannot be written is no error."""
        if not self._news and self._used.keys() == self._known.keys():
            return
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps({"by": self._made_by, "queries": self._used}), encoding="utf-8")
            temporary.replace(self._path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self._path.read_bytes())
            known = content["queries"] if content["by"] == self._made_by else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return known if isinstance(known, dict) else {}


@cache
def made_by() -> str:
    """Tell one parser or engine from the next, ours too, without loading any: by their files' times and sizes."""
    files = sorted(Path(sql.__file__).parent.rglob("*.py"))
    for package, file in (("sqlglot", "_version.py"), ("duckdb", "__init__.py")):
        spec = find_spec(package)
        if spec is not None and spec.origin:
            files.append(Path(spec.origin).with_name(file))
    return " ".join(f"{path.stat().st_mtime_ns:x}.{path.stat().st_size:x}" for path in files if path.is_file())
