"""What a stream means, as a value that a state keeps, so that any later run can say what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lagoa.kit.column_names import column_name
from lagoa.project.model import same_checks
from lagoa.spec.stream import Stream

_PLAIN = {
    "mode": "its mode",
    "key": "its key",
    "cursor": "its cursor column",
    "deletes": "how deleted rows are told",
    "types": "its declared types",
    "names": "its columns' names",
    "dropped": "which columns are dropped",
    "personal": "which columns are personal",
    "partition_by": "its partitions",
}


def definition(stream: Stream, checks: Sequence[Any]) -> dict[str, Any]:
    """Write down what decides how rows land, `Project.deciding` among it; descriptions, owners and tags do not."""
    return {
        "mode": stream.mode,
        "key": list(stream.key),
        "cursor": stream.cursor,
        "deletes": stream.deletes.model_dump(mode="json") if stream.deletes else None,
        "types": {name: column.type for name, column in stream.columns.items() if column.type},
        "names": {column_name(spelled): column_name(name) for spelled, name in stream.renamed.items()},
        "dropped": sorted(stream.dropped),
        "personal": sorted(personal(stream)),
        "partition_by": list(stream.partition_by),
        "checks": list(checks),
    }


def personal(stream: Stream) -> frozenset[str]:
    """The columns that hold personal data: they keep no statistics."""
    return frozenset(name for name, column in stream.columns.items() if column.pii and not column.drop)


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say in words what changed between two definitions."""
    # what older versions did not write down counts as unchanged
    before = {"names": now["names"], **then} if then else then
    said = [f"{words} changed" for key, words in _PLAIN.items() if before.get(key) != now[key]]
    return said if same_checks(then.get("checks", []), now["checks"]) else [*said, "its checks changed"]


def left_behind(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say what a changed definition does not undo in rows that were loaded before."""
    said = [f"the values of {name} that were loaded before it was dropped" for name in _new("dropped", then, now)]
    said += [f"the statistics of {name} in files from before it was personal" for name in _new("personal", then, now)]
    names, before = now["names"], then.get("names", now["names"])
    renamed = [n for n in {**before, **names} if before.get(n, n) != names.get(n, n)]
    said += [f"the values of {names.get(n, n)} that were loaded as {before.get(n, n)}" for n in renamed]
    if now["mode"] == "merge" and (then.get("mode"), then.get("key")) != (now["mode"], now["key"]):
        said.append("rows that were loaded before it merged by this key")
    return said


def _new(key: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [name for name in now[key] if name not in then.get(key, ())]
