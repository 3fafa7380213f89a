"""Names of columns as the table spells them, whatever case the user wrote: SQL does not tell them apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from lagoa.spec.model import ModelHeader
from lagoa.spec.stream import Stream

Noun = TypeVar("Noun", Stream, ModelHeader)


def spelled(noun: Noun, names: Iterable[str]) -> Noun:
    """Return a stream or a header whose columns, key, time and partitions are called as `names` spells them."""
    by_fold = {name.casefold(): name for name in names}

    def called(name: str) -> str:
        return by_fold.get(name.casefold(), name)

    update: dict[str, Any] = {
        "columns": {called(name): column for name, column in noun.columns.items()},
        "key": tuple(map(called, noun.key)),
        "partition_by": tuple(map(called, noun.partition_by)),
    }
    if isinstance(noun, Stream) and noun.deletes is not None and noun.deletes.column is not None:
        update["deletes"] = noun.deletes.model_copy(update={"column": called(noun.deletes.column)})
    if isinstance(noun, ModelHeader) and noun.time is not None:
        update["time"] = called(noun.time)
    return noun.model_copy(update=update)
