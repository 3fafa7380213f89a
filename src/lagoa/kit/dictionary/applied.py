"""A stream told what a dictionary says of its columns; what the stream says itself wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from lagoa.errors import Place
from lagoa.kit.column_names import Renames, column_name
from lagoa.kit.dictionary.entries import Entry
from lagoa.spec.column import StreamColumn
from lagoa.spec.stream import Stream

Told = TypeVar("Told", bound=Stream)
_SAID = ("description", "type", "pii")


def applied(
    stream: Told, entries: Mapping[str, Entry], rename: Mapping[str, str], column: type[StreamColumn]
) -> tuple[Told, dict[str, Place]]:
    """Return the stream with the names and words of a dictionary, and where each column's type is said.

    `rename` is what the user says himself. Raises ValueError when two columns that he declares are one.
    """
    own = {column_name(spelled): column_name(name) for spelled, name in rename.items()}
    called = {plain: own.get(plain, entry.called) for plain, entry in entries.items()}
    names = {plain: name for plain, name in called.items() if name != plain and plain not in own}
    places = {name: entries[plain].place for plain, name in called.items()}
    declared = _declared(stream, {**names, **own})
    columns: dict[str, Any] = dict(declared)
    types: dict[str, Place] = {}
    for plain, entry in entries.items():
        name = called[plain]
        held = columns.get(name) or column()
        words = {key: getattr(entry, key) for key in _SAID if key not in held.model_fields_set}
        words = {key: value for key, value in words.items() if value is not None}
        if words:
            columns[name] = held.model_copy(update=words)
        if "type" in words:
            types[name] = entry.place
    landing = _landing({**names, **own})
    update: dict[str, Any] = {
        "rename": Renames({**names, **rename}, places),
        "columns": columns,
        "key": tuple(map(landing, stream.key)),
        "partition_by": tuple(map(landing, stream.partition_by)),
    }
    return stream.model_copy(update=update), types


def _landing(names: Mapping[str, str]) -> Any:
    """Return a function from either spelling of a column to the name that lands; a name that is one stays."""
    given = set(names.values())
    return lambda name: name if name in given else names.get(name, name)


def _declared(stream: Stream, names: Mapping[str, str]) -> dict[str, StreamColumn]:
    landing, spelled = _landing(names), dict[str, str]()
    for name in stream.columns:
        other = spelled.setdefault(landing(name), name)
        if other != name:
            raise ValueError(f"columns: `{other}` and `{name}` are both `{landing(name)}`")
    return {landing(name): said for name, said in stream.columns.items()}
