"""What a connector's catalog says: asked for once for all streams of a run, and taken whole by `*`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Event, Lock
from typing import Any, Literal

from lagoa.errors import SourceError, Stopped
from lagoa.kit.stream_names import named_streams
from lagoa.spec.declared import Declared
from lagoa.spec.stream import Names

Described = dict[str, Any]
"""A stream, in the protocol's words."""
_FRESH = 300.0
"""Seconds for which a catalog is believed: a connector takes seconds to start, and a run has many streams."""
_TICK = 0.1


class AllStreams(Declared):
    """What `streams: {"*": …}` takes: every stream of the connector's catalog; those named beside it go first."""

    namespace: str | None = None
    """The catalog's namespace whose streams are taken; all of them when left out."""
    exclude: Names = ()
    """Streams that are left out, as the catalog calls them; `*` stands for any letters, `?` for one."""
    mode: Literal["replace", "merge"] = "replace"
    """`merge` updates streams that have a primary key by it; streams without one are replaced."""
    allow_empty: bool = False
    """Let a table that has lost all its rows be emptied; otherwise it is an error."""
    owner: str | None = None
    """Who answers for the streams."""
    tags: Names = ()
    """Words to select and search by."""


class Catalog:
    """The catalog of one connector with one configuration, which several streams ask for at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: tuple[float, list[Described]] | None = None

    def streams(self, discover: Callable[[], list[Described]], stopped: Event, anew: bool = False) -> list[Described]:
        """Return its streams; the connector is asked if it was not lately, or if they are wanted `anew`."""
        while not self._lock.acquire(timeout=_TICK):
            if stopped.is_set():
                raise Stopped("LG-503", "the run was stopped")
        try:
            if anew or self._found is None or time.monotonic() - self._found[0] > _FRESH:
                self._found = time.monotonic(), discover()
            return self._found[1]
        finally:
            self._lock.release()


def has_cursor(one: Described) -> bool:
    """Say whether what is new can be read without being told by which field."""
    return bool(one.get("source_defined_cursor") or one.get("default_cursor_field"))


def can_follow(one: Described) -> bool:
    """Say whether the connector can tell what is new in the stream."""
    return "incremental" in (one.get("supported_sync_modes") or ())


def all_streams(whole: AllStreams, catalog: Sequence[Described]) -> dict[str, dict[str, Any]]:
    """Write the streams of a catalog, by name, with keys as a user would write them. Raises SourceError."""
    found = [one for one in catalog if whole.namespace in (None, one.get("namespace"))]
    if not found:
        where = f" in the namespace {whole.namespace}" if whole.namespace else ""
        raise SourceError("LG-203", f"the catalog has no stream{where}", hint="correct `namespace:` or `config:`")
    shown = named_streams(((one["name"], one) for one in found), whole.exclude, "the catalog")
    return {name: _stream(whole, one) for name, one in shown}


def _stream(whole: AllStreams, one: Described) -> dict[str, Any]:
    key = _key(one)
    told = not can_follow(one) or has_cursor(one)
    merges = whole.mode == "merge" and bool(key) and told
    given = {"namespace": one.get("namespace"), "owner": whole.owner, "tags": list(whole.tags)}
    stream = {"name": one["name"], "mode": "merge" if merges else "replace", "allow_empty": whole.allow_empty}
    return {**stream, **({"key": key} if merges else {}), **{name: value for name, value in given.items() if value}}


def _key(one: Described) -> list[str]:
    """Return the columns of the primary key; none when a part of it lies inside another value."""
    paths = one.get("source_defined_primary_key")
    paths = paths if isinstance(paths, list) else []
    return [path[0] for path in paths] if all(isinstance(path, list) and len(path) == 1 for path in paths) else []
