"""Holds a model's header against its kind: what the kind needs, and what it cannot have."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lagoa.errors import ProjectError
from lagoa.project.gates import every_check
from lagoa.project.yaml import Document
from lagoa.spec.model import HISTORY, ModelHeader

_HISTORY = re.compile(rf"\b({'|'.join(HISTORY)})\b", re.IGNORECASE)


def fits_its_kind(header: ModelHeader, document: Document, file: str) -> None:
    """Refuse a header whose keys do not go with its kind. Raises ProjectError."""
    if header.kind == "view":
        _view(header, document)
    elif header.kind == "incremental":
        _incremental(header, document, file)
    elif header.kind == "scd2":
        _scd2(header, document)
    if header.time is not None and header.kind not in ("incremental", "scd2"):
        raise _wrong("`time` is for `kind: incremental` and `kind: scd2`", document, "time", "remove it")
    if header.grain is not None and (header.kind != "incremental" or header.time is None):
        message = "`grain` says how long the partitions of an incremental model's `time` are"
        raise _wrong(message, document, "grain", "remove it, or add `time:` to `kind: incremental`")


def _wrong(message: str, document: Document, key: str, hint: str | None = None) -> ProjectError:
    return ProjectError("LG-102", message, place=document.key((key,)), hint=hint)


def _incremental(header: ModelHeader, document: Document, file: str) -> None:
    """An incremental model is SQL, which can be followed, and says of what its rows are recomputed."""
    if not header.key and header.time is None:
        message = "`kind: incremental` needs `key`, the columns by which its rows are recomputed, or `time`"
        raise _wrong(message, document, "kind", "add `key: id`, say")
    if header.key and header.time is not None:
        message = "rows are recomputed by `key` or by partitions of `time`, not by both"
        raise _wrong(message, document, "time", "remove one of them; `checks: [unique]` says what is unique")
    if file.endswith(".py"):
        message = "`kind: incremental` is for SQL models: nobody can tell which rows a Python model would change"
        raise _wrong(message, document, "kind", "make it `kind: table`")


def _scd2(header: ModelHeader, document: Document) -> None:
    """A history is kept by key; what sets rows aside judges the rows of the query, before they become versions."""
    if not header.key:
        message = "`kind: scd2` needs `key`: the columns that tell whose version a row is"
        raise _wrong(message, document, "kind", "add `key: id`, say")
    no_history([*header.key, *([header.time] if header.time else [])], document)
    for column, spec, where in every_check((), header):
        if spec.on_fail == "quarantine" and _HISTORY.search(f"{column} {spec.where}"):
            message = "a check that sets rows aside judges them before they become versions"
            hint = f"leave {', '.join(HISTORY)} out of it, or say `on_fail: block`"
            raise ProjectError("LG-402", message, place=document.key(where), hint=hint)


def no_history(columns: Iterable[str], document: Document) -> None:
    """Refuse columns with the names that `scd2` adds. Raises ProjectError."""
    if taken := [c for c in columns if c.lower() in HISTORY]:
        message = f"`kind: scd2` adds the column `{taken[0]}` itself"
        raise _wrong(message, document, "kind", "give the query's column another name, `… as begins`, say")


def _view(header: ModelHeader, document: Document) -> None:
    """A view holds no rows: nothing can be audited before it is published, and nothing lies in folders."""
    for _, _, where in every_check((), header):
        hint = "check the tables that it reads, or make it `kind: table`"
        message = "a view holds no rows that could be checked before they are published"
        raise ProjectError("LG-402", message, place=document.key(where), hint=hint)
    if header.partition_by:
        raise _wrong("a view has no folders to partition", document, "partition_by")
