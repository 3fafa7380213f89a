"""Decides what becomes of a stream's columns when they are not the table's any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lagoa.errors import SourceError
from lagoa.lake.schema import common, same_type, widens
from lagoa.spec.stream import Stream


@dataclass
class Drift:
    """`schema` is the table's own columns after the change, in order; rows are cast to it.

    `arriving` maps each of its columns to the column that arrives, if any; `missing` are those that the source no
    longer delivers (what the user drops is not missed); `doubtful` are columns whose values must prove that they fit;
    `retyped` those whose type the source changed; `refused` are arriving columns that are not let in: a row with a
    value there is quarantined.
    """

    schema: pa.Schema
    arriving: dict[str, str] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    widened: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    retyped: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def settle(
    arriving: pa.Schema, held: pa.Schema | None, stream: Stream, declared: Mapping[str, Any], place: str
) -> Drift:
    """Compare the columns that arrive with those that the table holds; `declared` maps columns to Arrow types.

    Raises SourceError LG-206 for names that differ only in case, LG-204 when the stream is frozen.
    """
    dropped = {name.casefold() for name in stream.dropped}
    arriving = pa.schema([f for f in arriving if f.name.casefold() not in dropped])  # whatever case the source gives
    by_fold = _by_fold(arriving.names, place)
    if held is None:
        return _first(arriving, declared)
    drift = Drift(held)
    fields = []
    for column in held:
        name = by_fold.pop(column.name.casefold(), None)
        if name is not None:
            drift.arriving[column.name] = name
            fields.append(_retyped(column, arriving.field(name), declared.get(name), stream, drift))
            continue
        fields.append(column)
        if column.name.casefold() not in dropped:
            drift.missing.append(column.name)
    new = [arriving.field(name) for name in by_fold.values()]
    drift.added = [f.name for f in new]
    _judge(drift, stream, place)
    if stream.schema_ == "quarantine":
        drift.refused, drift.added = drift.added, []
    else:
        for column in new:
            drift.arriving[column.name] = column.name
            fields.append(_declared(column, declared, drift))
    drift.schema = pa.schema(fields)
    return drift


def _by_fold(names: Sequence[str], place: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        if (other := found.setdefault(name.casefold(), name)) != name:
            raise SourceError(
                "LG-206",
                f"{place} has columns `{other}` and `{name}`, which differ only in case",
                hint="rename one of them in the source, or with the stream's `names:`",
            )
    return found


def _first(arriving: pa.Schema, declared: Mapping[str, Any]) -> Drift:
    drift = Drift(arriving, arriving={name: name for name in arriving.names})
    drift.schema = pa.schema([_declared(column, declared, drift) for column in arriving])
    return drift


def _declared(column: Any, declared: Mapping[str, Any], drift: Drift) -> Any:
    wanted = declared.get(column.name)
    if wanted is None or same_type(column.type, wanted):
        return column
    if not widens(column.type, wanted):
        drift.doubtful.append(column.name)
    return pa.field(column.name, wanted)


def _retyped(held: Any, arriving: Any, wanted: Any, stream: Stream, drift: Drift) -> Any:
    """Give the column's type after the change: declared, or the one that holds both, or the table's own."""
    target = wanted if wanted is not None else held.type
    if wanted is None and not same_type(arriving.type, held.type) and not widens(arriving.type, held.type):
        drift.retyped.append(held.name)
        both = common(arriving.type, held.type)
        if both is not None and stream.schema_ == "evolve":
            target = both
    if not same_type(target, held.type):
        drift.widened.append(held.name)
    if not same_type(arriving.type, target) and not widens(arriving.type, target):
        drift.doubtful.append(held.name)
    return held if same_type(target, held.type) else pa.field(held.name, target)


def _judge(drift: Drift, stream: Stream, place: str) -> None:
    said = [f"new column {n}" for n in drift.added]
    said += [f"column {n} no longer arrives" for n in drift.missing]
    said += [f"column {n} changed its type" for n in drift.retyped]
    if not said:
        return
    if stream.schema_ == "freeze":
        raise SourceError(
            "LG-204",
            f"{place} changed its columns: {'; '.join(said)}",
            hint="`schema: evolve` lets the table follow, `schema: quarantine` sets the rows aside",
        )
    drift.notes.append("; ".join(said))
