"""What tables and catalogs are called as streams, where a source takes all of them at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

from lagoa.errors import SourceError
from lagoa.spec.names import is_name

T = TypeVar("T")


def named_streams(found: Iterable[tuple[str, T]], exclude: Sequence[str], where: str) -> Iterator[tuple[str, T]]:
    """Give each a name that a stream can have, without those that `exclude` names or has patterns of.

    `where` is what holds them, in words. Raises SourceError LG-206 when two would have one name.
    """
    taken: dict[str, str] = {}
    for called, what in found:
        if any(fnmatchcase(called, pattern) for pattern in exclude):
            continue
        name = _stream_name(called)
        if name in taken:
            said = f"`{taken[name]}` and `{called}` of {where} would both be the stream `{name}`"
            raise SourceError("LG-206", said, hint=f"put one into `exclude:`, and name a stream for it: {name}_2")
        taken[name] = called
        yield name, what


def _stream_name(called: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", called.lower()) if not unicodedata.combining(c))
    name = re.sub(r"[^a-z0-9_]", "_", plain)[:100]
    return name if is_name(name) else f"t_{name}"
