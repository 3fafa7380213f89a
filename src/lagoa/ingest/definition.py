"""What a stream means, as a value that a state keeps, so that any later run can say what changed."""

from __future__ import annotations

from typing import Any

from lagoa.spec.stream import Stream

_PLAIN = {
    "mode": "its mode",
    "key": "its key",
    "cursor": "its cursor column",
    "types": "its declared types",
    "dropped": "which columns are dropped",
    "personal": "which columns are personal",
    "partition_by": "its partitions",
}


def definition(stream: Stream) -> dict[str, Any]:
    """Write down what decides how rows land; descriptions, owners and tags do not."""
    return {
        "mode": stream.mode,
        "key": list(stream.key),
        "cursor": stream.cursor,
        "types": {name: column.type for name, column in stream.columns.items() if column.type},
        "dropped": sorted(stream.dropped),
        "personal": sorted(personal(stream)),
        "partition_by": list(stream.partition_by),
    }


def personal(stream: Stream) -> frozenset[str]:
    """The columns that hold personal data: they keep no statistics."""
    return frozenset(name for name, column in stream.columns.items() if column.pii and not column.drop)


def changes(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Say in words what changed between two definitions."""
    return [f"{words} changed" for key, words in _PLAIN.items() if then.get(key) != now[key]]
